import { Histogram } from "../util/histogram.js";
import { timers } from "../util/timers.js";
import type { CopyRead } from "./copyread.js";

/** What is known here of a read. */
export type Hedged = Pick<CopyRead, "startedAt" | "isWaiting" | "beside">;

export interface HedgingOptions {
  /** A read is slow when this share (0 to 1) of all reads is faster. */
  readonly share: number;
  /** The fewest milliseconds to wait for a read. */
  readonly minDelayMs: number;
  /** The share of all reads that may be asked twice. */
  readonly maxShare: number;
}

/** How many answers there are between two looks at what is usual; older ones count ever less. */
const LESSON = 100;

/** The budget of this many reads can be saved up: where few were hedged, more may be at once. */
const BUDGET_READS = 1000;

/** A histogram's limit, in microseconds. */
const MAX_US = 2 ** 31 - 1;

/**
 * Has a read that takes longer than most others asked at a second server too (a hedge).
 *
 * ```
 *   delay    a percentile of what recent answers took, those of hedged reads included
 *   budget   each read adds maxShare of a hedge, up to a limited stock: where all servers
 *            are slow, as under overload, asking twice would make it worse
 * ```
 *
 * Reads wait in the order in which they began, so that one timer is enough: it is set for
 * the oldest. It looks after the event loop has polled, so that a program that was busy
 * does not take answers that have already arrived for late ones.
 */
export class Hedging {
  /** Reads that were asked at a second server. */
  hedged = 0;
  /** Those of them where that had the answer first. */
  won = 0;
  /** Reads that were slow while nothing was left of the budget. */
  withheld = 0;
  readonly #options: HedgingOptions;
  readonly #waiting = new Set<Hedged>();
  /** In microseconds. */
  readonly #answers = new Histogram();
  #lesson = 0;
  /** Undefined until enough is known. */
  #delayMs: number | undefined = undefined;
  #budget = 0;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(options: HedgingOptions) {
    this.#options = options;
  }

  /** A read was begun. */
  watch(read: Hedged): void {
    const { maxShare } = this.#options;
    this.#budget = Math.min(BUDGET_READS * maxShare, this.#budget + maxShare);
    if (this.#delayMs === undefined) return;
    this.#waiting.add(read);
    if (this.#timer === undefined) this.#wakeIn(this.#delayMs);
  }

  /** A read is over. */
  ended(read: Hedged, isSecond: boolean): void {
    this.#waiting.delete(read);
    if (isSecond) this.won++;
  }

  /** An answer took `ms` milliseconds. */
  answered(ms: number): void {
    this.#answers.add(Math.min(MAX_US, Math.floor(ms * 1000)));
    if (++this.#lesson < LESSON) return;
    this.#lesson = 0;
    const { share, minDelayMs } = this.#options;
    this.#delayMs = Math.max(minDelayMs, this.#answers.percentile(share) / 1000);
    this.#answers.fade();
  }

  #wakeIn(ms: number): void {
    this.#timer = timers.setTimeout(() => timers.setImmediate(this.#look), Math.ceil(ms)).unref();
  }

  #look = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const read of this.#waiting) {
      const dueIn = read.startedAt + this.#delayMs! - now;
      if (dueIn > 0) {
        this.#wakeIn(dueIn);
        return;
      }
      this.#waiting.delete(read);
      if (read.isWaiting) this.#hedge(read);
    }
  };

  #hedge(read: Hedged): void {
    if (this.#budget < 1) {
      this.withheld++;
      return;
    }
    this.#budget--;
    this.hedged++;
    read.beside();
  }
}
