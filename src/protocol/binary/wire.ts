import { MAX_RELATIVE_SECONDS } from "../exptime.js";
import type { Outgoing } from "../outgoing.js";
import {
  type AdminRequest,
  type ArithmeticRequest,
  type DeleteRequest,
  type GetRequest,
  isJoining,
  type Request,
  type SetRequest,
} from "../request.js";
import type { Exchange, Replies, Wire } from "../wire.js";
import { packetsOf } from "./asked.js";
import { missingWords } from "./limits.js";
import { isAnswered, OPCODE, opcodeOf, quietOpcodeOf } from "./opcode.js";
import { uint32, uint64, writePacket } from "./packet.js";
import { BinaryReader } from "./reader.js";

/** As the exptime of arithmetic it says that a missing item is not to be made. */
const MAKES_NO_ITEM = "\xff\xff\xff\xff";

/** The first exptime that memcached takes for a date: in January 1970, long past. */
const LONG_PAST = uint32(MAX_RELATIVE_SECONDS + 1);

/**
 * The binary protocol (memcached's wiki, "BinaryProtocolRevamped"). It has no words for
 * most of what the meta commands can ask, and takes any byte in a key.
 */
export class BinaryWire implements Wire {
  readonly #reader = new BinaryReader();
  /** The opaque of the next packet that is answered. */
  #opaque = 0;
  /** The last change of a line that is still open. */
  #open: Exchange | undefined = undefined;
  #afterSilent = false;

  write(exchange: Exchange, out: Outgoing): string | undefined {
    const { request } = exchange;
    const missing = missingWords(request);
    if (missing !== undefined) return missing;
    if (exchange.quiet) this.#join(exchange, request);
    if (!exchange.quiet) this.finish(out);
    switch (request.verb) {
      case "get":
        this.#get(request, out);
        break;
      case "set":
        this.#set(request, exchange.quiet ? quietOpcodeOf(request) : opcodeOf(request), out);
        break;
      case "delete":
        this.#delete(request, exchange.quiet ? quietOpcodeOf(request) : opcodeOf(request), out);
        break;
      case "arithmetic":
        this.#arithmetic(request, out);
        break;
      case "admin":
        this.#admin(request, out);
        break;
    }
    this.#afterSilent = !isAnswered(request);
    if (!this.#afterSilent) this.#opaque = (this.#opaque + packetsOf(request)) >>> 0;
    return undefined;
  }

  answersSilent(request: Request): boolean {
    return isAnswered(request);
  }

  /** What it does not know is answered in its own place. */
  mayBeUnknown(): boolean {
    return false;
  }

  /** A noop is answered when all changes of the line before it are carried out. */
  finish(out: Outgoing): void {
    if (this.#open === undefined) return;
    this.#open.endsLine = true;
    this.#open = undefined;
    writePacket(out, OPCODE.noop, this.#opaque);
    this.#opaque = (this.#opaque + 1) >>> 0;
  }

  get room(): Buffer | undefined {
    return this.#reader.room;
  }

  push(chunk: Buffer, length: number, replies: Replies): void {
    this.#reader.push(chunk, length, replies);
  }

  /**
   * Adds a change to the open line, or opens one; not behind a silent request, since the
   * failures of both would look the same.
   */
  #join(exchange: Exchange, request: Request): void {
    const isChange = request.verb === "set" || request.verb === "delete";
    exchange.quiet = isChange && request.meta === undefined && !this.#afterSilent;
    exchange.endsLine = !exchange.quiet;
    if (exchange.quiet) this.#open = exchange;
  }

  /** A many-key get is quiet, so that misses cost no reply, and a noop behind it ends it. */
  #get(request: GetRequest, out: Outgoing): void {
    const opcode = opcodeOf(request);
    const { key, keys, touch } = request;
    if (keys === undefined) {
      const extras = touch === undefined ? "" : exptimeBytes(touch);
      writePacket(out, opcode, this.#opaque, key, extras);
      return;
    }
    for (let i = 0; i < keys.length; i++) {
      writePacket(out, opcode, this.#opaque + i, keys[i]);
    }
    writePacket(out, OPCODE.noop, this.#opaque + keys.length);
  }

  #set(request: SetRequest, opcode: number, out: Outgoing): void {
    const { mode, key, flags, exptime, data, compareCas } = request;
    const extras = isJoining(mode) ? "" : uint32(flags) + exptimeBytes(exptime);
    writePacket(out, opcode, this.#opaque, key, extras, data, compareCas);
  }

  #delete(request: DeleteRequest, opcode: number, out: Outgoing): void {
    writePacket(out, opcode, this.#opaque, request.key, "", "", request.compareCas);
  }

  #arithmetic(request: ArithmeticRequest, out: Outgoing): void {
    const { key, delta, initial, initialExptime, meta } = request;
    const exptime = initial === undefined ? MAKES_NO_ITEM : exptimeBytes(initialExptime);
    const extras = uint64(delta) + uint64(initial ?? 0) + exptime;
    writePacket(out, opcodeOf(request), this.#opaque, key, extras, "", meta?.compareCas);
  }

  #admin(request: AdminRequest, out: Outgoing): void {
    let [key, extras, data] = ["", "", ""];
    switch (request.action) {
      case "stats":
        key = request.argument ?? "";
        break;
      case "flushAll":
        extras = uint32(request.delay);
        break;
      case "sasl":
        key = request.mechanism;
        data = request.response;
        break;
    }
    writePacket(out, opcodeOf(request), this.#opaque, key, extras, data);
  }
}

/** memcached reads this wire's exptimes without a sign: -1 would be a date in 2106. */
function exptimeBytes(exptime: number): string {
  return exptime < 0 ? LONG_PAST : uint32(exptime);
}
