/** What `stats` counts, by the names that it shows. */
const ZERO = {
  total_connections: 0,
  rejected_connections: 0,
  connection_structures: 0,
  cmd_get: 0,
  cmd_set: 0,
  cmd_flush: 0,
  cmd_touch: 0,
  cmd_meta: 0,
  get_hits: 0,
  get_misses: 0,
  get_expired: 0,
  get_flushed: 0,
  delete_misses: 0,
  delete_hits: 0,
  incr_misses: 0,
  incr_hits: 0,
  decr_misses: 0,
  decr_hits: 0,
  cas_misses: 0,
  cas_hits: 0,
  cas_badval: 0,
  touch_hits: 0,
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
  log_worker_written: 0,
  log_watcher_sent: 0,
  expired_unfetched: 0,
  evicted_unfetched: 0,
  evictions: 0,
  reclaimed: 0,
  crawler_reclaimed: 0,
};

export type Counters = { -readonly [Name in keyof typeof ZERO]: number };

export function newCounters(): Counters {
  return { ...ZERO };
}

/** Sets everything back to zero, as `stats reset` does. */
export function resetCounters(counters: Counters): void {
  Object.assign(counters, ZERO);
}
