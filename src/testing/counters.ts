/** What `stats` counts over all items, by the names that it shows. */
const TOTALS = {
  total_connections: 0,
  rejected_connections: 0,
  cmd_flush: 0,
  cmd_get: 0,
  cmd_touch: 0,
  cmd_meta: 0,
  get_misses: 0,
  get_expired: 0,
  get_flushed: 0,
  delete_misses: 0,
  incr_misses: 0,
  decr_misses: 0,
  cas_misses: 0,
  touch_misses: 0,
  store_too_large: 0,
  store_no_memory: 0,
  auth_cmds: 0,
  auth_errors: 0,
  idle_kicks: 0,
  bytes_read: 0,
  bytes_written: 0,
  conn_yields: 0,
  lru_crawler_starts: 0,
  crawler_reclaimed: 0,
};

/** What it counts for each slab class. */
const CLASS_TOTALS = {
  get_hits: 0,
  cmd_set: 0,
  delete_hits: 0,
  incr_hits: 0,
  decr_hits: 0,
  cas_hits: 0,
  cas_badval: 0,
  touch_hits: 0,
  evicted: 0,
  evicted_nonzero: 0,
  evicted_unfetched: 0,
  evicted_active: 0,
  evicted_time: 0,
  outofmemory: 0,
  reclaimed: 0,
  expired_unfetched: 0,
};

export type Totals = { -readonly [Name in keyof typeof TOTALS]: number };
export type ClassTotals = { -readonly [Name in keyof typeof CLASS_TOTALS]: number };

export class Counters {
  readonly totals: Totals = { ...TOTALS };
  readonly #classes: ClassTotals[] = [];

  /** The counters of one slab class. */
  of(slabClass: number): ClassTotals {
    return (this.#classes[slabClass] ??= { ...CLASS_TOTALS });
  }

  /** A counter by its name, summed over the classes if each has its own. */
  count(name: keyof Totals | keyof ClassTotals): number {
    if (name in this.totals) return this.totals[name as keyof Totals];
    let sum = 0;
    this.#classes.forEach((counted) => {
      sum += counted[name as keyof ClassTotals];
    });
    return sum;
  }

  /** Sets everything back to zero, as `stats reset` does. */
  reset(): void {
    Object.assign(this.totals, TOTALS);
    this.#classes.length = 0;
  }
}
