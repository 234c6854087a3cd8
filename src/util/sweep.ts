import { timers } from "./timers.js";

/** How late a deadline can fire by design, in milliseconds. */
const PERIOD_MS = 10;

/**
 * One timer for many deadlines: it runs while there is something to watch, and keeps the
 * process alive only that long.
 *
 * The check itself runs after the event loop has polled its sockets. If the program was
 * busy for long, replies that have already arrived are read first and win over deadlines
 * that passed meanwhile.
 */
export class Sweep {
  readonly #check: (now: number) => boolean;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** The clock that was there when the timer began: a test's fake one may come or go while it runs. */
  #clock = setInterval;
  #end = timers.clearInterval;

  /** @param check - looks for what is due and says whether anything is left to watch */
  constructor(check: (now: number) => boolean) {
    this.#check = check;
  }

  start(): void {
    if (this.#timer !== undefined) {
      // By its own name: as a property of all timers it is found so slowly that a get is 3 % dearer.
      if (this.#clock === setInterval) return;
      this.stop();
    }
    this.#clock = setInterval;
    this.#end = timers.clearInterval;
    this.#timer = timers.setInterval(() => timers.setImmediate(this.#run), PERIOD_MS);
  }

  stop(): void {
    this.#end.call(undefined, this.#timer);
    this.#timer = undefined;
  }

  #run = (): void => {
    if (this.#timer !== undefined && !this.#check(performance.now())) this.stop();
  };
}
