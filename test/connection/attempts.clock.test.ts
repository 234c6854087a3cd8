import { ConnectError } from "tslibmc";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Attempts } from "../../src/connection/attempts.js";
import { Failure } from "../../src/connection/failure.js";

const failure = new Failure(ConnectError, "ECONNREFUSED", "s:1");
const CEILING_MS = 2000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  vi.spyOn(Math, "random").mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Milliseconds until the next attempt may be made. */
function pause(attempts: Attempts): number {
  const began = performance.now();
  let ms = 0;
  while (attempts.refusal(began + ms) !== undefined) ms++;
  return ms;
}

test("the first attempt may be made at once, and after a failure none until it is due", () => {
  const attempts = new Attempts();
  expect(pause(attempts)).toBe(0);
  expect(attempts.failed(failure, CEILING_MS)).toBe(50);
  expect(attempts.refusal(performance.now() + 10)?.message).toBe(
    "ECONNREFUSED; the next attempt is due in 40 ms",
  );
  expect(pause(attempts)).toBe(50);
});

test("pauses double with each attempt that fails", () => {
  const attempts = new Attempts();
  const pauses = Array.from({ length: 8 }, () => {
    const told = attempts.failed(failure, CEILING_MS);
    expect(pause(attempts)).toBe(told);
    vi.advanceTimersByTime(told);
    return told;
  });
  expect(pauses).toEqual([50, 100, 200, 400, 800, 1600, 2000, 2000]);
});

test("a server that hangs up before it has said anything is left alone from the second time on", () => {
  const attempts = new Attempts();
  const pauses = Array.from({ length: 4 }, () => {
    attempts.lost(failure, false, CEILING_MS);
    const ms = pause(attempts);
    vi.advanceTimersByTime(ms);
    return ms;
  });
  expect(pauses).toEqual([0, 50, 100, 200]);
});

test("a server that has said something is connected to at once, and then as if for the first time", () => {
  const attempts = new Attempts();
  for (let n = 0; n < 3; n++) attempts.failed(failure, CEILING_MS);
  attempts.lost(failure, true, CEILING_MS);
  expect(pause(attempts)).toBe(0);
  expect(attempts.failed(failure, CEILING_MS)).toBe(50);
});
