import { readFileSync } from "node:fs";
import type { BehaviorOptions } from "tslibmc";

/** One call of pylibmc's, and what came of it. */
export interface RecordedOp {
  readonly op: "get" | "set" | "get_multi";
  readonly key: string;
  readonly value?: string;
  readonly result?: { readonly s?: string; readonly v?: boolean };
  readonly exception?: string;
  readonly received_by: readonly number[];
  readonly found?: readonly string[];
}

/** Second by second, what pylibmc did while one of three servers was gone. */
export interface Timeline {
  readonly id: string;
  readonly behaviors: BehaviorOptions;
  readonly protocol: "text" | "binary";
  readonly victim: number;
  readonly failure: "killed" | "frozen";
  readonly back_at_second: number;
  readonly keys: readonly string[];
  readonly home: readonly number[];
  readonly steps: readonly { readonly second: number; readonly ops: readonly RecordedOp[] }[];
}

export const timelines: readonly Timeline[] = JSON.parse(
  readFileSync(new URL("../vectors/failover.json", import.meta.url), "utf8"),
).timelines;

export function timeline(id: string): Timeline {
  const found = timelines.find((each) => each.id === id);
  if (found === undefined) throw new Error(`No timeline ${id} is recorded`);
  return found;
}
