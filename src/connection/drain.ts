import { timers } from "../util/timers.js";

/** Those who wait until nothing is under way any more. */
export class Drain {
  #waiting: (() => void)[] = [];

  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves at its end, or after `limitMs` milliseconds. */
  wait(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timers.setTimeout(resolve, limitMs);
      this.#waiting.push(() => {
        timers.clearTimeout(timer);
        resolve();
      });
    });
  }

  end(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
