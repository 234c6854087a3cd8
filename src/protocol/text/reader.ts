import { ProtocolError } from "../../errors.js";
import { latin1 } from "../../util/bytes.js";
import { Body } from "../body.js";
import { describeKey } from "../key.js";
import { Hit, MISS, type Reply } from "../reply.js";
import type { Replies } from "../wire.js";
import { metaReply, numberReply, parseMetaLine } from "./metareply.js";
import { digitsEnd, parseDigits } from "./number.js";
import { leavesData, parseRefusal } from "./refusal.js";
import { isAdmin, wantsValues, wordReply } from "./words.js";

const CR = 0x0d;
const LF = 0x0a;
const BLANK = 0x20;

/** No line that memcached writes is longer; one that is has no end. */
const MAX_LINE = 8192;

/** memcached's `-I` goes up to 1,024 MB. */
const MAX_VALUE = 1024 * 1024 * 1024;

/**
 * Text replies from chunks that may be cut at any byte. A reply is a line, and after
 * some lines a data block; whole ones are read where they lie, and only what a chunk's
 * end cuts is copied.
 *
 * A `get` line may answer several exchanges. Items are delivered to theirs as they come,
 * and all of them leave their places at `END`, those without an item as misses:
 *
 * ```
 *   waiting   a  b  c*        * endsLine
 *   VALUE a   deliver(0)      cursor 1
 *   VALUE c   deliver(2)      cursor 3
 *   END       settle × 3      b is a miss
 * ```
 */
export class TextReader {
  readonly #hit = new Hit();
  /** The beginning of a line whose end has not come. */
  #rest: Buffer | undefined = undefined;
  /** The length of the data block that follows, or -1. */
  #length = -1;
  /** The data block, once it is known to come in several chunks. */
  #body: Body | undefined = undefined;
  /** Which exchange and which of its keys the data block is for. */
  #place = 0;
  #index = 0;
  /** Where in the open line the next item is expected. */
  #cursor = 0;
  /** What `STAT` lines said so far. */
  #stats = new Map<string, string>();

  push(chunk: Buffer, length: number, replies: Replies): void {
    let at = 0;
    while (at < length) {
      at =
        this.#length < 0
          ? this.#readLine(chunk, at, length, replies)
          : this.#readData(chunk, at, length, replies);
    }
  }

  #readLine(chunk: Buffer, start: number, length: number, replies: Replies): number {
    let end = start;
    while (end < length && chunk[end] !== LF) end++;
    if (end === length || this.#rest !== undefined) {
      return this.#readCutLine(chunk, start, end, length, replies);
    }
    this.#line(chunk, start, end, replies);
    return end + 1;
  }

  #readCutLine(
    chunk: Buffer,
    start: number,
    end: number,
    length: number,
    replies: Replies,
  ): number {
    const part = chunk.subarray(start, Math.min(end + 1, length));
    const rest = this.#rest === undefined ? Buffer.from(part) : Buffer.concat([this.#rest, part]);
    if (rest.length > MAX_LINE) throw new ProtocolError(`A reply line is over ${MAX_LINE} bytes`);
    if (end === length) {
      this.#rest = rest;
      return length;
    }
    this.#rest = undefined;
    this.#line(rest, 0, rest.length - 1, replies);
    return end + 1;
  }

  /** One whole line, `end` at its LF. */
  #line(bytes: Buffer, start: number, lineFeed: number, replies: Replies): void {
    const end = lineFeed - 1;
    if (end < start || bytes[end] !== CR) throw unreadable(bytes, start, lineFeed);
    if (starts(bytes, start, end, "VALUE ")) this.#value(bytes, start + 6, end, replies);
    else if (equals(bytes, start, end, "END")) this.#end(replies);
    else this.#word(latin1(bytes, start, end), replies);
  }

  // VALUE <key> <flags> <bytes> [<cas unique>]\r\n (protocol.txt, "Retrieval command")
  #value(bytes: Buffer, keyStart: number, end: number, replies: Replies): void {
    const flagsStart = this.#locate(bytes, keyStart, end, replies) + 1;
    const flagsEnd = digitsEnd(bytes, flagsStart, end);
    const lengthStart = flagsEnd + 1;
    const lengthEnd = digitsEnd(bytes, lengthStart, end);
    const flags = parseDigits(bytes, flagsStart, flagsEnd);
    const length = parseDigits(bytes, lengthStart, lengthEnd);
    const wellFormed = bytes[flagsEnd] === BLANK && flags >= 0 && flags <= 0xffffffff;
    if (!wellFormed || length < 0 || length > MAX_VALUE) {
      throw unreadable(bytes, keyStart - 6, end);
    }
    this.#hit.flags = flags;
    this.#hit.info = undefined;
    this.#hit.cas = lengthEnd === end ? undefined : parseCas(bytes, lengthEnd, end);
    this.#length = length;
  }

  /**
   * Finds out whose the item is and returns where its key ends. Items come in the order
   * of the keys, so the next one is nearly always it; a proxy may mix them within a line.
   */
  #locate(bytes: Buffer, start: number, end: number, replies: Replies): number {
    const head = replies.waiting(0);
    if (head === undefined || head.request.verb !== "get" || !wantsValues(head.request)) {
      throw unasked(bytes, start - 6, end);
    }
    const { keys } = head.request;
    const many = keys !== undefined;
    const expected = many ? keys[this.#cursor] : keyAt(replies, this.#cursor);
    if (expected !== undefined && keyEnds(bytes, start, expected)) {
      this.#place = many ? 0 : this.#cursor;
      this.#index = many ? this.#cursor : 0;
      this.#cursor++;
      return start + expected.length;
    }
    const keyEnd = bytes.indexOf(BLANK, start);
    const key = latin1(bytes, start, keyEnd < 0 || keyEnd > end ? end : keyEnd);
    const found = many ? keys.indexOf(key) : placeOf(key, replies);
    if (found < 0) {
      throw new ProtocolError(`The server sent an item ${describeKey(key)} that nobody asked for`);
    }
    this.#place = many ? 0 : found;
    this.#index = many ? found : 0;
    this.#cursor = found + 1;
    return start + key.length;
  }

  #readData(chunk: Buffer, start: number, length: number, replies: Replies): number {
    const end = start + this.#length;
    if (this.#body === undefined && end + 2 <= length) {
      this.#data(chunk, start, end, false, replies);
      return end + 2;
    }
    this.#body ??= new Body(this.#length + 2);
    const next = this.#body.fill(chunk, start, length);
    if (this.#body.isComplete) {
      const { bytes } = this.#body;
      this.#body = undefined;
      this.#data(bytes, 0, this.#length, true, replies);
    }
    return next;
  }

  /** One whole data block, with its CRLF behind it. */
  #data(bytes: Buffer, start: number, end: number, owned: boolean, replies: Replies): void {
    if (bytes[end] !== CR || bytes[end + 1] !== LF) {
      throw new ProtocolError("A data block does not end in CRLF where its length says");
    }
    this.#length = -1;
    const request = replies.waiting(0)?.request;
    if (request?.verb === "arithmetic") {
      replies.settle(numberReply(latin1(bytes, start, end), this.#hit.info));
      return;
    }
    const hit = this.#hit;
    hit.bytes = bytes;
    hit.start = start;
    hit.end = end;
    hit.owned = owned;
    if (hit.info === undefined) replies.deliver(this.#place, this.#index, hit);
    else replies.settle(hit);
    hit.bytes = undefined;
  }

  #end(replies: Replies): void {
    const request = replies.waiting(0)?.request;
    if (request !== undefined && isAdmin(request, "stats")) {
      this.#settleStats(replies);
    } else if (request !== undefined && wantsValues(request)) {
      this.#settleLine(MISS, replies);
    } else {
      throw new ProtocolError("The server sent an END that nobody asked for");
    }
  }

  #settleStats(replies: Replies): void {
    const entries = this.#stats;
    this.#stats = new Map();
    replies.settle({ kind: "stats", entries });
  }

  /** Settles every exchange of the line that the oldest one stands in. */
  #settleLine(reply: Reply, replies: Replies): void {
    this.#cursor = 0;
    for (let last = false; !last; ) {
      last = replies.waiting(0)?.endsLine ?? true;
      replies.settle(reply);
    }
  }

  /** Every line that is neither an item nor the end of items. */
  #word(line: string, replies: Replies): void {
    const request = replies.waiting(0)?.request;
    const refused = parseRefusal(line, request);
    if (request === undefined) throw new ProtocolError(`The server sent unasked: ${quote(line)}`);
    if (refused !== undefined) {
      this.#stats = new Map();
      this.#settleLine(refused, replies);
      if (leavesData(refused, request)) {
        throw new ProtocolError(`After ${quote(line)} to a storage command its data may remain`);
      }
      return;
    }
    if (isAdmin(request, "stats")) {
      this.#stat(line, replies);
      return;
    }
    const meta = parseMetaLine(line, request);
    if (meta !== undefined && meta.length >= 0) {
      if (meta.length > MAX_VALUE) throw new ProtocolError(`Not a length: ${quote(line)}`);
      this.#length = meta.length;
      this.#hit.flags = meta.info.flags ?? 0;
      this.#hit.cas = meta.info.cas;
      this.#hit.info = meta.info;
      return;
    }
    const reply = meta === undefined ? wordReply(line, request) : metaReply(meta, request);
    if (reply === undefined) {
      throw new ProtocolError(`${quote(line)} is no answer to ${request.verb}`);
    }
    replies.settle(reply);
  }

  #stat(line: string, replies: Replies): void {
    if (line === "RESET" || line === "OK") {
      this.#settleStats(replies);
      return;
    }
    const match = /^(?:STAT|ITEM|PREFIX) (\S+) ?(.*)$/.exec(line);
    if (match === null) throw new ProtocolError(`${quote(line)} is no answer to stats`);
    this.#stats.set(match[1]!, match[2]!);
  }
}

/** The key of the n-th exchange if it stands in the same line as the oldest one. */
function keyAt(replies: Replies, n: number): string | undefined {
  if (n > 0 && replies.waiting(n - 1)?.endsLine !== false) return undefined;
  const request = replies.waiting(n)?.request;
  return request?.verb === "get" ? request.key : undefined;
}

/** Which exchange of the oldest line asked for a key, or -1. */
function placeOf(key: string, replies: Replies): number {
  for (let n = 0; ; n++) {
    const asked = keyAt(replies, n);
    if (asked === undefined) return -1;
    if (asked === key) return n;
  }
}

/** Whether the bytes at `start` are this key and a blank. */
function keyEnds(bytes: Buffer, start: number, key: string): boolean {
  const { length } = key;
  if (bytes[start + length] !== BLANK) return false;
  for (let i = 0; i < length; i++) {
    if (bytes[start + i] !== key.charCodeAt(i)) return false;
  }
  return true;
}

function starts(bytes: Buffer, start: number, end: number, word: string): boolean {
  if (end - start < word.length) return false;
  for (let i = 0; i < word.length; i++) {
    if (bytes[start + i] !== word.charCodeAt(i)) return false;
  }
  return true;
}

function equals(bytes: Buffer, start: number, end: number, word: string): boolean {
  return end - start === word.length && starts(bytes, start, end, word);
}

function parseCas(bytes: Buffer, blank: number, end: number): bigint {
  const digits = latin1(bytes, blank + 1, end);
  if (bytes[blank] !== BLANK || !/^\d{1,20}$/.test(digits)) throw unreadable(bytes, blank, end);
  return BigInt(digits);
}

function unreadable(bytes: Buffer, start: number, end: number): ProtocolError {
  return new ProtocolError(`No reply of memcached: ${quote(latin1(bytes, start, end))}`);
}

function unasked(bytes: Buffer, start: number, end: number): ProtocolError {
  return new ProtocolError(`The server sent unasked: ${quote(latin1(bytes, start, end))}`);
}

/** A line for a message: escaped, and never long enough to hold a value. */
function quote(line: string): string {
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}
