import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Hedged, Hedging, type HedgingOptions } from "../../src/routing/hedging.js";

/** When a slow read is asked a second time, by a clock that stands still unless it is told to go on. */

/** What the simulated clock takes for a `setImmediate`. */
const IMMEDIATE_MS = 1;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function hedgingOf(options: Partial<HedgingOptions> = {}): Hedging {
  return new Hedging({ share: 0.9, minDelayMs: 0, maxShare: 1, ...options });
}

/** Answers that take 1, 2 … n milliseconds. */
function learn(hedging: Hedging, n = 100): void {
  for (let ms = 1; ms <= n; ms++) hedging.answered(ms);
}

/** A read whose server says nothing; when it was asked a second time, counted from its beginning. */
function begin(hedging: Hedging): Hedged & { isWaiting: boolean; askedAfter: number[] } {
  const startedAt = performance.now();
  const read = {
    startedAt,
    isWaiting: true,
    askedAfter: [] as number[],
    beside: () => read.askedAfter.push(performance.now() - startedAt),
  };
  hedging.watch(read);
  return read;
}

/** Has reads be asked for and answered at once, which is what the budget grows by. */
function readMany(hedging: Hedging, count: number): void {
  for (let i = 0; i < count; i++) hedging.ended(begin(hedging), false);
}

test("a read is slow when it takes longer than the share of a hundred answers", () => {
  const hedging = hedgingOf();
  learn(hedging);
  const read = begin(hedging);
  vi.advanceTimersByTime(1000);
  expect(read.askedAfter).toHaveLength(1);
  expect(read.askedAfter[0]).toBeGreaterThanOrEqual(90);
  expect(read.askedAfter[0]).toBeLessThanOrEqual(90 * (1 + 1 / 16) + 1 + IMMEDIATE_MS);
  expect(hedging).toMatchObject({ hedged: 1, won: 0, withheld: 0 });
});

test("nothing is slow before a hundred answers are known", () => {
  const hedging = hedgingOf();
  learn(hedging, 99);
  const before = begin(hedging);
  vi.advanceTimersByTime(10_000);
  expect(before.askedAfter).toEqual([]);
  hedging.answered(1);
  const after = begin(hedging);
  vi.advanceTimersByTime(10_000);
  expect(after.askedAfter).toHaveLength(1);
});

test("what is usual is learnt anew from every hundred answers, of which recent ones count more", () => {
  const hedging = hedgingOf({ share: 0.5 });
  const delayAfter = (answers: number, ms: number) => {
    for (let i = 0; i < answers; i++) hedging.answered(ms);
    const read = begin(hedging);
    vi.advanceTimersByTime(10_000);
    return read.askedAfter[0]!;
  };
  expect(delayAfter(100, 20)).toBeLessThan(24);
  expect(delayAfter(99, 400)).toBeLessThan(23);
  // 50 answers of 20 ms are left of the first hundred.
  expect(delayAfter(1, 400)).toBeGreaterThanOrEqual(400);
  expect(delayAfter(100, 20)).toBeLessThan(23);
});

test("a read is waited for as long as was asked, however fast others are", () => {
  const hedging = hedgingOf({ minDelayMs: 250 });
  learn(hedging);
  const read = begin(hedging);
  vi.advanceTimersByTime(1000);
  expect(read.askedAfter).toEqual([250 + IMMEDIATE_MS]);
});

test("each read has its own time, and those that are over are not asked for again", () => {
  const hedging = hedgingOf({ minDelayMs: 200 });
  learn(hedging);
  const first = begin(hedging);
  vi.advanceTimersByTime(50);
  const over = begin(hedging);
  const elsewhere = begin(hedging);
  vi.advanceTimersByTime(100);
  const last = begin(hedging);
  hedging.ended(over, false);
  elsewhere.isWaiting = false;
  vi.advanceTimersByTime(1000);
  expect([first, over, elsewhere, last].map(({ askedAfter }) => askedAfter)).toEqual([
    [200 + IMMEDIATE_MS],
    [],
    [],
    [200 + IMMEDIATE_MS],
  ]);
  expect(hedging.hedged).toBe(2);
});

test("a timer runs only while there is something to wait for", () => {
  const hedging = hedgingOf();
  learn(hedging);
  expect(vi.getTimerCount()).toBe(0);
  const reads = Array.from({ length: 5 }, () => begin(hedging));
  expect(vi.getTimerCount()).toBe(1);
  for (const read of reads) hedging.ended(read, true);
  vi.advanceTimersByTime(1000);
  expect(vi.getTimerCount()).toBe(0);
  expect(hedging).toMatchObject({ hedged: 0, won: 5 });
});

test("reads pay for those that are asked twice, and a stock of that is limited", () => {
  const hedging = hedgingOf({ maxShare: 0.25 });
  learn(hedging);
  readMany(hedging, 3);
  const reads = [begin(hedging)]; // the fourth
  vi.advanceTimersByTime(1000);
  reads.push(begin(hedging));
  vi.advanceTimersByTime(1000);
  expect(reads.map(({ askedAfter }) => askedAfter.length)).toEqual([1, 0]);
  expect(hedging).toMatchObject({ hedged: 1, withheld: 1 });

  readMany(hedging, 100_000);
  const slow = Array.from({ length: 400 }, () => begin(hedging));
  vi.advanceTimersByTime(1000);
  expect(slow.filter(({ askedAfter }) => askedAfter.length === 1)).toHaveLength(250);
  expect(hedging).toMatchObject({ hedged: 251, withheld: 151 });
});
