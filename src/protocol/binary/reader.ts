import { ProtocolError } from "../../errors.js";
import { latin1 } from "../../util/bytes.js";
import { quote } from "../../util/show.js";
import { Body } from "../body.js";
import { Hit, MISS, OK, type Reply, STORED } from "../reply.js";
import type { AdminRequest, GetRequest, KeyRequest, Request } from "../request.js";
import { Statistics } from "../statistics.js";
import type { Exchange, Replies } from "../wire.js";
import { isSasl, maxBodyOf, mayHaveBody, metaInfo, packetsOf, wantsCas } from "./asked.js";
import { isSilentOpcode, OPCODE, opcodeOf, quietOpcodeOf } from "./opcode.js";
import { HEADER_BYTES, REPLY_MAGIC, readUint64 } from "./packet.js";
import { STATUS, statusReply } from "./status.js";

/** How much of the server's words is read: messages are short, challenges a little longer. */
const MAX_WORDS = 2048;

/**
 * Binary replies from chunks that may be cut at any byte. Whole packets are read where
 * they lie; of what a chunk's end cuts, the header or the body is copied.
 *
 * Every packet of a request has its own opaque, one more than the packet before, so that
 * a reply says by its opaque which key of which request it answers. Requests without a
 * reply take no number: when one fails nevertheless, its reply has the number of the
 * request behind it, and the opcode tells the two apart.
 *
 * ```
 *   get a     setq b    getkq c,d + noop    version
 *   7         8         8, 9        10      11
 * ```
 *
 * Changes of which only those that fail are answered make a line with a noop behind it; a
 * reply to one of them, or to the noop, says that those before it are done.
 *
 * ```
 *   setq a*   setq b*   setq c* + noop      * quiet, a and b without endsLine
 *   11        12        13        14
 *             failed                        a is stored
 *                                 ok        c is stored
 * ```
 */
export class BinaryReader {
  readonly #hit = new Hit();
  readonly #cutHeader = Buffer.allocUnsafeSlow(HEADER_BYTES);
  #cutBytes = 0;
  /** The first opaque of the oldest request that waits. */
  #opaque = 0;
  // What the header of the packet said whose body is being read.
  #inBody = false;
  #opcode = 0;
  #keyLength = 0;
  #extrasLength = 0;
  #status = 0;
  #bodyLength = 0;
  /** Which of the request's packets it answers: a key's place, or one more for the end. */
  #index = 0;
  /** The item's cas; read from the header only if it was asked for. */
  #cas: bigint | undefined = undefined;
  #isSilent = false;
  /** How many changes of a line are done, as the reply to one behind them says. */
  #done = 0;
  /** The body, once it is known to come in several chunks. */
  #body: Body | undefined = undefined;
  /** What packets of statistics said so far. */
  readonly #stats = new Statistics();
  /** What a packet failed with, whose request ends only with the noop behind it. */
  #failed: Reply | undefined = undefined;

  get room(): Buffer | undefined {
    return this.#body?.room;
  }

  push(chunk: Buffer, length: number, replies: Replies): void {
    let at = 0;
    while (at < length || (this.#inBody && this.#bodyLength === 0)) {
      at = this.#inBody
        ? this.#readBody(chunk, at, length, replies)
        : this.#readHeader(chunk, at, length, replies);
    }
  }

  #readHeader(chunk: Buffer, start: number, length: number, replies: Replies): number {
    if (this.#cutBytes === 0 && chunk[start] !== REPLY_MAGIC) {
      throw noReply(chunk, start, Math.min(length, start + HEADER_BYTES));
    }
    if (this.#cutBytes === 0 && start + HEADER_BYTES <= length) {
      this.#header(chunk, start, replies);
      return start + HEADER_BYTES;
    }
    const end = Math.min(length, start + HEADER_BYTES - this.#cutBytes);
    chunk.copy(this.#cutHeader, this.#cutBytes, start, end);
    this.#cutBytes += end - start;
    if (this.#cutBytes === HEADER_BYTES) {
      this.#cutBytes = 0;
      this.#header(this.#cutHeader, 0, replies);
    }
    return end;
  }

  /** One whole header. What does not fit is refused here, before its body is waited for. */
  #header(bytes: Buffer, start: number, replies: Replies): void {
    this.#opcode = bytes[start + 1]!;
    this.#keyLength = bytes.readUInt16BE(start + 2);
    this.#extrasLength = bytes[start + 4]!;
    this.#status = bytes.readUInt16BE(start + 6);
    this.#bodyLength = bytes.readUInt32BE(start + 8);
    const inside = this.#keyLength + this.#extrasLength;
    if (inside > this.#bodyLength) throw noReply(bytes, start, start + HEADER_BYTES);
    this.#identify(bytes.readUInt32BE(start + 12), replies);
    const request = replies.waiting(this.#done)?.request;
    const isSuccess = this.#status === STATUS.ok && !this.#isSilent;
    if (this.#bodyLength > maxBodyOf(isSuccess ? request : undefined)) {
      throw noReply(bytes, start, start + HEADER_BYTES);
    }
    this.#cas =
      request !== undefined && wantsCas(request) ? bytes.readBigUInt64BE(start + 16) : undefined;
    this.#inBody = true;
  }

  /** Finds out what the packet answers. */
  #identify(opaque: number, replies: Replies): void {
    this.#index = (opaque - this.#opaque) >>> 0;
    this.#isSilent = isSilentOpcode(this.#opcode);
    this.#done = 0;
    const exchange = replies.waiting(0);
    const request = exchange?.request;
    if (exchange?.quiet) {
      if (this.#identifyInLine(replies)) return;
    } else if (this.#isSilent) {
      if (this.#index === 0 && this.#status !== STATUS.ok) return;
    } else if (request !== undefined && this.#index < packetsOf(request)) {
      const isEnd = this.#index > 0 && this.#index === packetsOf(request) - 1;
      if (this.#opcode === (isEnd ? OPCODE.noop : opcodeOf(request))) return;
    }
    const code = this.#opcode.toString(16).padStart(2, "0");
    throw new ProtocolError(
      `The server sent a reply (opcode 0x${code}, opaque ${opaque}) that nobody waits for`,
    );
  }

  /** The same for a line of changes; the reply belongs to the one behind those that are done. */
  #identifyInLine(replies: Replies): boolean {
    let place = 0;
    while (place < this.#index && !replies.waiting(place)!.endsLine) place++;
    const { request, endsLine } = replies.waiting(place)!;
    this.#done = place;
    this.#index -= place;
    this.#isSilent = false;
    if (this.#index === 1) {
      return endsLine && this.#opcode === OPCODE.noop && this.#status === STATUS.ok;
    }
    const isChange = request.verb === "set" || request.verb === "delete";
    return (
      this.#index === 0 &&
      this.#status !== STATUS.ok &&
      isChange &&
      this.#opcode === quietOpcodeOf(request)
    );
  }

  #readBody(chunk: Buffer, start: number, length: number, replies: Replies): number {
    const end = start + this.#bodyLength;
    if (this.#body === undefined && end <= length) {
      this.#inBody = false;
      this.#packet(chunk, start, end, false, replies);
      return end;
    }
    this.#body ??= new Body(this.#bodyLength);
    const next = this.#body.fill(chunk, start, length);
    if (this.#body.isComplete) {
      const { bytes } = this.#body;
      this.#body = undefined;
      this.#inBody = false;
      this.#packet(bytes, 0, this.#bodyLength, true, replies);
    }
    return next;
  }

  /** One whole packet. */
  #packet(bytes: Buffer, start: number, end: number, owned: boolean, replies: Replies): void {
    if (this.#isSilent) return;
    for (; this.#done > 0; this.#done--) this.#settleChange(undefined, replies);
    const exchange = replies.waiting(0);
    if (exchange === undefined) return; // the program ended the connection meanwhile
    const { request } = exchange;
    if (exchange.quiet) {
      this.#inLine(latin1(bytes, start, Math.min(end, start + MAX_WORDS)), exchange, replies);
    } else if (this.#status !== STATUS.ok) {
      this.#failure(latin1(bytes, start, Math.min(end, start + MAX_WORDS)), request, replies);
    } else if (request.verb === "get") {
      this.#item(bytes, start, end, owned, request, replies);
    } else if (request.verb === "admin") {
      this.#admin(bytes, start, end, request, replies);
    } else {
      this.#settle(this.#changed(bytes, start, request), request, replies);
    }
  }

  #failure(words: string, request: Request, replies: Replies): void {
    if (this.#status === STATUS.authContinue && isSasl(request)) {
      this.#settle({ kind: "challenge", text: words }, request, replies);
      return;
    }
    const info = request.verb === "admin" ? undefined : metaInfo(request, undefined, this.#cas);
    const reply = statusReply(this.#status, words, request, info);
    if (request.verb === "get" && request.keys !== undefined) {
      if (reply.kind === "refused") this.#failed ??= reply;
      return;
    }
    this.#stats.take();
    this.#settle(reply, request, replies);
    this.#checkKnown(request);
  }

  /** @throws ProtocolError where memcached takes the body for the next packet, or that for the body */
  #checkKnown(request: Request): void {
    if (this.#status !== STATUS.unknownCommand || !mayHaveBody(request)) return;
    throw new ProtocolError("The server does not know the command and may lose the one behind it");
  }

  /** A change of a line failed; or all of the line is carried out, as the noop says. */
  #inLine(words: string, { request, endsLine }: Exchange, replies: Replies): void {
    if (this.#opcode === OPCODE.noop) {
      const failed = this.#failed;
      this.#failed = undefined;
      this.#opaque++; // the noop's own
      this.#settleChange(failed, replies);
      return;
    }
    const reply = statusReply(this.#status, words, request, undefined);
    if (endsLine) this.#failed = reply;
    else this.#settleChange(reply, replies);
    this.#checkKnown(request);
  }

  /** The oldest change of a line failed, or is done. */
  #settleChange(failed: Reply | undefined, replies: Replies): void {
    const isSet = replies.waiting(0)?.request.verb === "set";
    this.#opaque = (this.#opaque + 1) >>> 0;
    replies.settle(failed ?? (isSet ? STORED : OK));
  }

  #item(
    bytes: Buffer,
    start: number,
    end: number,
    owned: boolean,
    request: GetRequest,
    replies: Replies,
  ): void {
    if (this.#opcode === OPCODE.noop) {
      const reply = this.#failed ?? MISS;
      this.#failed = undefined;
      this.#settle(reply, request, replies);
      return;
    }
    if (this.#opcode === OPCODE.touch) {
      this.#settle(OK, request, replies);
      return;
    }
    const key = request.keys?.[this.#index] ?? request.key;
    const keyStart = start + this.#extrasLength;
    const named = this.#opcode !== OPCODE.getAndTouch;
    if (this.#extrasLength !== 4 || (named && !this.#isKey(bytes, keyStart, key))) {
      throw new ProtocolError("The server sent an item that is not the one that was asked for");
    }
    const hit = this.#hit;
    hit.flags = bytes.readUInt32BE(start);
    hit.cas = this.#cas;
    hit.info = metaInfo(request, hit.flags, this.#cas);
    hit.bytes = request.value ? bytes : undefined;
    hit.start = keyStart + this.#keyLength;
    hit.end = end;
    hit.owned = owned;
    if (request.keys === undefined) this.#settle(hit, request, replies);
    else replies.deliver(0, this.#index, hit);
    hit.bytes = undefined;
  }

  #isKey(bytes: Buffer, start: number, key: string): boolean {
    if (this.#keyLength !== key.length) return false;
    for (let i = 0; i < key.length; i++) {
      if (bytes[start + i] !== key.charCodeAt(i)) return false;
    }
    return true;
  }

  /** The reply to a request that changed an item. */
  #changed(bytes: Buffer, start: number, request: KeyRequest): Reply {
    const info = metaInfo(request, undefined, this.#cas);
    switch (request.verb) {
      case "set":
        return info === undefined ? STORED : { kind: "stored", info };
      case "arithmetic":
        if (this.#bodyLength !== 8) {
          throw new ProtocolError("The result of arithmetic is no number of 64 bits");
        }
        return request.meta?.returnValue === false
          ? { kind: "ok", info }
          : { kind: "number", value: readUint64(bytes, start), info };
      default:
        return info === undefined ? OK : { kind: "ok", info };
    }
  }

  #admin(bytes: Buffer, start: number, end: number, request: AdminRequest, replies: Replies): void {
    if (request.action === "version" || request.action === "sasl") {
      this.#settle({ kind: "text", text: latin1(bytes, start, end) }, request, replies);
    } else if (request.action !== "stats") {
      this.#settle(OK, request, replies);
    } else if (this.#keyLength > 0) {
      const value = start + this.#extrasLength + this.#keyLength;
      const name = latin1(bytes, start + this.#extrasLength, value);
      this.#stats.add(name, latin1(bytes, value, end), HEADER_BYTES + this.#bodyLength);
    } else {
      this.#settle({ kind: "stats", entries: this.#stats.take() }, request, replies);
    }
  }

  #settle(reply: Reply, request: Request, replies: Replies): void {
    this.#opaque = (this.#opaque + packetsOf(request)) >>> 0;
    replies.settle(reply);
  }
}

function noReply(bytes: Buffer, start: number, end: number): ProtocolError {
  const header = quote(latin1(bytes, start, end), HEADER_BYTES);
  return new ProtocolError(`No reply of the binary protocol: ${header}`);
}
