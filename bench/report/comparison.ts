import { medianInterval, spread } from "../rig/statistics.js";
import { figures, type Result, titleOf } from "./result.js";
import { rows, shortly } from "./table.js";

/**
 * What has changed since another checkout, as a table. Each round measured both within
 * moments of one another, so their ratio in each round is what counts; the same build
 * measured twice shows how far that can be trusted.
 */
export function toComparison(result: Result, ref: string): string {
  return rows(
    ["", `${ref}, µs`, "now, µs", "now / then (95 %)", "the same twice", ""],
    result.workloads.map((workload) => {
      const now = figures(result, "tslibmc", workload.name);
      const again = figures(result, "tslibmc again", workload.name);
      const then = figures(result, ref, workload.name);
      const change = now.map((figure, i) => figure / then[i]!);
      const interval = medianInterval(change);
      const noise = medianInterval(now.map((figure, i) => figure / again[i]!));
      return [
        titleOf(workload),
        shortly(spread(then).median),
        shortly(spread(now).median),
        `${shortly(spread(change).median)} (${range(interval)})`,
        range(noise),
        verdict(interval, noise),
      ];
    }),
  );
}

function range([low, high]: readonly [number, number]): string {
  return low === -Infinity ? "too few rounds" : `${shortly(low)}–${shortly(high)}`;
}

/** A change counts if it lies wholly beyond what the same build showed against itself. */
function verdict(
  [low, high]: readonly [number, number],
  [noiseLow, noiseHigh]: readonly [number, number],
): string {
  if (high < Math.min(1, noiseLow)) return "cheaper";
  if (low > Math.max(1, noiseHigh)) return "dearer";
  return "no change beyond noise";
}
