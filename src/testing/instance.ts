import { MAX_RELATIVE_SECONDS } from "../protocol/exptime.js";
import { Clock } from "./clock.js";
import { type Counters, newCounters } from "./counters.js";
import type { Draft, Item } from "./item.js";
import { LOOSE } from "./numeral.js";
import { resolveSettings, type ServerOptions, type Settings } from "./settings.js";
import { SlabClasses } from "./slab.js";
import {
  type Shortage,
  Store,
  type StoreMode,
  type StoreResult,
  type StoreTerms,
} from "./store.js";

/** memcached dates its own start back, so that its times are never 0. */
const STARTED_EARLIER = 62;

/** What arithmetic came to. */
export type Sum =
  | { readonly kind: "number"; readonly digits: string; readonly item: Item }
  | { readonly kind: "notFound" | "notNumeric" | "exists" };

/** What all connections of one running server share, and no socket. */
export class Instance {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly slabs: SlabClasses;
  readonly store: Store;
  readonly counters: Counters = newCounters();
  /** The second that counts as 0 in memcached's own reckoning. */
  epoch: number;

  constructor(options: ServerOptions) {
    const settings = resolveSettings(options);
    this.settings = settings;
    this.clock = options.clock ?? new Clock();
    this.slabs = new SlabClasses(settings.growthFactor, settings.chunkSize);
    this.epoch = this.clock.now() - STARTED_EARLIER;
    this.store = new Store(
      { ...settings, clock: this.clock, slabs: this.slabs },
      {
        onEvicted: (item) => {
          this.counters.evictions++;
          if (!item.fetched) this.counters.evicted_unfetched++;
        },
        onExpired: () => {
          this.counters.get_expired++;
        },
        onFlushed: () => {
          this.counters.get_flushed++;
        },
      },
    );
  }

  /**
   * The Unix second that a signed 32-bit exptime means: 0 for never, and for a
   * negative one or a date before the start a time that has passed.
   */
  expiry(exptime: number): number {
    if (exptime === 0) return 0;
    if (exptime < 0) return this.epoch + 1;
    if (exptime <= MAX_RELATIVE_SECONDS) return this.clock.now() + exptime;
    return exptime <= this.epoch ? this.epoch + 1 : exptime;
  }

  /** Reads an item, counted as a hit or a miss; with an exptime it is also touched. */
  read(key: string, exptime?: number): Item | undefined {
    const { counters, store } = this;
    const item = store.get(key);
    if (exptime === undefined) {
      counters.cmd_get++;
      if (item === undefined) counters.get_misses++;
      else counters.get_hits++;
      return item;
    }
    counters.cmd_touch++;
    if (item === undefined) {
      counters.touch_misses++;
    } else {
      counters.touch_hits++;
      item.exptime = exptime;
    }
    return item;
  }

  /**
   * Whether there is room for an item, said before its data has come. A value that
   * cannot be stored drops an old one, so that nobody reads what was meant to be replaced.
   */
  admit(drop: boolean, key: string, dataBytes: number, flags: number): Shortage | undefined {
    const { store, counters } = this;
    const shortage = store.shortage(key, dataBytes, flags);
    if (shortage === undefined) return undefined;
    if (shortage === "tooLarge") counters.store_too_large++;
    else counters.store_no_memory++;
    const old = drop ? store.peek(key) : undefined;
    if (old !== undefined) store.delete(old);
    return shortage;
  }

  write(mode: StoreMode, draft: Draft, terms: StoreTerms): StoreResult {
    const { counters } = this;
    const result = this.store.put(mode, draft, terms);
    counters.cmd_set++;
    if (mode === "cas") {
      if (result === "stored") counters.cas_hits++;
      else if (result === "exists") counters.cas_badval++;
      else counters.cas_misses++;
    }
    return result;
  }

  /** Changes a number. `compareCas` 0n compares nothing. */
  add(mode: "incr" | "decr", key: string, delta: bigint, compareCas = 0n): Sum {
    const { counters } = this;
    const item = this.store.peek(key);
    if (item === undefined) {
      counters[`${mode}_misses`]++;
      return { kind: "notFound" };
    }
    if (item.data === "") return { kind: "notNumeric" };
    if (compareCas !== 0n && compareCas !== item.cas) return { kind: "exists" };
    const old = LOOSE.uint64(item.data);
    if (old === undefined) return { kind: "notNumeric" };
    counters[`${mode}_hits`]++;
    const sum = mode === "incr" ? BigInt.asUintN(64, old + delta) : old > delta ? old - delta : 0n;
    const digits = String(sum);
    this.store.rewrite(item, digits);
    return { kind: "number", digits, item };
  }

  remove(key: string, compareCas = 0n): "deleted" | "notFound" | "exists" {
    const { counters } = this;
    const item = this.store.peek(key);
    if (item === undefined || (compareCas !== 0n && compareCas !== item.cas)) {
      counters.delete_misses++;
      return item === undefined ? "notFound" : "exists";
    }
    counters.delete_hits++;
    this.store.delete(item);
    return "deleted";
  }

  /** Forgets all items, now or in so many seconds. */
  flush(seconds: number): void {
    this.store.flush(seconds > 0 ? this.expiry(seconds) : this.clock.now());
  }

  /** Everything forgotten, as after a restart of the process. */
  restart(): void {
    this.store.reset();
    Object.assign(this.counters, newCounters());
    this.epoch = this.clock.now() - STARTED_EARLIER;
  }
}
