import { AuthError, ConnectError, ConnectionClosedError, ProtocolError } from "../../errors.js";
import { latin1 } from "../../util/bytes.js";
import { quote } from "../../util/show.js";
import { Body, MAX_VALUE_BYTES } from "../body.js";
import { Hit, type MetaInfo, MISS, type RefusedReply, type Reply } from "../reply.js";
import type { GetRequest, Request } from "../request.js";
import { Statistics } from "../statistics.js";
import type { Exchange, Replies } from "../wire.js";
import { AskedKeys } from "./asked.js";
import { needsMeta } from "./meta.js";
import { type MetaLine, metaReply, numberReply, parseMetaLine } from "./metareply.js";
import { digitsEnd, MAX_FLAGS, parseCas, parseDigits } from "./number.js";
import { isTrial, leavesData, parseRefusal } from "./refusal.js";
import { takeStatistic } from "./statistics.js";
import { isAdmin, wantsValues, wordReply } from "./words.js";

const CR = 0x0d;
const LF = 0x0a;
const BLANK = 0x20;

/** memcached writes no longer line: one that is longer is taken to have no end. */
const MAX_LINE = 8192;

/**
 * What an error is in the reply to a line of several gets: its last line, or that of one key, with
 * the others' and `END` still to come, which is how memcached's proxy answers. Where nobody has
 * told which, what comes next may be the rest of it or the next reply.
 */
export type LineErrors = "last" | "within" | "unsure";

const UNAUTHENTICATED = "CLIENT_ERROR unauthenticated";

/** How much of a line a message shows: never enough to hold a value. */
const SHOWN = 60;

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
  /** Whose the items are that come. */
  readonly #asked = new AskedKeys();
  readonly #stats = new Statistics();
  readonly #lineErrors: LineErrors;
  /** Whether a whole line has come before the one that is being read. */
  #hasBegun = false;
  /** The first error within the reply that is being read. */
  #lineError: RefusedReply | undefined = undefined;

  constructor(lineErrors: LineErrors = "unsure") {
    this.#lineErrors = lineErrors;
  }

  get room(): Buffer | undefined {
    return this.#body?.room;
  }

  push(chunk: Buffer, length: number, replies: Replies): void {
    let at = 0;
    if (!this.#hasBegun) {
      at = this.#readLine(chunk, 0, length, replies);
      this.#hasBegun = this.#rest === undefined;
    }
    while (at < length) {
      at =
        this.#length < 0
          ? this.#readLine(chunk, at, length, replies)
          : this.#readData(chunk, at, length, replies);
    }
  }

  #readLine(chunk: Buffer, start: number, length: number, replies: Replies): number {
    const request = this.#rest === undefined ? valuesWanted(replies) : undefined;
    const keyEnd =
      request === undefined ? -1 : this.#nextKeyEnd(chunk, start, length, request, replies);
    // What was compared with a key has no line's end.
    let end = keyEnd < 0 ? start : keyEnd;
    while (end < length && chunk[end] !== LF) end++;
    if (end === length || this.#rest !== undefined) {
      return this.#readCutLine(chunk, start, end, length, replies);
    }
    if (end - start >= MAX_LINE) throw tooLong();
    if (request === undefined || keyEnd < 0) {
      this.#line(chunk, start, end, replies);
    } else {
      this.#asked.advance(request);
      this.#item(chunk, start, keyEnd, end, request);
    }
    return end + 1;
  }

  /** Where the key ends in the `VALUE` line of the item that is expected next; -1 for any other line. */
  #nextKeyEnd(
    chunk: Buffer,
    start: number,
    length: number,
    request: GetRequest,
    replies: Replies,
  ): number {
    if (!isValueLine(chunk, start, length)) return -1;
    return this.#asked.nextEnd(chunk, start + 6, length, request, replies);
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
    if (rest.length > MAX_LINE) throw tooLong();
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
    if (isValueLine(bytes, start, end)) this.#value(bytes, start, lineFeed, replies);
    else if (isEndLine(bytes, start, end)) this.#end(replies);
    else
      this.#word(isStoredLine(bytes, start, end) ? "STORED" : latin1(bytes, start, end), replies);
  }

  #value(bytes: Buffer, start: number, lineFeed: number, replies: Replies): void {
    const request = valuesWanted(replies);
    if (request === undefined) throw unasked(latin1(bytes, start, lineFeed - 1));
    const keyEnd = this.#asked.locate(bytes, start + 6, lineFeed - 1, request, replies);
    this.#item(bytes, start, keyEnd, lineFeed, request);
  }

  // VALUE <key> <flags> <bytes> [<cas unique>]\r\n (protocol.txt, "Retrieval command")
  #item(bytes: Buffer, start: number, keyEnd: number, lineFeed: number, request: GetRequest): void {
    const end = lineFeed - 1;
    const flagsEnd = digitsEnd(bytes, keyEnd + 1, end);
    const lengthEnd = digitsEnd(bytes, flagsEnd + 1, end);
    const flags = parseDigits(bytes, keyEnd + 1, flagsEnd);
    const length = parseDigits(bytes, flagsEnd + 1, lengthEnd);
    const hasCas = lengthEnd !== end;
    const wellFormed =
      bytes[end] === CR &&
      bytes[flagsEnd] === BLANK &&
      flags >= 0 &&
      flags <= MAX_FLAGS &&
      hasCas === request.cas;
    if (!wellFormed || length < 0 || length > MAX_VALUE_BYTES) throw unreadable(bytes, start, end);
    this.#hit.flags = flags;
    this.#hit.info = undefined;
    this.#hit.cas = hasCas ? casAt(bytes, lengthEnd, end) : undefined;
    this.#length = length;
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
    const hit = this.#hit;
    hit.bytes = bytes;
    hit.start = start;
    hit.end = end;
    hit.owned = owned;
    if (hit.info === undefined) replies.deliver(this.#asked.place, this.#asked.index, hit);
    else replies.settle(metaData(hit, hit.info, replies.waiting(0)?.request));
    hit.bytes = undefined;
  }

  #end(replies: Replies): void {
    const request = replies.waiting(0)?.request;
    if (request !== undefined && isAdmin(request, "stats")) {
      replies.settle({ kind: "stats", entries: this.#stats.take() });
    } else if (request !== undefined && wantsValues(request)) {
      this.#settleLine(this.#lineError ?? MISS, replies);
    } else {
      throw new ProtocolError("The server sent an END that nobody asked for");
    }
  }

  #settleLine(reply: Reply, replies: Replies): void {
    this.#asked.reset();
    this.#lineError = undefined;
    replies.settleLine(reply);
  }

  /** Every line that is neither an item nor the end of items. */
  #word(line: string, replies: Replies): void {
    const exchange = replies.waiting(0);
    if (exchange === undefined) {
      checkConnected(line);
      throw unasked(line);
    }
    const { request } = exchange;
    if (request.verb === "admin" || !needsMeta(request)) {
      const reply = wordReply(line, request);
      if (reply !== undefined) replies.settle(reply);
      else if (!isAdmin(request, "stats") || !takeStatistic(line, this.#stats)) {
        this.#refused(line, exchange, replies);
      }
      return;
    }
    const meta = parseMetaLine(line, request);
    if (meta === undefined) this.#refused(line, exchange, replies);
    else if (meta.length < 0) replies.settle(metaReply(meta, request));
    else this.#expectData(meta);
  }

  #expectData({ length, info }: MetaLine): void {
    if (length > MAX_VALUE_BYTES) {
      throw new ProtocolError(`A value of ${length} bytes was announced`);
    }
    this.#length = length;
    this.#hit.flags = info.flags ?? 0;
    this.#hit.cas = info.cas;
    this.#hit.info = info;
  }

  /** Error lines, which answer every exchange of their line; anything else is no reply. */
  #refused(line: string, exchange: Exchange, replies: Replies): void {
    const { request, afterSilent } = exchange;
    const refused = parseRefusal(line, request);
    if (refused === undefined) {
      if (afterSilent && needsMeta(request) && line.startsWith("VERSION ")) {
        exchange.afterSilent = false; // the wire asked for it ahead of this
        return;
      }
      throw new ProtocolError(`${quote(line, SHOWN)} is no answer to ${request.verb}`);
    }
    checkConnected(line);
    if (afterSilent) {
      throw new ProtocolError(`${quote(line, SHOWN)} may be about the noreply request before`);
    }
    this.#stats.take();
    const errors = asksSeveral(exchange) ? this.#lineErrors : "last";
    if (errors === "within") {
      this.#lineError ??= refused;
      return;
    }
    this.#settleLine(refused, replies);
    // memcached -Y says so once to all that it reads at once.
    if (line === UNAUTHENTICATED && replies.waiting(0) !== undefined) {
      throw new AuthError(`the server wants credentials, and answered with: ${line}`);
    }
    if (errors === "unsure") throw doubtful(line, "to several keys: set proxy if one answers");
    if (leavesData(refused, request)) {
      throw new ProtocolError(
        `After ${quote(line, SHOWN)} to a storage command its data may remain`,
      );
    }
    if (isTrial(line, request)) {
      throw doubtful(line, "to a meta command: is memcached older than 1.6?");
    }
    // A load balancer may have said something first, to which this is the answer.
    if (!this.#hasBegun && /^ERROR$|bad command line format$/.test(line)) {
      throw doubtful(line, "to the first line: does a load balancer speak the PROXY protocol?");
    }
  }
}

/** Whether its line is one of gets that asks for several keys. */
function asksSeveral({ request, endsLine }: Exchange): boolean {
  return wantsValues(request) && (!endsLine || (request.keys?.length ?? 1) > 1);
}

/** The request of the oldest exchange, if `VALUE` lines can be its answer. */
function valuesWanted(replies: Replies): GetRequest | undefined {
  const request = replies.waiting(0)?.request;
  return request !== undefined && wantsValues(request) ? request : undefined;
}

/** What a meta command's data block is: an item's value, or the number that came of arithmetic. */
function metaData(hit: Hit, info: MetaInfo, request: Request | undefined): Reply {
  if (request?.verb !== "arithmetic") return hit;
  const reply = numberReply(latin1(hit.bytes!, hit.start, hit.end), info);
  if (reply === undefined) throw new ProtocolError("The result of arithmetic is no number");
  return reply;
}

/**
 * memcached says so, and no more, on a connection past its limit (`-c`) before it has read
 * anything: there is no connection, whatever was sent.
 * @throws ConnectError
 */
function checkConnected(line: string): void {
  if (line === "ERROR Too many open connections") {
    throw new ConnectError("the server is at its limit of connections (memcached -c)");
  }
}

/** `VALUE `, and more behind it. Written out, as are the others: a loop over a word takes twice as long. */
function isValueLine(bytes: Buffer, start: number, end: number): boolean {
  return (
    end - start > 6 &&
    bytes[start] === 0x56 && // V
    bytes[start + 1] === 0x41 && // A
    bytes[start + 2] === 0x4c && // L
    bytes[start + 3] === 0x55 && // U
    bytes[start + 4] === 0x45 && // E
    bytes[start + 5] === BLANK
  );
}

/** `STORED` and nothing else, for which no string needs to be made. */
function isStoredLine(bytes: Buffer, start: number, end: number): boolean {
  return (
    end - start === 6 &&
    bytes[start] === 0x53 && // S
    bytes[start + 1] === 0x54 && // T
    bytes[start + 2] === 0x4f && // O
    bytes[start + 3] === 0x52 && // R
    bytes[start + 4] === 0x45 && // E
    bytes[start + 5] === 0x44 // D
  );
}

/** `END` and nothing else. */
function isEndLine(bytes: Buffer, start: number, end: number): boolean {
  return (
    end - start === 3 &&
    bytes[start] === 0x45 && // E
    bytes[start + 1] === 0x4e && // N
    bytes[start + 2] === 0x44 // D
  );
}

function casAt(bytes: Buffer, blank: number, end: number): bigint {
  const cas = bytes[blank] === BLANK ? parseCas(latin1(bytes, blank + 1, end)) : undefined;
  if (cas === undefined) throw unreadable(bytes, blank, end);
  return cas;
}

/** What was read can be trusted, and what comes may be for another request than the next. */
function doubtful(line: string, what: string): ConnectionClosedError {
  return new ConnectionClosedError(`more may come after ${quote(line, SHOWN)} ${what}`);
}

function tooLong(): ProtocolError {
  return new ProtocolError(`A reply line is over ${MAX_LINE} bytes`);
}

function unreadable(bytes: Buffer, start: number, end: number): ProtocolError {
  return new ProtocolError(`No reply of memcached: ${quote(latin1(bytes, start, end), SHOWN)}`);
}

function unasked(line: string): ProtocolError {
  return new ProtocolError(`The server sent unasked: ${quote(line, SHOWN)}`);
}
