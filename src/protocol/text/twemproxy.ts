import type { Outgoing } from "../outgoing.js";
import type { Request } from "../request.js";
import type { Exchange, Replies, Wire } from "../wire.js";
import { needsMeta } from "./meta.js";

/**
 * The text protocol as far as twemproxy passes it on: the classic commands on keys. It
 * hangs up on all others, so they are not sent to it.
 */
export class TwemproxyWire implements Wire {
  readonly #text: Wire;

  constructor(text: Wire) {
    this.#text = text;
  }

  write(exchange: Exchange, out: Outgoing): string | undefined {
    return missingWords(exchange.request) ?? this.#text.write(exchange, out);
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

function missingWords(request: Request): string | undefined {
  if (request.verb === "admin") {
    return request.action === "version"
      ? undefined
      : `twemproxy does not pass on ${request.action}`;
  }
  if (!needsMeta(request)) return undefined;
  return "twemproxy does not pass on meta commands, which this needs";
}
