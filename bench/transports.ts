import { Authority } from "../test/support/certificates.js";
import { type Memcached, startMemcached } from "../test/support/memcached.js";
import type { Workload } from "./load/workload.js";
import { type Entry, ownEntry } from "./subjects.js";

/** The ways that are compared, the one that the others are compared with first. */
export const WAYS = [
  "text TCP",
  "text TCP × 2",
  "binary TCP",
  "text unix socket",
  "text TLS",
  "text UDP",
] as const;

/** A server for each way to reach one, and this client on each. */
export interface Transports extends AsyncDisposable {
  readonly entries: readonly Entry[];
  readonly pids: readonly number[];
}

/** Each server has one thread, so that it can share a core. */
export async function startTransports(): Promise<Transports> {
  const authority = new Authority("authority of the benchmark");
  const { certFile, keyFile } = authority.issue("server", ["IP:127.0.0.1"]);
  const secure = ["-Z", "-o", `ssl_chain_cert=${certFile},ssl_key=${keyFile}`];
  const servers = await Promise.all([
    start({ args: ["-U", "-1"] }),
    start({ unix: true }),
    start({ args: secure }),
  ]);
  const [plain, unix, tls] = servers;
  const one = ({ address }: Memcached) => [address];
  const udp = `udp:${plain.host}:${plain.udpPort}`;
  const ways: Readonly<Record<(typeof WAYS)[number], Entry>> = {
    "text TCP": ownEntry(WAYS[0], one(plain), {}),
    "text TCP × 2": ownEntry(WAYS[1], one(plain), { connections: 2 }),
    "binary TCP": ownEntry(WAYS[2], one(plain), { binary: true }),
    "text unix socket": ownEntry(WAYS[3], one(unix), {}),
    "text TLS": ownEntry(WAYS[4], one(tls), { tls: { ca: authority.cert } }),
    "text UDP": ownEntry(WAYS[5], [udp], {}, reads),
  };
  return {
    entries: WAYS.map((way) => ways[way]),
    pids: servers.map(({ pid }) => pid),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
      authority[Symbol.dispose]();
    },
  };
}

function start({ args = [], unix = false }: { args?: readonly string[]; unix?: boolean }) {
  return startMemcached({ args: ["-t", "1", "-m", "256", ...args], unix });
}

/** UDP is for reading small values; a getMulti there is a datagram for each key. */
function reads({ kind }: Workload): boolean {
  return kind === "get";
}
