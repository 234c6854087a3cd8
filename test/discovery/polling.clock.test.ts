import type { Servers } from "tslibmc";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { polling } from "../../src/discovery/polling.js";

/** When a source looks again, by a clock that stands still unless it is told to go on. */

/** The longest interval, which is longer than a timer can be once chance has added to it. */
const NEVER_MS = 2 ** 31 - 1;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** One iteration of a source that finds these lists, one at each look. */
function iterate(intervalMs: number, ...lists: (Servers | undefined)[]) {
  const found = {
    looks: 0,
    wake: () => {},
    /** What happens while it looks. */
    during: () => {},
    ended: new AbortController().signal,
  };
  const source = polling(intervalMs, (wake, ended) => {
    Object.assign(found, { wake, ended });
    return async () => {
      const list = lists[found.looks++];
      found.during();
      return list;
    };
  });
  return { found, iterator: source[Symbol.asyncIterator]() };
}

const list = (value: Servers) => ({ done: false, value });
const END = { done: true, value: undefined };

test.each([
  [0, 750],
  [0.5, 1000],
  [1, 1250],
])("a pause is the interval, give or take a quarter: chance %d, %i ms", async (chance, ms) => {
  vi.spyOn(Math, "random").mockReturnValue(chance);
  const { found, iterator } = iterate(1000, ["a"], ["a"], ["b"]);
  expect(await iterator.next()).toEqual(list(["a"]));
  const coming = iterator.next();
  for (const looks of [2, 3]) {
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(found.looks).toBe(looks - 1);
    await vi.advanceTimersByTimeAsync(1);
    expect(found.looks).toBe(looks);
  }
  expect(await coming).toEqual(list(["b"]));
  expect(vi.getTimerCount()).toBe(0);
});

test("a look that has nothing to say gives nothing, and the same list is not given twice", async () => {
  const { iterator } = iterate(10, undefined, ["a"], undefined, ["a"], ["b"]);
  const first = iterator.next();
  await vi.advanceTimersByTimeAsync(20);
  expect(await first).toEqual(list(["a"]));
  const second = iterator.next();
  await vi.advanceTimersByTimeAsync(50);
  expect(await second).toEqual(list(["b"]));
});

test("the longest interval is no short one, however it is spread", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.99);
  const { found, iterator } = iterate(NEVER_MS, ["a"], ["b"]);
  await iterator.next();
  const coming = iterator.next();
  await vi.advanceTimersByTimeAsync(24 * 60 * 60 * 1000);
  expect(found.looks).toBe(1);
  await iterator.return?.();
  expect(await coming).toEqual(END);
});

test("what happens during a look or a pause has it look again at once", async () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  const { found, iterator } = iterate(NEVER_MS, ["a"], ["b"], ["c"]);
  found.during = () => {
    if (found.looks === 1) found.wake();
  };
  expect(await iterator.next()).toEqual(list(["a"]));
  expect(await iterator.next()).toEqual(list(["b"]));
  const coming = iterator.next();
  await vi.advanceTimersByTimeAsync(1000);
  expect(found.looks).toBe(2);
  found.wake();
  expect(await coming).toEqual(list(["c"]));
  expect(vi.getTimerCount()).toBe(0);
});

test("an iteration that is ended does not look again, nor give what it has just found", async () => {
  const paused = iterate(NEVER_MS, ["a"], ["b"]);
  await paused.iterator.next();
  const pausing = paused.iterator.next();
  expect(await paused.iterator.return?.()).toEqual(END);
  expect(await pausing).toEqual(END);
  expect([paused.found.looks, paused.found.ended.aborted, vi.getTimerCount()]).toEqual([
    1,
    true,
    0,
  ]);

  const looking = iterate(NEVER_MS, ["a"]);
  looking.found.during = () => void looking.iterator.return?.();
  expect(await looking.iterator.next()).toEqual(END);
  expect(await looking.iterator.next()).toEqual(END);
  expect(looking.found.looks).toBe(1);
});

test("a look that fails ends the iteration", async () => {
  const { found, iterator } = iterate(NEVER_MS, ["a"]);
  found.during = () => {
    throw new Error("nobody knows");
  };
  await expect(iterator.next()).rejects.toThrow("nobody knows");
  expect(found.ended.aborted).toBe(true);
  expect(await iterator.next()).toEqual(END);
});
