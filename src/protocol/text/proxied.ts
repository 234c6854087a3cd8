import type { Outgoing } from "../outgoing.js";
import type { AdminRequest, Request } from "../request.js";
import type { Exchange } from "../wire.js";
import { needsMeta } from "./meta.js";
import { TextWire } from "./wire.js";

/** What may stand before the servers; `memcached` is memcached's own proxy. */
export type Proxy = "twemproxy" | "mcrouter" | "memcached";

/**
 * The text protocol as far as a proxy passes it on. It hangs up on all else, and so loses the
 * answers of others: that is not sent to it.
 */
export class ProxiedWire extends TextWire {
  readonly #proxy: Proxy;

  constructor(proxy: Proxy) {
    super(proxy === "memcached" ? "within" : "last");
    this.#proxy = proxy;
  }

  override write(exchange: Exchange, out: Outgoing): string | undefined {
    const missing = missingWords(this.#proxy, exchange.request);
    if (missing === undefined) return super.write(exchange, out);
    return `${this.#proxy} as a proxy does not pass on ${missing}`;
  }

  /** What it does not know is not sent to it, and a twemproxy before 0.5 hangs up on `version`. */
  override mayBeUnknown(): boolean {
    return false;
  }
}

/** What memcached's own does not pass on of the requests about servers; the others know `version` alone. */
const UNKNOWN: readonly AdminRequest["action"][] = ["flushAll", "verbosity"];

function missingWords(proxy: Proxy, request: Request): string | undefined {
  const isOwn = proxy === "memcached";
  if (request.verb === "admin") {
    const { action } = request;
    return (isOwn ? UNKNOWN.includes(action) : action !== "version") ? action : undefined;
  }
  return !isOwn && needsMeta(request) ? "meta commands, which this needs" : undefined;
}
