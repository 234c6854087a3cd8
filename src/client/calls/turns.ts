import { TimeoutError } from "../../errors.js";
import type { Operation } from "../../operation.js";
import { allSettled } from "../../util/ready.js";
import { PERIOD_MS, Sweep } from "../../util/sweep.js";
import type { Reject } from "./gathering.js";

/**
 * The turns of calls on the same keys. While a value is encoded on another thread its keys are
 * held: later calls on them wait, so that they arrive in the order in which they were made.
 *
 * A call that waits is an operation that is never sent: it ends by its deadline, or when it is aborted.
 */
export class Turns {
  /** The last call that waits, or holds, of each key that is held. */
  readonly #last = new Map<string, Promise<void>>();
  readonly #waiting = new Set<Operation>();
  readonly #sweep = new Sweep((now) => this.#expire(now));

  isHeld(wireKey: string): boolean {
    return this.#last.size > 0 && this.#last.has(wireKey);
  }

  /** Whether any of these is held. */
  areHeld(wireKeys: () => readonly string[]): boolean {
    return this.#last.size > 0 && wireKeys().some((key) => this.#last.has(key));
  }

  /** When all have been sent, or have failed, that wait now; undefined if none does. */
  get taken(): Promise<unknown> | undefined {
    return allSettled(this.#last.values());
  }

  /**
   * Holds keys while their values are encoded: `send` runs when that is done, behind the calls
   * on these keys that came before, and later ones follow it. A call that fails before holds nothing.
   * @param waiting - makes the operation that waits, and fails by this
   */
  hold<Data>(
    wireKeys: readonly string[],
    encoding: Promise<Data> | Data,
    waiting: (fail: Reject) => Operation,
    send: (data: Data) => void,
    reject: Reject,
  ): void {
    const before = wireKeys.map((key) => this.#last.get(key));
    let wait!: Operation;
    const encoded = new Promise<Data>((resolve, fail) => {
      wait = waiting((error, operation) => {
        fail(error);
        reject(error, operation);
      });
      Promise.resolve(encoding).then(resolve, fail);
    });
    this.#waiting.add(wait);
    this.#sweep.start();
    const turn = Promise.allSettled([encoded, ...before]).then(([made]) => {
      for (const key of wireKeys) if (this.#last.get(key) === turn) this.#last.delete(key);
      this.#waiting.delete(wait);
      if (wait.settled) return;
      wait.cancel();
      if (made.status === "rejected") throw made.reason;
      send(made.value);
    });
    turn.catch(reject);
    for (const key of wireKeys) this.#last.set(key, turn);
  }

  /** Fails all that wait. */
  end(reason: (wait: Operation) => Error): void {
    for (const wait of this.#waiting) wait.fail(reason(wait));
  }

  /** A little late: what is waited for may have the same deadline, and says more of what it waits for. */
  #expire(now: number): boolean {
    for (const wait of this.#waiting) {
      if (wait.settled) this.#waiting.delete(wait);
      else if (now >= wait.deadline + PERIOD_MS) wait.fail(outOfTime(wait));
    }
    return this.#waiting.size > 0;
  }
}

function outOfTime({ command, details }: Operation): TimeoutError {
  return new TimeoutError(
    `${command.name} timed out before it was sent: a value was still in the making`,
    details,
  );
}
