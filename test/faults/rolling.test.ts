import type { ClientOptions } from "tslibmc";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startMemcached } from "../support/memcached.js";
import { until } from "../support/until.js";
import { Cluster, type Witness } from "./cluster.js";

let cluster: Cluster;
/** Stands in for dead servers where a policy wants one. */
let gutter: string;
const closing: AsyncDisposable[] = [];

beforeAll(async () => {
  cluster = await Cluster.start(3);
  const server = await startMemcached();
  closing.push(server);
  gutter = server.address;
});
afterEach(() => cluster.reset());
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  for (const each of closing) await each[Symbol.asyncDispose]();
});

/** What users see, by the keys of the server that is restarted; the others' are never concerned. */
interface Seen {
  reads: number;
  errors: number;
  misses: number;
}

/** Reads every key once, and stores what was missing, as an application does. */
async function visit({ client }: Witness, keys: readonly string[]): Promise<Seen> {
  const seen: Seen = { reads: 0, errors: 0, misses: 0 };
  for (const key of keys) {
    seen.reads++;
    try {
      const value = await client.get(key);
      if (value !== undefined) expect(value).toBe(key);
      else {
        seen.misses++;
        await client.set(key, key);
      }
    } catch {
      seen.errors++;
    }
  }
  return seen;
}

type Column = "errors" | "misses" | "none";

const ketama = { ketama: true, failure_limit: 1, dead_timeout: 1, retry_timeout: 1 };

/** In the order of the rows in docs/operations.md: down, a moment later, and back again. */
const ROWS: [string, (gutter: string) => ClientOptions, [Column, Column, Column]][] = [
  ["no policy", () => ({}), ["errors", "errors", "misses"]],
  ["onError: miss", () => ({ onError: "miss" }), ["misses", "misses", "misses"]],
  ["rehash", () => ({ behaviors: { ...ketama, auto_eject: true } }), ["misses", "none", "misses"]],
  [
    "next",
    () => ({ behaviors: { ...ketama, ketama: false }, failover: "next" }),
    ["misses", "none", "misses"],
  ],
  [
    "gutter",
    (server) => ({ behaviors: ketama, failover: { servers: server } }),
    ["misses", "none", "misses"],
  ],
  ["replicas", () => ({ behaviors: { num_replicas: 1 } }), ["none", "none", "misses"]],
  [
    "replicas, read on a miss",
    () => ({ behaviors: { num_replicas: 1 }, readReplicas: "miss" }),
    ["none", "none", "none"],
  ],
];

test.each(ROWS)("a restart with %s", async (_, options, expected) => {
  const witness = cluster.connect({ rampUpMs: 100, ...options(gutter) });
  const [, server] = cluster.servers;
  const keys = witness.keysOn(server!, 40);
  const others = cluster.servers
    .filter((other) => other !== server)
    .flatMap((other) => witness.keysOn(other, 20));
  await visit(witness, [...keys, ...others]);
  await visit(witness, [...keys, ...others]);
  await server!.kill();
  const down = await visit(witness, keys);
  const later = await visit(witness, keys);
  expect(await visit(witness, others)).toEqual({ reads: 40, errors: 0, misses: 0 });
  await server!.start();
  await until(async () => {
    const stats = witness.client.stats().get(server!.address)!;
    return stats.connected && (witness.statesOf(server!).at(-1) ?? "up") === "up";
  });
  const back = await visit(witness, keys);
  const column = ({ errors, misses }: Seen): Column =>
    errors > 0 ? "errors" : misses > 0 ? "misses" : "none";
  expect([down, later, back].map(column)).toEqual(expected);
  expect(await visit(witness, [...keys, ...others])).toEqual({ reads: 80, errors: 0, misses: 0 });
});
