import { allSettled } from "../../util/ready.js";
import type { Reject } from "./gathering.js";

/**
 * The turns of calls on the same keys. While a value is encoded on another thread its keys are
 * held: later calls on them wait, so that they arrive in the order in which they were made.
 */
export class Turns {
  /** The last call that waits, or holds, of each key that is held. */
  readonly #last = new Map<string, Promise<void>>();

  isHeld(wireKey: string): boolean {
    return this.#last.size > 0 && this.#last.has(wireKey);
  }

  /** When all have been sent that wait now; undefined if none does. */
  get taken(): Promise<unknown> | undefined {
    return allSettled(this.#last.values());
  }

  /** Sends requests about many keys behind the calls on these keys that came before. */
  take(wireKeys: () => readonly string[], send: () => void, reject: Reject): void {
    const keys = this.#last.size === 0 ? [] : wireKeys();
    if (keys.some((key) => this.#last.has(key))) this.hold(keys, undefined, send).catch(reject);
    else send();
  }

  /**
   * Holds keys while their values are encoded: `send` runs when that is done, behind the calls
   * on these keys that came before, and later ones follow it.
   */
  hold<Data>(
    wireKeys: readonly string[],
    encoding: Promise<Data> | Data,
    send: (data: Data) => void,
  ): Promise<void> {
    const before = wireKeys.map((key) => this.#last.get(key));
    const turn = Promise.allSettled([encoding, ...before]).then(([encoded]) => {
      for (const key of wireKeys) if (this.#last.get(key) === turn) this.#last.delete(key);
      if (encoded.status === "rejected") throw encoded.reason;
      send(encoded.value);
    });
    for (const key of wireKeys) this.#last.set(key, turn);
    return turn;
  }
}
