import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientOptions } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { Authority } from "../support/certificates.js";
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
  cleanUp: () => void = () => {},
): Running {
  return {
    addresses: servers.map((server) => server.address),
    options,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
      cleanUp();
    },
  };
}

async function runningTls(binary: boolean): Promise<Running> {
  const authority = new Authority("authority of the conformance tests");
  const { certFile, keyFile } = authority.issue("server", ["IP:127.0.0.1"]);
  const tls = `ssl_chain_cert=${certFile},ssl_key=${keyFile}`;
  const server = await startMemcached({ args: ["-Z", "-o", tls] });
  return running([server], { binary, tls: { ca: authority.cert } }, () =>
    authority[Symbol.dispose](),
  );
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
  { name: "memcached, text, TLS", start: () => runningTls(false) },
  { name: "memcached, binary, TLS", unsaid, start: () => runningTls(true) },
  {
    name: "memcached, text, with a password",
    async start() {
      const folder = mkdtempSync(join(tmpdir(), "conformance-"));
      const file = join(folder, "users");
      writeFileSync(file, "user:secret\n");
      const server = await startMemcached({ args: ["-Y", file] });
      return running([server], { username: "user", password: "secret" }, () =>
        rmSync(folder, { recursive: true, force: true }),
      );
    },
  },
  {
    name: "embedded server, text",
    start: async () => running([await MemcachedServer.start()]),
  },
  {
    name: "embedded server, binary",
    unsaid,
    start: async () => running([await MemcachedServer.start()], { binary: true }),
  },
];
