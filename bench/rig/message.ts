import type { Workload } from "../load/workload.js";

/** What the rig asks of a client's process, a JSON line each. */
export type Question =
  | { readonly ask: "prepare"; readonly workload: Workload }
  | { readonly ask: "run"; readonly workload: string; readonly count: number };

/** What it answers, a JSON line each: nothing but what was measured, or what went wrong. */
export interface Answer {
  readonly measured?: Measured;
  readonly error?: string;
}

/** What some operations cost. */
export interface Measured {
  /** The process's time on a CPU, user and system, in microseconds. */
  readonly cpuMicros: number;
  readonly seconds: number;
  /** Latencies in microseconds, for a workload with one operation in flight. */
  readonly p50?: number;
  readonly p99?: number;
}
