import { NPM_PEERS } from "../peers/registry.js";
import { type Result, spreadOf } from "./result.js";

/** How this client's figures are to compare with another's in the same run. */
export interface Goal {
  readonly workload: string;
  /** A client's name, or the cheapest of the npm memcached clients. */
  readonly against: string;
  /** The other's figure over ours is to be at least this (1: no more than it). */
  readonly times: number;
  /** What is compared. @defaultValue "cpu" */
  readonly figure?: "cpu" | "p50" | "p99";
  /** Our own variant that is meant. */
  readonly ours?: string;
}

export const BEST_PEER = "the best npm client";

export const GOALS: readonly Goal[] = [
  { workload: "get-1", against: BEST_PEER, times: 1.7 },
  { workload: "get-1", against: "floor", times: 1 / 1.3 },
  { workload: "set-1", against: BEST_PEER, times: 1.5 },
  { workload: "get-64", against: BEST_PEER, times: 8 },
  { workload: "get-64", against: "floor", times: 1 / 2.5 },
  { workload: "get-1024", against: BEST_PEER, times: 12 },
  { workload: "set-64", against: BEST_PEER, times: 6 },
  { workload: "set-1024", against: BEST_PEER, times: 8 },
  { workload: "set-64", against: "pylibmc", times: 10 },
  { workload: "multi-1", against: BEST_PEER, times: 5 },
  { workload: "multi-1", against: "pylibmc", times: 1 / 0.9 },
  { workload: "multi-16", against: BEST_PEER, times: 7 },
  { workload: "mixed-64", against: BEST_PEER, times: 7 },
  { workload: "json-64", against: BEST_PEER, times: 2 },
  { workload: "json-64", against: "nothing", times: 1 / 1.4 },
  { workload: "get10k-64", against: BEST_PEER, times: 1.3 },
  { workload: "get1m-1", against: BEST_PEER, times: 3 },
  { workload: "get1m-1", against: "pylibmc", times: 1.5 },
  { workload: "set1m-1", against: BEST_PEER, times: 3.5 },
  { workload: "set1m-1", against: "pylibmc", times: 1 },
  { workload: "get-64", ours: "tslibmc ring of 3", against: "tslibmc", times: 1 / 1.3 },
  { workload: "get-64", ours: "tslibmc binary wire", against: "tslibmc", times: 1 / 1.5 },
  ...["get-1", "set-1", "multi-1", "get1m-1", "set1m-1"].flatMap((workload): Goal[] => [
    { workload, against: BEST_PEER, times: 1, figure: "p50" },
    { workload, against: BEST_PEER, times: 1, figure: "p99" },
  ]),
];

/** A goal and what was measured: by how many times ours is less. */
export interface Outcome {
  readonly goal: Goal;
  readonly ours: string;
  readonly against: string;
  readonly times: number;
  /** The same of a bare socket, which no client on Node can do much better than. */
  readonly floor: number | undefined;
}

/** The bare sockets that do what our variants do. */
const FLOORS: Readonly<Record<string, string>> = {
  tslibmc: "floor",
  "tslibmc ring of 3": "floor ring of 3",
};

/** The outcomes of those goals whose clients were measured. */
export function outcomes(result: Result): Outcome[] {
  return GOALS.flatMap((goal) => {
    const { workload, ours = "tslibmc", figure = "cpu" } = goal;
    const against = goal.against === BEST_PEER ? bestPeer(result, workload, figure) : goal.against;
    const mine = spreadOf(result, ours, workload, figure);
    const its = against === undefined ? undefined : spreadOf(result, against, workload, figure);
    if (against === undefined || mine === undefined || its === undefined) return [];
    const floor = floorOf(result, goal, ours, against);
    return [{ goal, ours, against, times: its.median / mine.median, floor }];
  });
}

function floorOf(
  result: Result,
  { workload, figure = "cpu" }: Goal,
  ours: string,
  against: string,
): number | undefined {
  const floor = FLOORS[ours];
  if (floor === undefined || floor === against) return undefined;
  const least = spreadOf(result, floor, workload, figure);
  const its = spreadOf(result, FLOORS[against] ?? against, workload, figure);
  return least && its && its.median / least.median;
}

/** The npm client that has the least on a workload: CPU, unless another figure is meant. */
export function bestPeer(
  result: Result,
  workload: string,
  figure: Goal["figure"] = "cpu",
): string | undefined {
  const cost = (peer: string) => spreadOf(result, peer, workload, figure)?.median ?? Infinity;
  const best = NPM_PEERS.toSorted((a, b) => cost(a) - cost(b))[0];
  return best !== undefined && cost(best) < Infinity ? best : undefined;
}
