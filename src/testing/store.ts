import type { Clock } from "./clock.js";
import { type Draft, type Item, newItem } from "./item.js";
import { itemBytes, type SlabClasses } from "./slab.js";

/** How a value is to be put. `cas` stands for a set that compares. */
export type StoreMode = "set" | "add" | "replace" | "append" | "prepend" | "cas";

export type StoreResult = "stored" | "notStored" | "exists" | "notFound";

/** Why an item has no place. */
export type Shortage = "tooLarge" | "noMemory";

export interface StoreOptions {
  readonly clock: Clock;
  readonly memoryLimit: number;
  readonly itemSizeMax: number;
  /** Whether old items make place for new ones, or new ones are refused. */
  readonly evict: boolean;
  readonly cas: boolean;
  /** Whether a flush uses up a cas number. */
  readonly flushTakesCas: boolean;
  /** Whether storing takes its cas number before it is known to succeed, and they begin with 2. */
  readonly setCas: boolean;
  readonly slabs: SlabClasses;
}

/** What became of a key that was looked up. */
export type LookupStatus = "found" | "not_found" | "flushed" | "expired";

/** Who is told of the life of items: counters and watchers. */
export interface StoreObserver {
  /** Called for every look-up, but only while {@link Store.observeLookups} is set. */
  onLookup(key: string, status: LookupStatus, item: Item | undefined): void;
  onExpired(item: Item): void;
  onFlushed(item: Item): void;
  onReclaimed(item: Item): void;
  onEvicted(item: Item): void;
}

/** How many old items a new one looks at for space to reclaim. */
const RECLAIM_TRIES = 5;

/** How an item is stored beyond mode and draft. */
export interface StoreTerms {
  /** Store only if the item's cas is this; 0n compares nothing. */
  readonly compareCas?: bigint | undefined;
  /** An older `compareCas` stores the value as stale (`ms` with `I`). */
  readonly allowStale?: boolean | undefined;
  /** The cas that the item gets instead of the next number. */
  readonly setCas?: bigint | undefined;
  /** Append or prepend to a missing item makes it. */
  readonly vivify?: boolean | undefined;
}

/** Items by key, in the order of use, within a limit of memory. No protocol, no socket. */
export class Store {
  readonly #items = new Map<string, Item>();
  readonly #options: StoreOptions;
  readonly #observer: StoreObserver;
  readonly #clock: Clock;
  #newest: Item | undefined;
  #oldest: Item | undefined;
  #lastCas = 0n;
  /** Items last written up to this second are flushed, once it has come; 0 for none. */
  #flushAt = 0;
  #memory = 0;
  memoryLimit = 0;
  observeLookups = false;
  /** The items' bytes as `stats` counts them. */
  bytes = 0;
  totalItems = 0;
  /** The item that the last successful {@link put} stored. */
  stored: Item | undefined;

  constructor(options: StoreOptions, observer: StoreObserver) {
    this.#options = options;
    this.#observer = observer;
    this.#clock = options.clock;
    this.reset();
  }

  get size(): number {
    return this.#items.size;
  }

  get flushAt(): number {
    return this.#flushAt;
  }

  get oldest(): Item | undefined {
    return this.#oldest;
  }

  /** The items, most recently used first, expired ones included. */
  *items(): Generator<Item> {
    for (let item = this.#newest; item !== undefined; ) {
      const { older } = item;
      yield item;
      item = older;
    }
  }

  /** The next cas number. */
  nextCas(): bigint {
    if (!this.#options.cas) return 0n;
    this.#lastCas += 1n;
    return this.#lastCas;
  }

  /** A live item, without counting it as read. */
  peek(key: string): Item | undefined {
    const item = this.#items.get(key);
    if (item !== undefined && item.exptime === 0 && this.#flushAt === 0) {
      if (this.observeLookups) this.#observer.onLookup(key, "found", item);
      return item;
    }
    const status = item === undefined ? "not_found" : this.#statusOf(item);
    const live = status === "found" ? item : undefined;
    if (item !== undefined && live === undefined) this.#bury(item, status);
    if (this.observeLookups) this.#observer.onLookup(key, status, live);
    return live;
  }

  #statusOf(item: Item): LookupStatus {
    const now = this.#clock.now();
    if (this.#flushAt !== 0 && this.#flushAt <= now && item.time <= this.#flushAt) return "flushed";
    return item.exptime !== 0 && item.exptime <= now ? "expired" : "found";
  }

  #bury(item: Item, status: LookupStatus): void {
    this.#unlink(item);
    if (status === "flushed") this.#observer.onFlushed(item);
    else this.#observer.onExpired(item);
  }

  /** A live item, counted as read. */
  get(key: string): Item | undefined {
    const item = this.peek(key);
    if (item !== undefined) this.bump(item);
    return item;
  }

  /**
   * Counts a read. As in memcached the first one only marks the item as fetched; its
   * time of access moves from the second one on.
   */
  bump(item: Item): void {
    if (item.fetched) item.time = this.#clock.now();
    else item.fetched = true;
    this.#promote(item);
  }

  /** Makes room for an item of this size where something can be reclaimed, or says why there is none. */
  reserve(key: string, dataBytes: number, flags: number): Shortage | undefined {
    const { itemSizeMax, cas, evict, slabs } = this.#options;
    const bytes = itemBytes(key.length, dataBytes, flags, cas);
    if (bytes > itemSizeMax) return "tooLarge";
    this.#reclaim();
    const footprint = slabs.footprint(bytes);
    if (footprint > this.memoryLimit) return "noMemory";
    return !evict && this.#memory + footprint > this.memoryLimit ? "noMemory" : undefined;
  }

  /** Puts a value in one of memcached's modes. */
  put(mode: StoreMode, draft: Draft, given: StoreTerms = {}): StoreResult {
    const taken = this.#options.setCas ? (given.setCas ?? this.nextCas()) : given.setCas;
    const terms = { ...given, setCas: taken };
    const compare = this.#options.cas ? (terms.compareCas ?? 0n) : 0n;
    const old = this.peek(draft.key);
    this.stored = undefined;
    if (old === undefined) return this.#putNew(mode, draft, terms);
    const matches = compare === old.cas;
    switch (mode) {
      case "add":
        old.time = this.#clock.now();
        this.#promote(old);
        return "notStored";
      case "cas":
        if (compare !== 0n && matches) break;
        if (compare !== 0n && terms.allowStale === true && compare < old.cas) {
          return this.#putStale(old, draft, terms);
        }
        return "exists";
      case "append":
      case "prepend":
        if (compare !== 0n && !matches) return "exists";
        return this.#putJoined(mode, old, draft, terms);
    }
    this.#unlink(old);
    this.#link(newItem(draft), terms.setCas);
    return "stored";
  }

  #putNew(mode: StoreMode, draft: Draft, terms: StoreTerms): StoreResult {
    const joins = mode === "append" || mode === "prepend";
    if (mode === "cas") return "notFound";
    if (mode === "replace" || (joins && terms.vivify !== true)) return "notStored";
    this.#link(newItem(draft), terms.setCas);
    return "stored";
  }

  /** An older token's value: it keeps the item's time to live, and its marks. */
  #putStale(old: Item, draft: Draft, terms: StoreTerms): StoreResult {
    const item = newItem({ ...draft, exptime: old.exptime });
    item.stale = true;
    item.won = old.won;
    this.#unlink(old);
    this.#link(item, terms.setCas);
    return "stored";
  }

  #putJoined(mode: StoreMode, old: Item, draft: Draft, terms: StoreTerms): StoreResult {
    const { key, flags, exptime } = old;
    const bytes = old.data.length + draft.data.length;
    if (this.reserve(key, bytes, flags) !== undefined) return "notStored";
    const data = mode === "append" ? old.data + draft.data : draft.data + old.data;
    this.#unlink(old);
    this.#link(newItem({ key, data, flags, exptime }), terms.setCas);
    return "stored";
  }

  /**
   * Replaces the number in an item: padded with blanks in place if it is not longer, as
   * a new item if it is. The caller goes on with the old item even then, as in memcached:
   * what it changes there is lost.
   * @returns whether there is room
   */
  rewrite(item: Item, digits: string): boolean {
    if (digits.length <= item.data.length) {
      item.data = digits.padEnd(item.data.length, " ");
      item.cas = this.nextCas();
      item.time = this.#clock.now();
      return true;
    }
    const { key, flags, exptime } = item;
    if (this.reserve(key, digits.length, flags) !== undefined) return false;
    this.#unlink(item);
    this.#link(newItem({ key, data: digits, flags, exptime }), undefined);
    item.cas = this.stored?.cas ?? 0n;
    return true;
  }

  /** Takes an item out. */
  delete(item: Item): void {
    this.#unlink(item);
  }

  /**
   * Forgets everything that was written before now, or after a delay everything that
   * was written before that time. Items of an earlier second are found to be gone when
   * they are looked up; a later call replaces an earlier delay.
   */
  flush(at: number): void {
    const now = this.#clock.now();
    this.#flushAt = at - 1;
    if (this.#flushAt > now) return;
    if (this.#options.flushTakesCas) this.nextCas();
    for (const item of this.items()) if (item.time >= this.#flushAt) this.#unlink(item);
  }

  /** Takes all items out. */
  clear(): void {
    for (const item of this.items()) this.#unlink(item);
  }

  /** Forgets every item and number, as a new process would have. */
  reset(): void {
    this.#items.clear();
    this.#newest = undefined;
    this.#oldest = undefined;
    this.#lastCas = this.#options.setCas ? 1n : 0n;
    this.#flushAt = 0;
    this.#memory = 0;
    this.memoryLimit = this.#options.memoryLimit;
    this.bytes = 0;
  }

  /** Gives up old items until the memory limit holds. */
  shrink(): void {
    while (this.#memory > this.memoryLimit && this.#oldest !== undefined) {
      this.#evictOldest(this.#oldest);
    }
  }

  /** Whether an item would still be found. */
  isLive(item: Item): boolean {
    return this.#statusOf(item) === "found";
  }

  /** Takes out what would not be found, as the LRU crawler does; returns how many. */
  crawl(): number {
    let reclaimed = 0;
    for (const item of this.items()) {
      if (this.isLive(item)) continue;
      this.#unlink(item);
      reclaimed++;
    }
    return reclaimed;
  }

  /** Looks among the items that were used longest ago for some that are gone anyway. */
  #reclaim(): void {
    for (let tries = RECLAIM_TRIES; tries > 0; tries--) {
      const oldest = this.#oldest;
      if (oldest === undefined || this.isLive(oldest)) return;
      this.#unlink(oldest);
      this.#observer.onReclaimed(oldest);
    }
  }

  #link(item: Item, setCas: bigint | undefined): void {
    const { slabs, cas } = this.#options;
    item.bytes = itemBytes(item.key.length, item.data.length, item.flags, cas);
    item.footprint = slabs.footprint(item.bytes);
    item.slabClass = slabs.classOf(item.bytes);
    item.time = this.#clock.now();
    item.cas = setCas ?? this.nextCas();
    this.#memory += item.footprint;
    this.bytes += item.bytes;
    this.totalItems++;
    this.shrink();
    this.#items.set(item.key, item);
    this.#append(item);
    this.stored = item;
  }

  #evictOldest(item: Item): void {
    this.#unlink(item);
    this.#observer.onEvicted(item);
  }

  #unlink(item: Item): void {
    this.#items.delete(item.key);
    this.#memory -= item.footprint;
    this.bytes -= item.bytes;
    this.#detach(item);
  }

  #promote(item: Item): void {
    if (item === this.#newest) return;
    this.#detach(item);
    this.#append(item);
  }

  #append(item: Item): void {
    item.older = this.#newest;
    item.newer = undefined;
    if (this.#newest === undefined) this.#oldest = item;
    else this.#newest.newer = item;
    this.#newest = item;
  }

  #detach(item: Item): void {
    if (item.newer === undefined) this.#newest = item.older;
    else item.newer.older = item.older;
    if (item.older === undefined) this.#oldest = item.newer;
    else item.older.newer = item.newer;
    item.newer = undefined;
    item.older = undefined;
  }
}
