import { allSettled } from "./ready.js";

/** Promises that are waited for, or given up, together. */
export class Pending {
  readonly #all = new Map<Promise<unknown>, (reason: unknown) => void>();

  /** The same promise, but it rejects when all are given up. */
  add<Result>(work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#all.set(work, reject);
      const isOver = () => this.#all.delete(work);
      void work.then(resolve, reject).then(isOver);
    });
  }

  /** When all are settled that there are now; undefined if there are none. */
  get settled(): Promise<unknown> | undefined {
    return allSettled(this.#all.keys());
  }

  giveUp(reason: () => Error): void {
    for (const reject of this.#all.values()) reject(reason());
  }
}
