import fc from "fast-check";
import { expect, test } from "vitest";
import { Histogram } from "../../src/util/histogram.js";

test("a percentile is exact below 32 and at most a sixteenth too high above", () => {
  const values = fc.array(fc.oneof(fc.nat(40), fc.nat(5000), fc.nat(2 ** 31 - 1)), {
    minLength: 1,
  });
  fc.assert(
    fc.property(values, fc.constantFrom(0, 0.1, 0.5, 0.9, 0.99, 0.999, 1), (values, share) => {
      const histogram = new Histogram();
      for (const value of values) histogram.add(value);
      const sorted = [...values].sort((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(share * values.length)) - 1]!;
      const found = histogram.percentile(share);
      expect(found).toBeGreaterThanOrEqual(exact);
      expect(found).toBeLessThanOrEqual(exact < 32 ? exact : exact * (1 + 1 / 16));
      expect(histogram.count).toBe(values.length);
      expect(histogram.max).toBe(sorted.at(-1));
    }),
    { numRuns: 300 },
  );
});

test("nothing has the percentile 0", () => {
  expect(new Histogram().percentile(0.99)).toBe(0);
});

test("what has faded counts half, and what is recent decides", () => {
  const histogram = new Histogram();
  for (let i = 0; i < 100; i++) histogram.add(30);
  histogram.fade();
  expect(histogram.count).toBe(50);
  expect(histogram.percentile(0.999)).toBe(30);
  for (let i = 0; i < 50; i++) histogram.add(3);
  expect(histogram.percentile(0.5)).toBe(3);
  expect(histogram.percentile(0.51)).toBe(30);
  for (let round = 0; round < 2000; round++) {
    histogram.fade();
    histogram.add(7);
    expect(histogram.percentile(0.9999)).toBeGreaterThanOrEqual(7);
  }
  expect(histogram.percentile(0)).toBe(7);
});
