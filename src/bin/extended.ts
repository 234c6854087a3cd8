import { OptionError } from "../errors.js";
import type { MemcachedServerOptions, ServerTls } from "../testing/index.js";
import { contents } from "./file.js";

interface Extended {
  readonly server: MemcachedServerOptions;
  readonly tls: ServerTls;
}

/** Tuning of threads, tables and pages that an embedded server does not have: taken, without effect. */
const WITHOUT_EFFECT =
  /^(no_)?(maxconns_fast|hashpower|hash_algorithm|tail_repair_time|lru_crawler|lru_crawler_sleep|lru_crawler_tocrawl|read_buf_mem_limit|lru_maintainer|hot_lru_pct|warm_lru_pct|hot_max_factor|warm_max_factor|temporary_ttl|slab_reassign|slab_automove|slab_automove_window|slab_automove_ratio|slab_chunk_max|slab_sizes|watcher_logbuf_size|worker_logbuf_size|hashexpand|modern|relaxed_privileges|drop_privileges|resp_obj_mem_limit|inline_ascii_resp|ssl_wbuf_size|ssl_session_cache|ssl_keyformat)$/;

const TLS_VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

/** Reads the `-o` options, each a list with commas. */
export function extended(lists: readonly string[]): Extended {
  let server: MemcachedServerOptions = {};
  let tls: ServerTls = {};
  for (const word of lists.flatMap((list) => list.split(",")).filter((word) => word !== "")) {
    const [name = "", value = ""] = word.split(/=(.*)/s);
    if (name.startsWith("ssl_")) tls = { ...tls, ...tlsOption(name, value) };
    else server = { ...server, ...serverOption(name, value) };
  }
  return { server, tls };
}

function serverOption(name: string, value: string): MemcachedServerOptions {
  if (name === "track_sizes") return { trackSizes: true };
  if (name === "idle_timeout") {
    if (/^\d+$/.test(value)) return { idleTimeout: Number(value) };
    throw new OptionError(`-o idle_timeout must be a number of seconds, not ${value}`);
  }
  if (name === "no_maxconns_fast") {
    throw new OptionError(
      "-o no_maxconns_fast is not possible here: surplus connections get an error",
    );
  }
  if (WITHOUT_EFFECT.test(name)) return {};
  if (name.startsWith("ext_")) {
    throw new OptionError(`-o ${name} is not possible here: items are kept in memory alone`);
  }
  if (name.startsWith("proxy"))
    throw new OptionError(`-o ${name} is not possible here: it is not a proxy`);
  throw new OptionError(`-o ${name} is unknown`);
}

function tlsOption(name: string, value: string): ServerTls {
  switch (name) {
    case "ssl_chain_cert":
      return { cert: contents(value) };
    case "ssl_key":
      return { key: contents(value) };
    case "ssl_ca_cert":
      return { ca: contents(value) };
    case "ssl_ciphers":
      return { ciphers: value };
    case "ssl_verify_mode":
      if (!/^[0-2]$/.test(value)) {
        throw new OptionError(`-o ssl_verify_mode must be 0 to 2, not ${value}`);
      }
      return { requestCert: value !== "0", rejectUnauthorized: value === "2" };
    case "ssl_min_version": {
      const minVersion = TLS_VERSIONS[Number(value)];
      if (minVersion !== undefined) return { minVersion };
      throw new OptionError(`-o ssl_min_version must be 0 to 3, not ${value}`);
    }
    default:
      if (WITHOUT_EFFECT.test(name)) return {};
      throw new OptionError(`-o ${name} is unknown`);
  }
}
