import type { Servers } from "../client/servers/servers.js";
import { MAX_TIMER_MS } from "../util/clock.js";
import { timers } from "../util/timers.js";

/** Looks for the present list of servers; undefined says that there is nothing to say. */
export type Look = () => Promise<Servers | undefined>;

/**
 * Begins an iteration of a source: what it has to look with.
 * @param wake - has it look again at once, and not when the interval is over
 * @param ended - aborted when nobody iterates any more
 */
export type Begin = (wake: () => void, ended: AbortSignal) => Look;

/** How far from the interval a pause may be, so that many programs do not ask in step. */
const SPREAD = 0.25;

/** A source that looks again and again, and gives a list whenever it differs from the last. */
export function polling(intervalMs: number, begin: Begin): AsyncIterable<Servers> {
  return { [Symbol.asyncIterator]: () => new Polling(intervalMs, begin) };
}

/**
 * One iteration of such a source. A look that fails ends it, as a failure ends any iteration. Its
 * pauses do not keep the process alive, and `return()` ends it in the middle of one.
 */
class Polling implements AsyncIterator<Servers, undefined> {
  readonly #intervalMs: number;
  readonly #ending = new AbortController();
  readonly #look: Look;
  #last: string | undefined = undefined;
  #hasLooked = false;
  /** Something happened since the last look. */
  #isWoken = false;
  /** Ends the present pause. */
  #resume: () => void = () => {};

  constructor(intervalMs: number, begin: Begin) {
    this.#intervalMs = intervalMs;
    this.#look = begin(() => this.#wake(), this.#ending.signal);
  }

  async next(): Promise<IteratorResult<Servers, undefined>> {
    try {
      for (;;) {
        if (this.#hasLooked) await this.#pause();
        if (this.#hasEnded) break;
        this.#hasLooked = true;
        this.#isWoken = false;
        const value = await this.#look();
        if (this.#hasEnded) break;
        if (value !== undefined && this.#isNew(value)) return { done: false, value };
      }
    } catch (error) {
      if (!this.#hasEnded) {
        this.#ending.abort();
        throw error;
      }
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Servers, undefined>> {
    this.#ending.abort();
    this.#resume();
    return { done: true, value: undefined };
  }

  get #hasEnded(): boolean {
    return this.#ending.signal.aborted;
  }

  #isNew(servers: Servers): boolean {
    const text = JSON.stringify(servers);
    if (text === this.#last) return false;
    this.#last = text;
    return true;
  }

  #wake(): void {
    this.#isWoken = true;
    this.#resume();
  }

  #pause(): Promise<void> {
    if (this.#isWoken || this.#hasEnded) return Promise.resolve();
    const spreadMs = this.#intervalMs * (1 - SPREAD + 2 * SPREAD * Math.random());
    const ms = Math.min(spreadMs, MAX_TIMER_MS);
    return new Promise((resolve) => {
      const timer = timers.setTimeout(resolve, ms).unref();
      this.#resume = () => {
        timers.clearTimeout(timer);
        resolve();
      };
    });
  }
}
