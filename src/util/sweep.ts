import { timers } from "./timers.js";

/** How late a deadline can fire by design, in milliseconds. */
export const PERIOD_MS: number = 10;

/** What is later than this, checks or a timer, had the process busy, or without a processor, before. */
export const LATE_MS: number = 5 * PERIOD_MS;

/**
 * The time of a further step of a call: what is left of the call's, and as much at least as a deadline
 * may be late. Who is asked with less than that could not answer, and would seem to be lost.
 */
export function stepMs(deadline: number, timeoutMs: number): number {
  return Math.max(deadline - performance.now(), Math.min(timeoutMs, PERIOD_MS));
}

/**
 * One timer for many deadlines: it runs while there is something to watch, and keeps the
 * process alive only that long, if at all.
 *
 * The check itself runs after the event loop has polled its sockets. If the program was
 * busy for long, replies that have already arrived are read first and win over deadlines
 * that passed meanwhile. One poll does not bring all that is there: an address is found, and
 * only then connected to. So a check that comes late is left to the next, once.
 */
export class Sweep {
  readonly #check: (now: number, missedMs: number) => boolean;
  readonly #holds: boolean;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** The clock that was there when the timer began: a test's fake one may come or go while it runs. */
  #clock = setInterval;
  #end = timers.clearInterval;
  #checkedAt = 0;
  #isLeftOut = false;

  /**
   * @param check - looks for what is due and says whether anything is left to watch; `missedMs`
   * of the time since it last did nobody could look at the sockets
   * @param holds - whether it keeps the process alive
   */
  constructor(check: (now: number, missedMs: number) => boolean, holds = true) {
    this.#check = check;
    this.#holds = holds;
  }

  start(): void {
    if (this.#timer !== undefined) {
      // By its own name: as a property of all timers it is found so slowly that a get is 3 % dearer.
      if (this.#clock === setInterval) return;
      this.stop();
    }
    this.#clock = setInterval;
    this.#end = timers.clearInterval;
    this.#checkedAt = performance.now();
    this.#timer = timers.setInterval(() => timers.setImmediate(this.#run), PERIOD_MS);
    if (!this.#holds) this.#timer.unref();
  }

  stop(): void {
    this.#end.call(undefined, this.#timer);
    this.#timer = undefined;
  }

  #run = (): void => {
    if (this.#timer === undefined) return;
    const now = performance.now();
    const missedMs = Math.max(0, now - this.#checkedAt - LATE_MS);
    this.#isLeftOut = missedMs > 0 && !this.#isLeftOut;
    if (this.#isLeftOut) return;
    this.#checkedAt = now;
    if (!this.#check(now, missedMs)) this.stop();
  };
}
