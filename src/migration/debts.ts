import type { CallOptions } from "../client/calls/options.js";
import type { Key } from "../protocol/key.js";
import { timers } from "../util/timers.js";

/** More keys than these are not kept. */
const MAX_DEBTS = 10_000;

const PAUSE_MS = 1000;

/** How many are tried at once. */
const BATCH = 100;

interface Debt {
  readonly key: Key;
  readonly place: CallOptions;
}

/**
 * Keys that a cluster could not be told to delete: it is told again each second, until it
 * has heard. The timer does not keep the process alive.
 */
export class Debts {
  /** Whether there were more than can be kept, so that any key might be one of them. */
  overflowed = false;
  readonly #debts = new Map<string, Debt>();
  readonly #pay: (debt: Debt) => Promise<void>;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(pay: (debt: Debt) => Promise<void>) {
    this.#pay = pay;
  }

  get size(): number {
    return this.#debts.size;
  }

  has(wireKey: string): boolean {
    return this.overflowed || this.#debts.has(wireKey);
  }

  add(wireKey: string, debt: Debt): void {
    if (this.#debts.size >= MAX_DEBTS && !this.#debts.has(wireKey)) this.overflowed = true;
    else this.#debts.set(wireKey, debt);
    this.#plan();
  }

  /** The cluster has heard. */
  settle(wireKey: string): void {
    if (this.#debts.size > 0) this.#debts.delete(wireKey);
  }

  stop(): void {
    this.#stopped = true;
    timers.clearTimeout(this.#timer);
    this.#debts.clear();
  }

  #plan(): void {
    if (this.#stopped || this.#timer !== undefined || this.#debts.size === 0) return;
    this.#timer = timers.setTimeout(() => void this.#payAll(), PAUSE_MS).unref();
  }

  async #payAll(): Promise<void> {
    const due = [...this.#debts];
    for (let at = 0; at < due.length; at += BATCH) {
      const batch = due.slice(at, at + BATCH).map(async ([wireKey, debt]) => {
        await this.#pay(debt);
        if (this.#debts.get(wireKey) === debt) this.#debts.delete(wireKey);
      });
      const ends = await Promise.allSettled(batch);
      if (ends.every(({ status }) => status === "rejected")) break;
    }
    this.#timer = undefined;
    this.#plan();
  }
}
