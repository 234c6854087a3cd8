import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientOptions } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { Authority } from "../support/certificates.js";
import { startMemcached, startMemcacheds } from "../support/memcached.js";
import { startSaslMemcached } from "../support/sasl.js";

/** Servers of one kind, and how a client reaches them. */
export interface Target {
  readonly name: string;
  /** The calls that its wire has no words for, by the names of their cases. */
  readonly unsaid?: ReadonlySet<string>;
  /** Whether no other way leads to it, over which to ask for an item's ttl. */
  readonly hidesTtl?: boolean;
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
const binaryUnsaid: ReadonlySet<string> = new Set([
  "verbosity speaks to every server",
  "metaGet tells what it was asked",
  "vivify hands the right to write to one reader",
  "a stale item is given once with the right to write it anew",
  "metaArithmetic with an initial number",
  "metaDebug tells what the server knows",
]);

/** What does not fit into a datagram, likewise. */
const udpUnsaid: ReadonlySet<string> = new Set(
  [16 * 1024, 16 * 1024 + 1, 64 * 1024 - 30, 64 * 1024, 500_000].map(
    (size) => `a value of ${size} bytes comes back whole, as text and as bytes`,
  ),
);

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
    unsaid: binaryUnsaid,
    start: async () => running([await startMemcached()], { binary: true }),
  },
  {
    name: "three memcacheds, binary, with a key prefix",
    unsaid: binaryUnsaid,
    start: async () => running(await startMemcacheds(3), { binary: true, keyPrefix: "app:" }),
  },
  { name: "memcached, text, TLS", start: () => runningTls(false) },
  { name: "memcached, binary, TLS", unsaid: binaryUnsaid, start: () => runningTls(true) },
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
    name: "memcached, binary, with SASL",
    unsaid: binaryUnsaid,
    hidesTtl: true,
    async start() {
      const { server, [Symbol.asyncDispose]: end } = await startSaslMemcached(["SCRAM-SHA-256"], {
        user: "secret",
      });
      const options = { binary: true, username: "user", password: "secret" };
      return { addresses: [server.address], options, [Symbol.asyncDispose]: end };
    },
  },
  {
    name: "memcached, text, UDP",
    unsaid: udpUnsaid,
    async start() {
      // One thread reads datagrams in the order in which one machine sends them.
      const server = await startMemcached({ args: ["-U", "-1", "-t", "1"] });
      return { ...running([server]), addresses: [`udp:${server.host}:${server.udpPort}`] };
    },
  },
  {
    name: "memcached, text, three connections",
    start: async () => running([await startMemcached()], { connections: 3 }),
  },
  {
    name: "embedded server, text",
    start: async () => running([await MemcachedServer.start()]),
  },
  {
    name: "embedded server, binary",
    unsaid: binaryUnsaid,
    start: async () => running([await MemcachedServer.start()], { binary: true }),
  },
];
