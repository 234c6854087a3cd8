import { MAX_RELATIVE_SECONDS } from "../exptime.js";
import type { Outgoing } from "../outgoing.js";
import {
  type AdminRequest,
  type ArithmeticRequest,
  type DeleteRequest,
  type GetRequest,
  isSilent,
  type SetRequest,
} from "../request.js";
import type { Exchange, Replies, Wire } from "../wire.js";
import { missingWords } from "./limits.js";
import { OPCODE, opcodeOf } from "./opcode.js";
import { uint32, uint64, writePacket } from "./packet.js";
import { BinaryReader, packetsOf } from "./reader.js";

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

  write({ request }: Exchange, out: Outgoing): string | undefined {
    const missing = missingWords(request);
    if (missing !== undefined) return missing;
    switch (request.verb) {
      case "get":
        this.#get(request, out);
        break;
      case "set":
        this.#set(request, out);
        break;
      case "delete":
        this.#delete(request, out);
        break;
      case "arithmetic":
        this.#arithmetic(request, out);
        break;
      case "admin":
        this.#admin(request, out);
        break;
    }
    if (!isSilent(request)) this.#opaque = (this.#opaque + packetsOf(request)) >>> 0;
    return undefined;
  }

  finish(): void {}

  get room(): Buffer | undefined {
    return this.#reader.room;
  }

  push(chunk: Buffer, length: number, replies: Replies): void {
    this.#reader.push(chunk, length, replies);
  }

  /** A many-key get is quiet, so that misses cost no reply, and a noop behind it ends it. */
  #get(request: GetRequest, out: Outgoing): void {
    const opcode = opcodeOf(request);
    const { key, keys, touch } = request;
    if (keys === undefined) {
      const extras = touch === undefined ? "" : exptimeBytes(touch);
      writePacket(out, opcode, this.#opaque, key, extras, "", undefined);
      return;
    }
    for (let i = 0; i < keys.length; i++) {
      writePacket(out, opcode, this.#opaque + i, keys[i]!, "", "", undefined);
    }
    writePacket(out, OPCODE.noop, this.#opaque + keys.length, "", "", "", undefined);
  }

  #set(request: SetRequest, out: Outgoing): void {
    const { mode, key, flags, exptime, data, compareCas } = request;
    const joins = mode === "append" || mode === "prepend";
    const extras = joins ? "" : uint32(flags) + exptimeBytes(exptime);
    writePacket(out, opcodeOf(request), this.#opaque, key, extras, data, compareCas);
  }

  #delete(request: DeleteRequest, out: Outgoing): void {
    writePacket(out, opcodeOf(request), this.#opaque, request.key, "", "", request.compareCas);
  }

  #arithmetic(request: ArithmeticRequest, out: Outgoing): void {
    const { key, delta, initial, initialExptime, meta } = request;
    const exptime = initial === undefined ? MAKES_NO_ITEM : exptimeBytes(initialExptime);
    const extras = uint64(delta) + uint64(initial ?? 0) + exptime;
    writePacket(out, opcodeOf(request), this.#opaque, key, extras, "", meta?.compareCas);
  }

  #admin(request: AdminRequest, out: Outgoing): void {
    const opcode = opcodeOf(request);
    switch (request.action) {
      case "stats":
        writePacket(out, opcode, this.#opaque, request.argument ?? "", "", "", undefined);
        break;
      case "flushAll":
        writePacket(out, opcode, this.#opaque, "", uint32(request.delay), "", undefined);
        break;
      case "sasl": {
        const { mechanism, response } = request;
        writePacket(out, opcode, this.#opaque, mechanism, "", response, undefined);
        break;
      }
      default:
        writePacket(out, opcode, this.#opaque, "", "", "", undefined);
    }
  }
}

/** memcached reads this wire's exptimes without a sign: -1 would be a date in 2106. */
function exptimeBytes(exptime: number): string {
  return exptime < 0 ? LONG_PAST : uint32(exptime);
}
