import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { medianInterval, slope, spread } from "../../bench/rig/statistics.js";

test("the spread of figures is their median and their ends", () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
});

test("the slope of a line with noise on both sides is the line's", () => {
  expect(slope([0, 1, 2, 3], [5, 5, 5, 5])).toBe(0);
  expect(slope([10, 20, 30, 40], [1 + 0.1, 3 - 0.1, 5 - 0.1, 7 + 0.1])).toBeCloseTo(0.2);
});

describe("the interval of the median", () => {
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

  // The ranks of any table of the sign test's confidence intervals at 95 %.
  test.each([
    [5, [-Infinity, Infinity]],
    [6, [1, 6]],
    [8, [1, 8]],
    [9, [2, 8]],
    [12, [3, 10]],
    [15, [4, 12]],
    [20, [6, 15]],
    [25, [8, 18]],
  ])("of %i figures", (n, interval) => {
    expect(medianInterval(upTo(n).reverse())).toEqual(interval);
  });

  test("holds the sample's median", () => {
    const figure = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(figure, { minLength: 1, maxLength: 60 }), (figures) => {
        const [low, high] = medianInterval(figures);
        const { median } = spread(figures);
        expect(low).toBeLessThanOrEqual(median);
        expect(high).toBeGreaterThanOrEqual(median);
      }),
    );
  });
});
