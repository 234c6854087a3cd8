import { OptionError } from "../errors.js";
import { MAX_RELATIVE_SECONDS } from "../protocol/exptime.js";
import { show } from "../util/show.js";
import { Clock } from "./clock.js";
import { Configurations } from "./cluster.js";
import { Counters } from "./counters.js";
import type { Draft, Item } from "./item.js";
import { Prefixes } from "./prefixes.js";
import { INITIAL_TUNING, resolveSettings, type ServerOptions, type Settings } from "./settings.js";
import { itemBytes, SlabClasses } from "./slab.js";
import {
  type Shortage,
  Store,
  type StoreMode,
  type StoreResult,
  type StoreTerms,
} from "./store.js";
import { Watch } from "./watch.js";

/** memcached dates its own start back, so that its times are never 0. */
const STARTED_EARLIER = 62;

/** What watchers are told of a store. */
const STATUS: Readonly<Record<StoreResult, string>> = {
  stored: "stored",
  notStored: "not_stored",
  exists: "exists",
  notFound: "not_found",
};

/** Where a server listens, for `stats`. */
export interface Place {
  host: string | undefined;
  port: number;
  udpPort: number;
  path: string | undefined;
}

/** A client that is connected, for `stats conns`. */
export interface Peer {
  readonly id: number;
  /** Its transport and address. */
  readonly peer: string;
  /** Whether nothing of it is being carried out. */
  readonly idle: boolean;
  /** The second of its last command. */
  readonly lastCommand: number;
}

/** What arithmetic came to. */
export type Sum =
  | { readonly kind: "number"; readonly digits: string; readonly item: Item }
  | { readonly kind: "notFound" | "notNumeric" | "exists" | "noMemory" };

/** What all connections of one running server share, and no socket. */
export class Instance {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly slabs: SlabClasses;
  readonly store: Store;
  readonly counters: Counters = new Counters();
  readonly prefixes: Prefixes;
  readonly watch: Watch = new Watch();
  readonly sessions: Set<Peer> = new Set();
  readonly place: Place = { host: undefined, port: 0, udpPort: 0, path: undefined };
  accepting = true;
  /** What `config get` answers from; undefined on a server that is not a discovery endpoint. */
  configurations: Configurations | undefined;
  /** Sizes are tracked for items with this cas or a later one; undefined for none. */
  sizesFrom: bigint | undefined;
  /** Set by the server: what the command `shutdown` does. */
  onShutdown: () => void = () => {};
  /** The second that counts as 0 in memcached's own reckoning. */
  epoch = 0;
  /** Whether `stats detail` counts from the start. */
  readonly #detailed: boolean;

  constructor(options: ServerOptions) {
    const settings = resolveSettings(options);
    if (options.cluster !== undefined) this.announce(options.cluster);
    this.settings = settings;
    this.clock = options.clock ?? new Clock();
    if (typeof this.clock.now !== "function") {
      throw new OptionError(`clock must be a Clock, not ${show(options.clock)}`);
    }
    this.slabs = new SlabClasses(settings.growthFactor, settings.chunkSize);
    this.prefixes = new Prefixes(settings.prefixDelimiter);
    this.#detailed = options.prefixDelimiter !== undefined;
    this.store = new Store(
      { ...settings, ...settings.release, clock: this.clock, slabs: this.slabs },
      {
        onLookup: (key, status, item) => this.watch.lookedUp(key, status, item),
        onExpired: () => {
          this.counters.totals.get_expired++;
        },
        onFlushed: () => {
          this.counters.totals.get_flushed++;
        },
        onReclaimed: (item) => this.#reclaimed(item),
        onEvicted: (item) => this.#evicted(item),
      },
    );
    this.restart();
  }

  /** Makes these the cluster's servers, for `config get cluster`. */
  announce(servers: readonly string[]): void {
    this.configurations ??= new Configurations();
    this.configurations.announce(servers);
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
    const { totals } = counters;
    const item = store.get(key);
    if (exptime === undefined) {
      totals.cmd_get++;
      if (item === undefined) totals.get_misses++;
      else counters.of(item.slabClass).get_hits++;
      return item;
    }
    totals.cmd_touch++;
    if (item === undefined) {
      totals.touch_misses++;
      return undefined;
    }
    counters.of(item.slabClass).touch_hits++;
    item.exptime = exptime;
    return item;
  }

  /**
   * Whether there is room for an item, said before its data has come. A value that
   * cannot be stored drops an old one, so that nobody reads what was meant to be replaced.
   */
  admit(mode: StoreMode, drop: boolean, draft: Draft, dataBytes: number): Shortage | undefined {
    const { store, counters, watch } = this;
    const { key, flags } = draft;
    const shortage = store.reserve(key, dataBytes, flags);
    if (shortage === undefined) return undefined;
    if (shortage === "tooLarge") counters.totals.store_too_large++;
    else counters.totals.store_no_memory++;
    watch.stored(key, shortage === "tooLarge" ? "too_large" : "no_memory", mode, 0, 0, 0);
    const old = drop ? store.peek(key) : undefined;
    if (old !== undefined) store.delete(old);
    return shortage;
  }

  /** Stores a value. */
  write(mode: StoreMode, draft: Draft, terms: StoreTerms): StoreResult {
    const { store, counters } = this;
    const result = store.put(mode, draft, terms);
    const counted = counters.of(this.#classOf(draft));
    counted.cmd_set++;
    if (mode === "cas") {
      if (result === "stored") counted.cas_hits++;
      else if (result === "exists") counted.cas_badval++;
      else counters.totals.cas_misses++;
    }
    this.#show(mode, draft, result);
    return result;
  }

  /** Makes an item for a number that was missed, which counts as no set. */
  make(draft: Draft, setCas?: bigint): Item {
    this.#show("add", draft, this.store.put("add", draft, { setCas }));
    return this.store.stored!;
  }

  #show(mode: StoreMode, draft: Draft, result: StoreResult): void {
    const { store, watch } = this;
    if (watch.size === 0) return;
    const ttl = draft.exptime === 0 ? 0 : draft.exptime - this.clock.now();
    const { slabClass, data } = store.stored ?? { ...draft, slabClass: this.#classOf(draft) };
    watch.stored(draft.key, STATUS[result], mode, ttl, slabClass, data.length);
  }

  /** The slab class of what was not stored. */
  #classOf({ key, data, flags }: Draft): number {
    return this.slabs.classOf(itemBytes(key.length, data.length, flags, this.settings.cas));
  }

  /**
   * Changes a number. `compareCas` 0n compares nothing. What is missing counts as a miss
   * unless the caller `makes` it.
   */
  add(mode: "incr" | "decr", key: string, delta: bigint, compareCas = 0n, makes = false): Sum {
    const { counters, store } = this;
    const item = store.peek(key);
    if (item === undefined) {
      if (!makes) counters.totals[`${mode}_misses`]++;
      return { kind: "notFound" };
    }
    if (item.data === "") return { kind: "notNumeric" };
    if (compareCas !== 0n && compareCas !== item.cas) return { kind: "exists" };
    const old = this.settings.release.numerals.stored(item.data);
    if (old === undefined) return { kind: "notNumeric" };
    counters.of(item.slabClass)[`${mode}_hits`]++;
    const sum = mode === "incr" ? BigInt.asUintN(64, old + delta) : old > delta ? old - delta : 0n;
    const digits = String(sum);
    return store.rewrite(item, digits) ? { kind: "number", digits, item } : { kind: "noMemory" };
  }

  /** Deletes an item. `compareCas` 0n compares nothing. */
  remove(key: string, compareCas = 0n): "deleted" | "notFound" | "exists" {
    const { counters, store, watch } = this;
    const item = store.peek(key);
    if (item === undefined) {
      counters.totals.delete_misses++;
      return "notFound";
    }
    if (compareCas !== 0n && compareCas !== item.cas) return "exists";
    counters.of(item.slabClass).delete_hits++;
    watch.deleted(item, "delete");
    store.delete(item);
    return "deleted";
  }

  /** Forgets all items, now or in `seconds` seconds. */
  flush(seconds: number): void {
    this.counters.totals.cmd_flush++;
    this.store.flush(seconds > 0 ? this.expiry(seconds) : this.clock.now());
  }

  resetStats(): void {
    this.counters.reset();
    this.prefixes.reset();
    this.store.totalItems = 0;
    this.watch.sent = 0;
    this.watch.skipped = 0;
  }

  /** Begins as a new process does: empty, and as the options say. */
  restart(): void {
    const { settings } = this;
    Object.assign(settings, INITIAL_TUNING);
    this.store.reset();
    this.resetStats();
    this.prefixes.enabled = this.#detailed;
    this.sizesFrom = settings.trackSizes ? 0n : undefined;
    this.epoch = this.clock.now() - STARTED_EARLIER;
  }

  #reclaimed({ slabClass, fetched }: Item): void {
    const counted = this.counters.of(slabClass);
    counted.reclaimed++;
    if (!fetched) counted.expired_unfetched++;
  }

  #evicted(item: Item): void {
    if (!this.store.isLive(item)) {
      this.#reclaimed(item);
      return;
    }
    const now = this.clock.now();
    const counted = this.counters.of(item.slabClass);
    counted.evicted++;
    counted.evicted_time = now - item.time;
    if (item.exptime !== 0) counted.evicted_nonzero++;
    if (!item.fetched) counted.evicted_unfetched++;
    this.watch.evicted(item, now);
  }
}
