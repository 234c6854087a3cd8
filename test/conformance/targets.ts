import type { ClientOptions } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { startMemcached, startMemcacheds } from "../support/memcached.js";

/** Servers of one kind, and how a client reaches them. */
export interface Target {
  readonly name: string;
  /** The calls that its wire has no words for, by the names of their cases. */
  readonly unsaid?: ReadonlySet<string>;
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

/** What the binary protocol cannot say, each a NotSupportedError. */
const unsaid: ReadonlySet<string> = new Set([
  "verbosity speaks to every server",
  "metaGet tells what it was asked",
  "vivify hands the right to write to one reader",
  "a stale item is given once with the right to write it anew",
  "metaArithmetic with an initial number",
  "metaDebug tells what the server knows",
]);

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
    name: "memcached, binary, TCP",
    unsaid,
    start: async () => running([await startMemcached()], { binary: true }),
  },
  {
    name: "three memcacheds, binary, with a key prefix",
    unsaid,
    start: async () => running(await startMemcacheds(3), { binary: true, keyPrefix: "app:" }),
  },
  {
    name: "embedded server, text",
    start: async () => running([await MemcachedServer.start()]),
  },
];
