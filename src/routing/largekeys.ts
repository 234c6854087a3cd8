import type { Executor } from "../operation.js";

/** Where the operations on a key go whose value is large. */
export interface Home {
  readonly lane: Executor;
  /** Whether all that was sent elsewhere before is known to be carried out. */
  isReady: boolean;
  /** How often operations went elsewhere again, since there was no connection here. */
  returns: number;
  /** Operations that wait until that is known. */
  waiting: number;
}

/**
 * Which keys have large values: at least `limit` of them, and not many more. Those that were
 * used least recently are forgotten, once all that was sent for them is carried out.
 *
 * ```
 *              add, get                     full, and the old are at rest
 *      ─────────────────────▶  young  ────────────────────────────────────▶  old  ───▶ forgotten
 *                                ▲                                            │
 *                                └────────────────────────────────────────────┘
 *                                                    get
 * ```
 */
export class LargeKeys {
  readonly #limit: number;
  readonly #whenAtRest: (done: (isAtRest: boolean) => void) => void;
  #young: Map<string, Home> = new Map();
  #old: Map<string, Home> = new Map();
  /** Whether nothing that was sent for the old keys is under way any more. */
  #isAtRest = true;
  #asks = false;

  /**
   * @param limit - how many keys are kept at least
   * @param whenAtRest - finds out whether what was sent on every lane is carried out
   */
  constructor(limit: number, whenAtRest: (done: (isAtRest: boolean) => void) => void) {
    this.#limit = limit;
    this.#whenAtRest = whenAtRest;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): Home | undefined {
    const home = this.#young.get(key);
    if (home !== undefined || this.#old.size === 0) return home;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#young.set(key, old);
    return old;
  }

  add(key: string, home: Home): void {
    this.#young.set(key, home);
    if (this.#young.size < this.#limit) return;
    if (this.#isAtRest) this.#age();
    else this.#ask();
  }

  /** The young become the old ones, but for those that somebody waits for. */
  #age(): void {
    const waiting = [...this.#young].filter(([, home]) => home.waiting > 0);
    this.#old = this.#young;
    this.#young = new Map(waiting);
    for (const [key] of waiting) this.#old.delete(key);
    this.#isAtRest = false;
    this.#ask();
  }

  #ask(): void {
    if (this.#asks) return;
    this.#asks = true;
    this.#whenAtRest((isAtRest) => {
      this.#asks = false;
      this.#isAtRest = isAtRest;
    });
  }
}
