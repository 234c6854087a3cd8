/**
 * A process that does for some time whatever may be asked of a client, right or wrong, and
 * looks now and then at what memory is left in use:
 *
 *   node --expose-gc endurance.js '{"server":"127.0.0.1:11211","silent":"127.0.0.1:9",…}'
 */
import { rejects, strictEqual } from "node:assert";
import { setTimeout as delay } from "node:timers/promises";
import { rowFor, textFor } from "../load/data.js";
import { collect } from "./garbage.js";

export interface EnduranceTask {
  readonly server: string;
  /** Where connections are taken, and nothing is ever answered. */
  readonly silent: string;
  /** The build of tslibmc. */
  readonly build: string;
  readonly windows: number;
  readonly windowMs: number;
}

export interface EnduranceFigures {
  readonly operations: number;
  readonly misses: number;
  /** Refused by the client or by the server, as they should be. */
  readonly refused: number;
  /** Given up since nobody answered. */
  readonly lost: number;
  /** One after each window. */
  readonly samples: readonly MemorySample[];
}

/** What is in use after a collection, in bytes. */
export interface MemorySample {
  readonly seconds: number;
  readonly heap: number;
  /** Buffers and whatever else lies outside the heap. */
  readonly external: number;
  readonly resident: number;
}

interface Client {
  get(key: string): Promise<unknown>;
  getMulti(keys: readonly string[]): Promise<Map<string, unknown>>;
  set(key: string, value: unknown): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  incr(key: string): Promise<unknown>;
  close(): Promise<void>;
}

type Counted = "operations" | "misses" | "refused" | "lost";

const LANES = 64;
/** Calls at a time that nobody answers, and how long each waits, and the next one after it. */
const LOST_LANES = 8;
const LOST_MS = 20;
/** Before memory is looked at, for what is under way behind the calls to be over as well. */
const SETTLE_MS = 200;
const KEYS = 5000;
const ROW = rowFor("endurance", 1024);
const NO_NUMBER = "endurance:no-number";
const TOO_LARGE = Buffer.alloc(2 << 20);

const RARE: readonly ((key: string) => Promise<unknown>)[] = [
  (key) => client.getMulti(Array.from({ length: 100 }, (_, i) => `${key}:${i}`)),
  (key) => client.delete(key),
  (key) => refused(() => client.get(`${key} with blanks`)),
  (key) => refused(() => client.set(key, TOO_LARGE)),
  () => refused(() => client.incr(NO_NUMBER)),
];

const task = JSON.parse(process.argv[2] ?? "{}") as EnduranceTask;
const { Client } = (await import(task.build)) as {
  Client: new (server: string, options: object) => Client;
};
const client = new Client(task.server, { timeoutMs: 10_000 });
const ignored = new Client(task.silent, { timeoutMs: LOST_MS });
const counts: Record<Counted, number> = { operations: 0, misses: 0, refused: 0, lost: 0 };

await client.set(NO_NUMBER, "one");
const samples: MemorySample[] = [];
for (let window = 0; window < task.windows; window++) {
  await endure(task.windowMs);
  await delay(SETTLE_MS);
  const { heapUsed: heap, external, rss: resident } = await collect();
  samples.push({ seconds: performance.now() / 1000, heap, external, resident });
}
const figures: EnduranceFigures = { ...counts, samples };
console.log(JSON.stringify(figures));
await Promise.all([client.close(), ignored.close()]);

async function endure(windowMs: number): Promise<void> {
  const end = performance.now() + windowMs;
  const lane = async (act: (n: number) => Promise<unknown>) => {
    while (performance.now() < end) await act(counts.operations++);
  };
  await Promise.all([
    ...Array.from({ length: LANES }, () => lane(one)),
    ...Array.from({ length: LOST_LANES }, () => lane(lose)),
  ]);
}

/** The n-th operation: mostly reads and writes, and one in 64 that is rarer. */
function one(n: number): Promise<unknown> {
  const key = `endurance:${n % KEYS}`;
  if (n % 64 === 0) return RARE[(n / 64) % RARE.length]!(key);
  if (n % 8 === 1) return miss(key);
  if (n % 8 === 2) return client.set(key, textFor(key, n % 1000));
  if (n % 8 === 3) return client.set(`${key}:row`, ROW);
  return client.get(n % 8 === 4 ? `${key}:row` : key);
}

async function miss(key: string): Promise<void> {
  strictEqual(await client.get(`${key}:unset`), undefined);
  counts.misses++;
}

async function refused(act: () => Promise<unknown>): Promise<void> {
  await rejects(act);
  counts.refused++;
}

/** A server that never answers is soon taken for dead, and calls to it fail at once. */
async function lose(n: number): Promise<void> {
  await rejects(() => ignored.get(`endurance:${n}`));
  counts.lost++;
  await delay(LOST_MS);
}
