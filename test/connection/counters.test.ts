import { expect, test } from "vitest";
import { Counters } from "../../src/connection/counters.js";

test("latencies are told in milliseconds, each percentile as so many were faster", () => {
  const counters = new Counters();
  const counts: [ms: number, times: number][] = [
    [1, 500],
    [10, 400],
    [100, 90],
    [1000, 9],
    [10_000, 1],
  ];
  for (const [ms, times] of counts) counters.latency.add(ms * 1000, times);
  const { latency } = counters.snapshot({ connected: true, waiting: 0, inFlight: 0 });
  expect([latency.count, latency.max]).toEqual([1000, 10_000]);
  const { p50, p90, p99, p999 } = latency;
  for (const [found, ms] of [
    [p50, 1],
    [p90, 10],
    [p99, 100],
    [p999, 1000],
  ] as const) {
    expect(found).toBeGreaterThanOrEqual(ms);
    expect(found).toBeLessThanOrEqual(ms * (1 + 1 / 16));
  }
});
