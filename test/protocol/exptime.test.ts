import { OptionError } from "tslibmc";
import { expect, test } from "vitest";
import { exptime } from "../../src/protocol/exptime.js";

const DAY = 24 * 60 * 60;

/** 2026-01-01, and some milliseconds. */
const NOW_MS = 1_767_225_600_250;
const NOW = 1_767_225_600;

/** memcached keeps an exptime in 32 signed bits. */
const LAST = 2 ** 31 - 1;

test.each([
  ["for ever", 0, 0],
  ["a second", 1, 1],
  ["thirty days, the most that memcached takes for seconds from now", 30 * DAY, 30 * DAY],
  ["a second more, which is a date", 30 * DAY + 1, NOW + 30 * DAY + 1],
  ["up to the last second there is", LAST - NOW, LAST],
  ["not at all", -1, -1],
  ["not at all, however far back", -(2 ** 40), -1],
])("%s", (_, ttl, expected) => {
  expect(exptime(ttl, () => NOW_MS)).toBe(expected);
});

test.each([
  ["the last second", new Date(LAST * 1000), LAST],
  ["a part of a second, which lasts to its end", new Date(NOW_MS + 1), NOW + 1],
  ["this moment, which is over", new Date(NOW_MS), -1],
  ["the past", new Date(0), -1],
])("until %s", (_, date, expected) => {
  expect(exptime(date, () => NOW_MS)).toBe(expected);
});

test.each([
  ["a second too many", LAST - NOW + 1],
  ["a moment too late", new Date(LAST * 1000 + 1)],
  ["a fraction", 0.5],
  ["no number", Number.NaN],
  ["endless", Number.POSITIVE_INFINITY],
  ["no date", new Date(Number.NaN)],
  ["text", "60" as never],
])("refuses %s", (_, ttl) => {
  expect(() => exptime(ttl, () => NOW_MS)).toThrow(OptionError);
});

test("asks for the time only where it matters", () => {
  const never = () => {
    throw new Error("The time was asked for");
  };
  expect([0, 60, 30 * DAY, -1].map((ttl) => exptime(ttl, never))).toEqual([0, 60, 30 * DAY, -1]);
});
