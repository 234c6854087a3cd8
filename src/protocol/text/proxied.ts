import type { Outgoing } from "../outgoing.js";
import type { AdminRequest, Request } from "../request.js";
import type { Exchange, Replies, Wire } from "../wire.js";
import { needsMeta } from "./meta.js";
import { TextWire } from "./wire.js";

/** What may stand before the servers; `memcached` is memcached's own proxy. */
export type Proxy = "twemproxy" | "mcrouter" | "memcached";

/**
 * The text protocol as far as a proxy passes it on. It hangs up on all else, and so loses the
 * answers of others: that is not sent to it.
 */
export class ProxiedWire implements Wire {
  readonly #proxy: Proxy;
  readonly #text: Wire;

  constructor(proxy: Proxy) {
    this.#proxy = proxy;
    this.#text = new TextWire(proxy === "memcached" ? "within" : "last");
  }

  write(exchange: Exchange, out: Outgoing): string | undefined {
    return missingWords(this.#proxy, exchange.request) ?? this.#text.write(exchange, out);
  }

  answersSilent(request: Request): boolean {
    return this.#text.answersSilent(request);
  }

  finish(out: Outgoing): void {
    this.#text.finish(out);
  }

  get room(): Buffer | undefined {
    return this.#text.room;
  }

  push(chunk: Buffer, length: number, replies: Replies): void {
    this.#text.push(chunk, length, replies);
  }
}

/** What each answers of the requests about servers. */
const ANSWERED: Readonly<Record<Proxy, readonly AdminRequest["action"][]>> = {
  twemproxy: ["version"],
  mcrouter: ["version"],
  memcached: ["version", "stats", "noop", "debug"],
};

function missingWords(proxy: Proxy, request: Request): string | undefined {
  const isOwn = proxy === "memcached";
  const name = isOwn ? "memcached's proxy" : proxy;
  if (request.verb === "admin") {
    if (ANSWERED[proxy].includes(request.action)) return undefined;
    return `${name} does not pass on ${request.action}`;
  }
  if (isOwn || !needsMeta(request)) return undefined;
  return `${name} does not pass on meta commands, which this needs`;
}
