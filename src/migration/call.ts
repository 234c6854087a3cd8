import type { CallOptions } from "../client/calls/options.js";
import { TimeoutError } from "../errors.js";
import { checkDurationMs } from "../util/check.js";
import { stepMs } from "../util/sweep.js";

const MAX_ATTEMPTS = 100;

/** One call of a migration: its steps share its time, its signal and what says where its key is. */
export class Call {
  readonly #name: string;
  readonly #signal: AbortSignal | undefined;
  readonly #keyPrefix: CallOptions["keyPrefix"];
  readonly #groupKey: CallOptions["groupKey"];
  readonly #timeoutMs: number;
  readonly #deadline: number;
  #attempts = 0;

  /** @param timeoutMs - where the options have none */
  constructor(name: string, options: CallOptions | undefined, timeoutMs: number) {
    this.#name = name;
    const given = options?.timeoutMs;
    this.#signal = options?.signal;
    this.#keyPrefix = options?.keyPrefix;
    this.#groupKey = options?.groupKey;
    this.#timeoutMs = given === undefined ? timeoutMs : checkDurationMs(given, "timeoutMs");
    this.#deadline = performance.now() + this.#timeoutMs;
  }

  get aborted(): boolean {
    return this.#signal?.aborted === true;
  }

  /** What says where the key is. */
  get place(): CallOptions {
    return { keyPrefix: this.#keyPrefix, groupKey: this.#groupKey };
  }

  /** A step's options: it has what is left of the call's time, and no more than its limit. */
  step(limitMs: number = Number.POSITIVE_INFINITY): CallOptions {
    return this.#stepBy(this.#deadline, limitMs);
  }

  /** A step's options where another one follows that is to have as much time. */
  firstStep(): CallOptions {
    return this.#stepBy((this.#deadline + performance.now()) / 2, Number.POSITIVE_INFINITY);
  }

  #stepBy(deadline: number, limitMs: number): CallOptions {
    const timeoutMs = Math.min(stepMs(deadline, this.#timeoutMs), limitMs);
    return { ...this.place, signal: this.#signal, timeoutMs };
  }

  /** For what is done although the call was aborted: the same with time of its own. */
  epilogue(timeoutMs: number): Call {
    return new Call(this.#name, this.place, timeoutMs);
  }

  /** Before another attempt at something that somebody else got in the way of. */
  tryAgain(): void {
    this.#attempts++;
    if (this.#attempts < MAX_ATTEMPTS && performance.now() < this.#deadline) return;
    throw new TimeoutError(
      `${this.#name} gave up after ${this.#attempts} attempts, since the key kept changing`,
      { command: this.#name, sent: true },
    );
  }
}
