import type { Workload } from "../load/workload.js";
import type { Sample } from "../rig/rounds.js";
import { type Spread, spread } from "../rig/statistics.js";

/** All that a benchmark found, as it is written to JSON. */
export interface Result {
  readonly date: string;
  readonly machine: Machine;
  readonly settings: {
    readonly rounds: number;
    readonly windowMs: number;
    readonly oneCore: boolean;
  };
  readonly clients: readonly ClientResult[];
  readonly workloads: readonly Workload[];
  readonly series: readonly SeriesResult[];
}

export interface ClientResult {
  readonly name: string;
  readonly version: string;
  /** The version of the Node that ran it, where there were several. */
  readonly node?: string;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly memcached: string;
  /** How many processes wanted a core, over the last minute, when it began and ended. */
  readonly load: readonly [before: number, after: number];
}

export interface SeriesResult {
  readonly client: string;
  readonly workload: string;
  readonly samples: readonly Sample[];
}

/** A figure of a client on a workload, if it was measured. */
export function figures(
  result: Result,
  client: string,
  workload: string,
  figure: keyof Sample = "cpu",
): number[] {
  const series = result.series.find((one) => one.client === client && one.workload === workload);
  return series?.samples.flatMap((sample) => sample[figure] ?? []) ?? [];
}

export function spreadOf(...args: Parameters<typeof figures>): Spread | undefined {
  const found = figures(...args);
  return found.length === 0 ? undefined : spread(found);
}

/** What a workload is called, with how much of it is in flight. */
export function titleOf({ title, inFlight }: Workload): string {
  return inFlight === 1 ? title : `${title}, ${inFlight} in flight`;
}
