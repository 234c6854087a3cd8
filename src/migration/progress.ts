import type { MigrationReads } from "./options.js";

/** Reads, one for each key, by who answered them. */
export interface MigrationShares {
  /** Found in the new cluster. */
  readonly new: number;
  /** Found in the old cluster. */
  readonly old: number;
  /** Found in neither. */
  readonly missed: number;
}

/** How far a migration has come. */
export interface MigrationProgress extends MigrationShares {
  /** The step that it is at. */
  readonly reads: MigrationReads;
  /** Values that were brought over. */
  readonly warmed: number;
  /** Values that were not, since their key was changed meanwhile or somebody else was faster. */
  readonly overtaken: number;
  /** Steps that failed in the cluster that their call did not depend on. */
  readonly failures: number;
  /** Keys that are still to be deleted in a cluster that could not be told. */
  readonly owed: number;
  /** Whether no more deletions failed than can be kept; if not, the old cluster is not read. */
  readonly trusted: boolean;
  /** The reads of the last minute; `share` is the old cluster's of all that found something, 0 to 1. */
  readonly lastMinute: MigrationShares & { readonly share: number };
}

type Answer = keyof MigrationShares;

const SECONDS = 60;

/** What was read in each of the last sixty seconds. */
class Minute {
  readonly #seconds = Array.from({ length: SECONDS }, () => ({
    at: -1,
    new: 0,
    old: 0,
    missed: 0,
  }));

  add(answer: Answer, count: number): void {
    const at = now();
    const second = this.#seconds[at % SECONDS]!;
    if (second.at !== at) Object.assign(second, { at, new: 0, old: 0, missed: 0 });
    second[answer] += count;
  }

  get shares(): MigrationProgress["lastMinute"] {
    const since = now() - SECONDS;
    const sum = { new: 0, old: 0, missed: 0 };
    for (const second of this.#seconds) {
      if (second.at <= since) continue;
      for (const answer of ["new", "old", "missed"] as const) sum[answer] += second[answer];
    }
    const found = sum.new + sum.old;
    return { ...sum, share: found === 0 ? 0 : sum.old / found };
  }
}

function now(): number {
  return Math.floor(performance.now() / 1000);
}

/** Counts what a migration does. */
export class Tally {
  readonly #reads = { new: 0, old: 0, missed: 0 };
  readonly #minute = new Minute();
  warmed = 0;
  overtaken = 0;
  failures = 0;

  read(answer: Answer, count = 1): void {
    if (count === 0) return;
    this.#reads[answer] += count;
    this.#minute.add(answer, count);
  }

  progress(rest: Pick<MigrationProgress, "reads" | "owed" | "trusted">): MigrationProgress {
    const { warmed, overtaken, failures } = this;
    return {
      ...rest,
      ...this.#reads,
      warmed,
      overtaken,
      failures,
      lastMinute: this.#minute.shares,
    };
  }
}
