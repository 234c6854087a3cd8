import type { ClientOptions } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { startMemcached, startMemcacheds } from "../support/memcached.js";

/** Servers of one kind, and how a client reaches them. */
export interface Target {
  readonly name: string;
  start(): Promise<Running>;
}

export interface Running extends AsyncDisposable {
  readonly addresses: readonly string[];
  readonly options: ClientOptions;
}

function running(
  servers: readonly (AsyncDisposable & { readonly address: string })[],
  options: ClientOptions = {},
): Running {
  return {
    addresses: servers.map((server) => server.address),
    options,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

/** Every way that the client's behaviour must not depend on. */
export const targets: readonly Target[] = [
  { name: "memcached, text, TCP", start: async () => running([await startMemcached()]) },
  {
    name: "memcached, text, unix socket",
    start: async () => running([await startMemcached({ unix: true })]),
  },
  { name: "three memcacheds, text", start: async () => running(await startMemcacheds(3)) },
  {
    name: "three memcacheds, text, with a key prefix",
    start: async () => running(await startMemcacheds(3), { keyPrefix: "app:" }),
  },
  {
    name: "embedded server, text",
    start: async () => running([await MemcachedServer.start()]),
  },
];
