import type { NodeProgram } from "../rig/node.js";
import type { Spread } from "../rig/statistics.js";

/** What one dimension of the benchmark found: a table, and the figures that it was made of. */
export interface Section {
  readonly title: string;
  /** How it was measured. */
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

export interface Row {
  readonly name: string;
  /** A figure of one run, those of several rounds, or a word; undefined where there is none. */
  readonly figures: readonly (number | Spread | string | undefined)[];
}

/** How much is measured: everything, or just enough to see that it works. */
export interface Effort {
  readonly rounds: number;
  /** Rounds of what takes seconds each. */
  readonly longRounds: number;
  readonly warmUps: number;
  readonly windowMs: number;
  /** Process starts to take a median of. */
  readonly starts: number;
  /** Values that are read to see what one of them takes. */
  readonly values: number;
  /** How many times all that is hot is run to warm up, and then to see what V8 makes of it. */
  readonly hotWarmUps: number;
  readonly hotRounds: number;
  /** How many times it is seen what memory is in use, and how long after one another. */
  readonly memoryWindows: number;
  readonly memoryWindowMs: number;
  /** The Nodes that show what they make of the client's code, this one first. */
  readonly nodes: readonly NodeProgram[];
  readonly say: (progress: string) => void;
}

/** The effort of a run that counts, and of one that only shows that it works. */
export const FULL: Omit<Effort, "nodes" | "say"> = {
  ...{ rounds: 9, longRounds: 5, warmUps: 2, windowMs: 100, starts: 20, values: 100_000 },
  ...{ hotWarmUps: 5, hotRounds: 15, memoryWindows: 30, memoryWindowMs: 6000 },
};
export const QUICK: Omit<Effort, "nodes" | "say"> = {
  ...{ rounds: 1, longRounds: 1, warmUps: 0, windowMs: 20, starts: 2, values: 2000 },
  ...{ hotWarmUps: 1, hotRounds: 1, memoryWindows: 4, memoryWindowMs: 250 },
};
