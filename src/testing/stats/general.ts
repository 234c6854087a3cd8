import type { Instance } from "../instance.js";
import type { Entry } from "./entry.js";

/** `stats`: the server as a whole. What an embedded server does not have is 0, as in an idle one. */
export function generalStats(instance: Instance): Entry[] {
  return [
    ...processStats(instance),
    ...connectionStats(instance),
    ...commandStats(instance),
    ...trafficStats(instance),
    ...backgroundStats(instance),
    ...itemStats(instance),
  ];
}

function processStats({ clock, epoch, settings }: Instance): Entry[] {
  const { user, system } = process.cpuUsage();
  return [
    ["pid", process.pid],
    ["uptime", clock.now() - epoch - 60],
    ["time", clock.now()],
    ["version", settings.release.version],
    ["libevent", "2.1.12-stable"],
    ["pointer_size", 64],
    ["rusage_user", (user / 1e6).toFixed(6)],
    ["rusage_system", (system / 1e6).toFixed(6)],
  ];
}

function connectionStats({ settings, counters, sessions }: Instance): Entry[] {
  return [
    ["max_connections", settings.maxConnections],
    ["curr_connections", sessions.size],
    ["total_connections", counters.totals.total_connections],
    ["rejected_connections", counters.totals.rejected_connections],
    ["connection_structures", sessions.size + 1],
    ["response_obj_oom", 0],
    ["response_obj_count", sessions.size],
    ["response_obj_bytes", sessions.size * 16384],
    ["read_buf_count", sessions.size],
    ["read_buf_bytes", sessions.size * 16384],
    ["read_buf_bytes_free", 0],
    ["read_buf_oom", 0],
    ["reserved_fds", 20],
  ];
}

const COMMANDS = [
  "cmd_get",
  "cmd_set",
  "cmd_flush",
  "cmd_touch",
  "cmd_meta",
  "get_hits",
  "get_misses",
  "get_expired",
  "get_flushed",
  "delete_misses",
  "delete_hits",
  "incr_misses",
  "incr_hits",
  "decr_misses",
  "decr_hits",
  "cas_misses",
  "cas_hits",
  "cas_badval",
  "touch_hits",
  "touch_misses",
  "store_too_large",
  "store_no_memory",
  "auth_cmds",
  "auth_errors",
] as const;

function commandStats({ counters, settings }: Instance): Entry[] {
  const names = settings.idleTimeout > 0 ? [...COMMANDS, "idle_kicks" as const] : COMMANDS;
  return names.map((name) => [name, counters.count(name)]);
}

function trafficStats({ store, counters, accepting }: Instance): Entry[] {
  return [
    ["bytes_read", counters.totals.bytes_read],
    ["bytes_written", counters.totals.bytes_written],
    ["limit_maxbytes", store.memoryLimit],
    ["accepting_conns", accepting ? 1 : 0],
    ["listen_disabled_num", 0],
    ["time_in_listen_disabled_us", 0],
    ["threads", 4],
    ["conn_yields", counters.totals.conn_yields],
    ["hash_power_level", 16],
    ["hash_bytes", 524288],
    ["hash_is_expanding", 0],
  ];
}

function backgroundStats({ counters, settings, watch }: Instance): Entry[] {
  const moves: Entry[] = settings.release.strictParser
    ? [
        ["slab_reassign_busy_items", 0],
        ["slab_reassign_busy_deletes", 0],
        ["slab_reassign_busy_nomem", 0],
        ["slab_reassign_last_busy_status", "none"],
      ]
    : [
        ["slab_reassign_busy_items", 0],
        ["slab_reassign_busy_deletes", 0],
      ];
  return [
    ["slab_reassign_rescues", 0],
    ["slab_reassign_chunk_rescues", 0],
    ...(settings.release.strictParser ? [] : [["slab_reassign_evictions_nomem", 0] as const]),
    ["slab_reassign_inline_reclaim", 0],
    ...moves,
    ["slab_reassign_running", 0],
    ["slabs_moved", 0],
    ["lru_crawler_running", 0],
    ["lru_crawler_starts", counters.totals.lru_crawler_starts],
    ["lru_maintainer_juggles", 0],
    ["malloc_fails", 0],
    ["log_worker_dropped", 0],
    ["log_worker_written", watch.sent + watch.skipped],
    ["log_watcher_skipped", watch.skipped],
    ["log_watcher_sent", watch.sent],
    ["log_watchers", watch.size],
    ["unexpected_napi_ids", 0],
    ["round_robin_fallback", 0],
  ];
}

function itemStats({ store, counters }: Instance): Entry[] {
  return [
    ["bytes", store.bytes],
    ["curr_items", store.size],
    ["total_items", store.totalItems],
    ["slab_global_page_pool", 0],
    ["expired_unfetched", counters.count("expired_unfetched")],
    ["evicted_unfetched", counters.count("evicted_unfetched")],
    ["evicted_active", counters.count("evicted_active")],
    ["evictions", counters.count("evicted")],
    ["reclaimed", counters.count("reclaimed")],
    ["crawler_reclaimed", counters.count("crawler_reclaimed")],
    ["crawler_items_checked", 0],
    ["lrutail_reflocked", 0],
    ["moves_to_cold", 0],
    ["moves_to_warm", 0],
    ["moves_within_lru", 0],
    ["direct_reclaims", 0],
    ["lru_bumps_dropped", 0],
  ];
}
