import { type Client, MemcachedError } from "tslibmc";
import type { History, Reading } from "./history.js";

/** A call that was settled. */
export interface Settled {
  readonly began: number;
  readonly ended: number;
  /** Whether one of its keys is at home on the server that suffers. */
  readonly affected: boolean;
  /** What it rejected with. */
  readonly error: unknown;
  /** Whether it stored a value. */
  readonly stored: boolean;
}

/** An old value that was given out. */
export interface Stale {
  readonly reading: Reading;
  readonly affected: boolean;
}

/** What became of every call of one client. */
export class Ledger {
  readonly calls: Settled[] = [];
  readonly stale: Stale[] = [];
  readonly health: { readonly at: number; readonly server: string; readonly state: string }[] = [];
  wrong = 0;
  hits = 0;
  misses = 0;
  untyped = 0;
  outstanding = 0;
  readonly #history: History;
  readonly #isAffected: (key: string) => boolean;

  constructor(client: Client, history: History, isAffected: (key: string) => boolean) {
    this.#history = history;
    this.#isAffected = isAffected;
    client.on("health", ({ server, state }) =>
      this.health.push({ at: performance.now(), server, state }),
    );
  }

  /** Keeps account of a call; what it resolves or rejects with is `read`. */
  async watch<T>(
    keys: readonly string[],
    call: Promise<T>,
    read: (result: T | undefined, error: unknown) => void,
  ): Promise<void> {
    const began = performance.now();
    this.outstanding++;
    let result: T | undefined;
    let error: unknown;
    try {
      result = await call;
    } catch (reason) {
      error = reason;
      if (!(reason instanceof MemcachedError)) this.untyped++;
    }
    this.outstanding--;
    const affected = keys.some(this.#isAffected);
    this.calls.push({ began, ended: performance.now(), affected, error, stored: result === true });
    read(result, error);
  }

  /** Judges a value that was read. */
  saw(reading: Reading, value: unknown): void {
    if (value === undefined) {
      this.misses++;
      return;
    }
    this.hits++;
    const judgement = this.#history.judge(reading, value);
    if (judgement === "wrong") {
      this.wrong++;
      console.error(`${reading.key} held ${String(value).slice(0, 100)}`);
    } else if (judgement === "stale") {
      this.stale.push({ reading, affected: this.#isAffected(reading.key) });
    }
  }
}
