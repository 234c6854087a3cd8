import type { Executor, Operation } from "../operation.js";
import { MAX_RELATIVE_SECONDS } from "../protocol/exptime.js";
import type { Request } from "../protocol/request.js";
import type { Elsewhere } from "./failover.js";
import { Relays } from "./relay.js";

/**
 * Servers that stand in for dead ones. What is stored there lives only briefly, so that
 * it is gone when its own server is back, or dies again later.
 */
export class Gutter implements Elsewhere {
  readonly #servers: Executor;
  readonly #ttl: number;

  /** @param ttl - seconds that an item there lives at most */
  constructor(servers: Executor, ttl: number) {
    this.#servers = servers;
    this.#ttl = ttl;
  }

  takes(): boolean {
    return true;
  }

  execute(operation: Operation): void {
    const request = this.#shortLived(operation.request);
    if (request === operation.request) this.#servers.execute(operation);
    else new Relays(operation, "each").send(this.#servers, { request });
  }

  #shortLived(request: Request): Request {
    switch (request.verb) {
      case "set":
        return { ...request, exptime: this.#cap(request.exptime) };
      case "arithmetic":
        return { ...request, initialExptime: this.#cap(request.initialExptime) };
      case "get":
        if (request.touch === undefined) return request;
        return { ...request, touch: this.#cap(request.touch) };
      default:
        return request;
    }
  }

  /** An exptime as the wire has it: 0 is for ever, negative is at once, and a large one a date. */
  #cap(exptime: number): number {
    if (exptime < 0) return exptime;
    if (exptime === 0) return this.#ttl;
    if (exptime <= MAX_RELATIVE_SECONDS) return Math.min(exptime, this.#ttl);
    const left = exptime - Math.floor(Date.now() / 1000);
    return left < this.#ttl ? exptime : this.#ttl;
  }
}
