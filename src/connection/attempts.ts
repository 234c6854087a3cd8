import { backoffMs } from "./backoff.js";
import type { Failure } from "./failure.js";

/** When the next attempt to connect to a server may be made. */
export class Attempts {
  /** Attempts in a row after which the server has said nothing, and what came of the last. */
  #failures = 0;
  #last: Failure | undefined = undefined;
  #notBefore = 0;

  /** Why none may be made yet, if that is so. */
  refusal(now: number): Failure | undefined {
    const last = this.#last;
    if (last === undefined || now >= this.#notBefore) return undefined;
    const waitMs = Math.ceil(this.#notBefore - now);
    return last.saying(`${last.message}; the next attempt is due in ${waitMs} ms`);
  }

  /**
   * An attempt came to nothing.
   * @returns milliseconds until the next one may be made
   */
  failed(failure: Failure, ceilingMs: number): number {
    return this.#pause(failure, backoffMs(++this.#failures, ceilingMs));
  }

  /**
   * A connection was lost. A server that hangs up before it has said anything may be
   * none; the first time may be a restart, and the next attempt follows at once.
   */
  lost(failure: Failure, heard: boolean, ceilingMs: number): void {
    this.#failures = heard ? 0 : this.#failures + 1;
    const isRepeated = this.#failures > 1;
    this.#pause(failure, isRepeated ? backoffMs(this.#failures - 1, ceilingMs) : 0);
  }

  #pause(failure: Failure, ms: number): number {
    this.#last = failure;
    this.#notBefore = performance.now() + ms;
    return ms;
  }
}
