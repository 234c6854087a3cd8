import type { Instance } from "../instance.js";
import { type Entry, yesNo } from "./entry.js";

const PROTOCOLS = { auto: "auto-negotiate", ascii: "ascii", binary: "binary" } as const;

/** `stats settings`: what the server was started with. */
export function settingsStats(instance: Instance): Entry[] {
  return [
    ...listenStats(instance),
    ...limitStats(instance),
    ...tuningStats(instance),
    ...STORAGE_STATS,
    ...tlsStats(instance),
  ];
}

function listenStats({ settings, store, place }: Instance): Entry[] {
  return [
    ["maxbytes", store.memoryLimit],
    ["maxconns", settings.maxConnections],
    ["tcpport", place.port],
    ["udpport", place.udpPort],
    ["inter", place.host ?? "NULL"],
    ["verbosity", settings.verbosity],
    ["oldest", store.flushAt],
    ["evictions", settings.evict ? "on" : "off"],
    ["domain_socket", place.path ?? "NULL"],
    ["umask", "700"],
    ["shutdown_command", yesNo(settings.shutdown)],
  ];
}

function limitStats({ settings, prefixes }: Instance): Entry[] {
  return [
    ["growth_factor", settings.growthFactor.toFixed(2)],
    ["chunk_size", settings.chunkSize],
    ["num_threads", 4],
    ["num_threads_per_udp", 4],
    ["stat_key_prefix", settings.prefixDelimiter],
    ["detail_enabled", yesNo(prefixes.enabled)],
    ["reqs_per_event", settings.requestsPerEvent],
    ["cas_enabled", yesNo(settings.cas)],
    ["tcp_backlog", settings.backlog],
    ["binding_protocol", PROTOCOLS[settings.protocol]],
    ["auth_enabled_sasl", yesNo(settings.sasl !== undefined)],
    ["auth_enabled_ascii", yesNo(settings.asciiAuth !== undefined)],
    ["item_size_max", settings.itemSizeMax],
    ["maxconns_fast", "yes"],
    ["hashpower_init", 0],
    ["slab_reassign", "yes"],
    ["slab_automove", settings.slabAutomove],
    ["slab_automove_ratio", "0.80"],
    ["slab_automove_window", settings.release.strictParser ? 10 : 30],
    ["slab_chunk_max", 524288],
  ];
}

function tuningStats({ settings, sizesFrom }: Instance): Entry[] {
  return [
    ["lru_crawler", "yes"],
    ["lru_crawler_sleep", 100],
    ["lru_crawler_tocrawl", 0],
    ["tail_repair_time", 0],
    ["flush_enabled", yesNo(settings.flushAll)],
    ["dump_enabled", yesNo(settings.dump)],
    ["hash_algorithm", "murmur3"],
    ["lru_maintainer_thread", "yes"],
    ["lru_segmented", yesNo(settings.lruSegmented)],
    ["hot_lru_pct", settings.hotPercent],
    ["warm_lru_pct", settings.warmPercent],
    ["hot_max_factor", settings.hotFactor.toFixed(2)],
    ["warm_max_factor", settings.warmFactor.toFixed(2)],
    ["temp_lru", yesNo(settings.temporaryTtl >= 0)],
    ["temporary_ttl", settings.temporaryTtl >= 0 ? settings.temporaryTtl : 61],
    ["idle_timeout", settings.idleTimeout],
    ["watcher_logbuf_size", 262144],
    ["worker_logbuf_size", 65536],
    ["read_buf_mem_limit", 0],
    ["track_sizes", yesNo(sizesFrom !== undefined)],
    ["inline_ascii_response", "no"],
  ];
}

/** External storage, which is compiled in and not used. */
const STORAGE_STATS: readonly Entry[] = [
  ["ext_item_size", 512],
  ["ext_item_age", 4294967295],
  ["ext_low_ttl", 0],
  ["ext_recache_rate", 2000],
  ["ext_wbuf_size", 4194304],
  ["ext_compact_under", 0],
  ["ext_drop_under", 0],
  ["ext_max_sleep", 1000000],
  ["ext_max_frag", "0.80"],
  ["slab_automove_freeratio", "0.010"],
  ["ext_drop_unread", "no"],
];

function tlsStats({ settings }: Instance): Entry[] {
  const { tls, release } = settings;
  return [
    ["ssl_enabled", yesNo(tls !== undefined)],
    ["ssl_chain_cert", "(null)"],
    ["ssl_key", "(null)"],
    ["ssl_verify_mode", tls?.requestCert === true ? 2 : 0],
    ["ssl_keyformat", 1],
    ["ssl_ciphers", tls?.ciphers ?? "NULL"],
    ["ssl_ca_cert", "NULL"],
    ["ssl_wbuf_size", 16384],
    ["ssl_session_cache", "no"],
    ["ssl_kernel_tls", "no"],
    ["ssl_min_version", (tls?.minVersion ?? "TLSv1.2").toLowerCase()],
    ["num_napi_ids", release.strictParser ? 0 : "(null)"],
    ["memory_file", "(null)"],
    ...(release.strictParser ? [["client_flags_size", 4] as const] : []),
  ];
}
