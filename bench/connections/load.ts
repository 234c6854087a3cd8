import { textFor } from "../load/data.js";

/** What is measured of a client. */
export interface Client {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<boolean>;
  close(): Promise<void>;
}

/** What goes on beside the small reads. */
export type Beside = "nothing" | "get" | "set";

/** One window's figures: latencies of small reads in ms, and how many there were of each in a second. */
export interface Sample {
  readonly p50: number;
  readonly p99: number;
  readonly smallPerSecond: number;
  readonly largePerSecond: number;
}

const SMALL_IN_FLIGHT = 16;
const LARGE_IN_FLIGHT = 4;
const SMALL_KEYS = 1000;
const LARGE = Buffer.alloc(1_000_000, "large ");

const smallKey = (i: number) => `small:${i % SMALL_KEYS}`;
const largeKey = (i: number) => `large:${i % LARGE_IN_FLIGHT}`;

export async function prepare(client: Client): Promise<void> {
  for (let i = 0; i < SMALL_KEYS; i++) await client.set(smallKey(i), textFor(smallKey(i), 100));
  for (let i = 0; i < LARGE_IN_FLIGHT; i++) await client.set(largeKey(i), LARGE);
}

/** Reads small values as fast as they come, while large ones are read, or set, likewise. */
export async function run(client: Client, beside: Beside, windowMs: number): Promise<Sample> {
  const latencies: number[] = [];
  let larges = 0;
  const start = performance.now();
  const isOver = () => performance.now() - start > windowMs;
  const inLanes = (count: number, operation: (lane: number) => Promise<void>) =>
    Array.from({ length: count }, async (_, lane) => {
      while (!isOver()) await operation(lane);
    });
  const readSmall = async (lane: number) => {
    const sent = performance.now();
    const key = smallKey(lane + latencies.length);
    if ((await client.get(key)) === undefined) throw new Error(`${key} is gone`);
    latencies.push(performance.now() - sent);
  };
  const moveLarge = async (lane: number) => {
    if (beside === "set") await client.set(largeKey(lane), LARGE);
    else if ((await client.get(largeKey(lane))) === undefined) throw new Error("it is gone");
    larges++;
  };
  await Promise.all([
    ...inLanes(SMALL_IN_FLIGHT, readSmall),
    ...(beside === "nothing" ? [] : inLanes(LARGE_IN_FLIGHT, moveLarge)),
  ]);
  const seconds = (performance.now() - start) / 1000;
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.floor(q * (latencies.length - 1))]!;
  return {
    p50: quantile(0.5),
    p99: quantile(0.99),
    smallPerSecond: latencies.length / seconds,
    largePerSecond: larges / seconds,
  };
}
