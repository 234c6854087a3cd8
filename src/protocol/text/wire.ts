import type { Outgoing } from "../outgoing.js";
import { type GetRequest, isSilent, type Request } from "../request.js";
import type { Exchange, Replies, Wire } from "../wire.js";
import {
  writeAdmin,
  writeArithmetic,
  writeDelete,
  writeGetLine,
  writeSet,
  writeTouch,
} from "./classic.js";
import {
  needsMeta,
  writeMetaArithmetic,
  writeMetaDelete,
  writeMetaGet,
  writeMetaSet,
} from "./meta.js";
import { type LineErrors, TextReader } from "./reader.js";
import { wantsValues } from "./words.js";

/** A line of gets holds at most this many keys, since an error line costs all of them. */
export const MAX_LINE_KEYS = 100;

/**
 * Half of what memcached reads at once. A line of gets may be longer than others, which end at
 * 2,048 bytes, but one that comes in several reads costs the server a larger buffer.
 */
export const MAX_LINE_BYTES = 8000;

/**
 * The text protocol. Gets that follow each other within a tick share one line, which is
 * the cheapest read that memcached has; nothing is ever moved past another command.
 */
export class TextWire implements Wire {
  readonly #reader: TextReader;
  /** The last get of a line that is still open, `gets` and `get` apart. */
  #open: Exchange | undefined = undefined;
  #openCas = false;
  #openKeys = 0;
  #openBytes = 0;
  #afterSilent = false;

  constructor(lineErrors?: LineErrors) {
    this.#reader = new TextReader(lineErrors);
  }

  write(exchange: Exchange, out: Outgoing): string | undefined {
    const { request } = exchange;
    exchange.endsLine = true;
    exchange.afterSilent = this.#afterSilent;
    if (wantsValues(request) && request.keys === undefined) {
      this.#afterSilent = false;
      this.#join(exchange, request, out);
      return undefined;
    }
    const meta = needsMeta(request);
    this.finish(out);
    // A server that has none says so, and would seem to mean the silent request: the version ends that.
    if (meta && this.#afterSilent) out.append("version\r\n");
    this.#afterSilent = !meta && isSilent(request);
    switch (request.verb) {
      case "get":
        if (meta) writeMetaGet(request, out);
        else if (request.keys !== undefined) writeGetLine(request.keys, request.cas, out);
        else writeTouch(request, out);
        break;
      case "set":
        if (meta) writeMetaSet(request, out);
        else writeSet(request, out);
        break;
      case "delete":
        if (meta) writeMetaDelete(request, out);
        else writeDelete(request, out);
        break;
      case "arithmetic":
        if (meta) writeMetaArithmetic(request, out);
        else writeArithmetic(request, out);
        break;
      case "admin":
        if (request.action === "sasl") return "The text protocol has no SASL";
        writeAdmin(request, out);
        break;
    }
    return undefined;
  }

  /** A quiet meta command would still be answered where it fails, and then it has no place to be. */
  answersSilent(request: Request): boolean {
    return needsMeta(request);
  }

  mayBeUnknown(request: Request): boolean {
    return needsMeta(request) || (request.verb === "get" && request.touch !== undefined);
  }

  finish(out: Outgoing): void {
    if (this.#open === undefined) return;
    this.#open = undefined;
    out.append("\r\n");
  }

  get room(): Buffer | undefined {
    return this.#reader.room;
  }

  push(chunk: Buffer, length: number, replies: Replies): void {
    this.#reader.push(chunk, length, replies);
  }

  /** Adds a get to the open line if it has room, or opens one. */
  #join(exchange: Exchange, request: GetRequest, out: Outgoing): void {
    const { key, cas } = request;
    const bytes = key.length + 1;
    if (
      this.#open !== undefined &&
      this.#openCas === cas &&
      this.#openKeys < MAX_LINE_KEYS &&
      this.#openBytes + bytes <= MAX_LINE_BYTES
    ) {
      this.#open.endsLine = false;
      this.#openKeys++;
      this.#openBytes += bytes;
      out.text += ` ${key}`;
    } else {
      this.finish(out);
      this.#openCas = cas;
      this.#openKeys = 1;
      this.#openBytes = bytes + 4;
      out.text += cas ? `gets ${key}` : `get ${key}`;
    }
    this.#open = exchange;
  }
}
