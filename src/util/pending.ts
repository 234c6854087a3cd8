import { type Follower, follow, unfollow } from "./abort.js";
import { allSettled } from "./ready.js";
import { PERIOD_MS, Sweep } from "./sweep.js";

/** How long a promise is waited for. */
export interface Patience {
  /** On `performance.now()`'s clock in milliseconds. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  /** What it rejects with after that. */
  late(): Error;
}

interface Wait extends Follower {
  readonly patience: Patience;
}

/** Promises that are waited for until their deadlines, or given up together. */
export class Pending {
  readonly #all = new Map<Promise<unknown>, Wait>();
  readonly #sweep = new Sweep((now) => this.#expire(now));

  /** The same promise, but it rejects when it is late, when its signal is aborted, or when all are given up. */
  add<Result>(work: Promise<Result>, patience: Patience): Promise<Result> {
    const { signal } = patience;
    let wait!: Wait;
    const kept = new Promise<Result>((resolve, fail) => {
      wait = { patience, fail };
      work.then(resolve, fail);
    });
    const isOver = () => {
      this.#all.delete(kept);
      if (signal !== undefined) unfollow(signal, wait);
    };
    this.#all.set(kept, wait);
    this.#sweep.start();
    if (signal !== undefined) follow(signal, wait);
    kept.then(isOver, isOver);
    return kept;
  }

  /** When all are settled that there are now; undefined if there are none. */
  get settled(): Promise<unknown> | undefined {
    return allSettled(this.#all.keys());
  }

  giveUp(reason: () => Error): void {
    for (const wait of this.#all.values()) wait.fail(reason());
  }

  /** A little late: what the work itself waits for may have the same deadline, and says more. */
  #expire(now: number): boolean {
    for (const { patience, fail } of this.#all.values()) {
      if (now >= patience.deadline + PERIOD_MS) fail(patience.late());
    }
    return this.#all.size > 0;
  }
}
