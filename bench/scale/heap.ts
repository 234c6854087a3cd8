/**
 * What a client's gets allocate, and what values take that are kept, in a process of its own:
 *
 *   node --expose-gc heap.js '{"subject":{…},"values":100000}'
 */
import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { textFor } from "../load/data.js";
import type { Peer } from "../peers/peer.js";
import { connectTo, type Subject } from "../peers/registry.js";
import { collect } from "./garbage.js";

export interface HeapTask {
  readonly subject: Subject;
  readonly values: number;
}

/** Bytes, one value's. */
export interface HeapFigures {
  /** Absent if garbage was collected while it was counted. */
  readonly allocated?: number;
  /** Absent if another value was read than was set. */
  readonly keptText?: number;
  /** Absent too for a client that carries no bytes. */
  readonly keptBytes?: number;
}

const SIZE = 100;
const IN_FLIGHT = 64;
/** A collection of garbage is reported a little later. */
const REPORT_MS = 50;
/** Gets that are counted, and before that to have everything compiled and grown. */
const COUNTED = 20_000;

const { subject, values } = JSON.parse(process.argv[2] ?? "{}") as HeapTask;
let collections = 0;
new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({
  entryTypes: ["gc"],
});
const peer = await connectTo(subject);
const keys = Array.from(
  { length: values },
  (_, n) => `heap:${subject.name.replace(/\W/g, "_")}:${n}`,
);
await inFlight(keys.length, (n) => peer.set(keys[n]!, textFor(keys[n]!, SIZE)));

const allocated = await allocatedByGet(peer);
const keptText = await kept((key) => peer.get(key));
const keptBytes = peer.carriesBytes ? await keptBlobs(peer) : undefined;
const figures: HeapFigures = {
  ...(allocated !== undefined && { allocated }),
  ...(keptText !== undefined && { keptText }),
  ...(keptBytes !== undefined && { keptBytes }),
};
console.log(JSON.stringify(figures));
await peer.close();
process.exit();

async function allocatedByGet({ get }: Peer): Promise<number | undefined> {
  const read = (count: number) => inFlight(count, (n) => get(keys[n % keys.length]!));
  await read(COUNTED);
  await collect();
  await delay(REPORT_MS);
  collections = 0;
  const before = process.memoryUsage().heapUsed;
  await read(COUNTED);
  const grown = process.memoryUsage().heapUsed - before;
  await delay(REPORT_MS);
  return collections === 0 ? grown / COUNTED : undefined;
}

async function keptBlobs({ getBlob, setBlob }: Peer): Promise<number | undefined> {
  await inFlight(keys.length, (n) => setBlob(keys[n]!, Buffer.from(textFor(keys[n]!, SIZE))));
  return kept(getBlob);
}

/** What a value takes beyond its place in a list, unless what is read is not what was set. */
async function kept(read: (key: string) => Promise<unknown>): Promise<number | undefined> {
  const list = new Array<unknown>(keys.length).fill(undefined);
  await inFlight(keys.length, async (n) => {
    list[n] = await read(keys[n]!);
  });
  const isRight = list.every((value, n) => String(value) === textFor(keys[n]!, SIZE));
  // With and without them, a moment apart: timers of calls that are over may take long to go.
  const withThem = await inUse();
  list.fill(undefined);
  const without = await inUse();
  return isRight ? (withThem - without) / keys.length : undefined;
}

/** What is in use, external memory included. */
async function inUse(): Promise<number> {
  const { heapUsed, external } = await collect();
  return heapUsed + external;
}

async function inFlight(count: number, act: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}
