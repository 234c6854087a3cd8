import { CodecError } from "../../errors.js";
import { latin1, strictUtf8 } from "../../util/bytes.js";
import { MAX_INTEGER_SIZE } from "./scalars.js";

/** A cursor over a pickle's bytes. */
export class PickleInput {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** How long the pickle is: what bounds everything that it may ask for. */
  readonly length: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.length = end - start;
  }

  /** Steps over `size` bytes, and says where they begin. */
  #take(size: number): number {
    const at = this.#at;
    if (size > this.#end - at) throw new CodecError("The pickle is cut short");
    this.#at = at + size;
    return at;
  }

  uint8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.#take(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  /** A 64-bit length; what no pickle can hold comes out as too long for this one. */
  size64(): number {
    const at = this.#take(8);
    return this.#bytes.readUInt32LE(at) + this.#bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** Bytes of the caller's own. */
  bytes(size: number): Buffer {
    const at = this.#take(size);
    return Buffer.from(this.#bytes.subarray(at, at + size));
  }

  /** A signed little-endian integer of any size. */
  integer(size: number): bigint {
    if (size > MAX_INTEGER_SIZE) {
      throw new CodecError(
        `A pickled integer of ${size} bytes is over the limit of ${MAX_INTEGER_SIZE}`,
      );
    }
    if (size === 0) return 0n;
    const hex = this.bytes(size).reverse().toString("hex");
    return BigInt.asIntN(size * 8, BigInt(`0x${hex}`));
  }

  /** UTF-8 in which, as in Python's strings, half a surrogate pair may stand alone. */
  text(size: number): string {
    const at = this.#take(size);
    const end = at + size;
    return strictUtf8(this.#bytes, at, end) ?? decodeSurrogates(this.#bytes.subarray(at, end));
  }

  /** Up to the next line feed, a character a byte. */
  line(): string {
    const stop = this.#bytes.indexOf(0x0a, this.#at);
    if (stop < 0 || stop >= this.#end) throw new CodecError("The pickle is cut short");
    const text = latin1(this.#bytes, this.#at, stop);
    this.#at = stop + 1;
    return text;
  }
}

/** UTF-8 with surrogates encoded one by one, in three bytes each. */
function decodeSurrogates(bytes: Buffer): string {
  let text = "";
  let done = 0;
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    const second = bytes[at + 1] ?? 0;
    const third = bytes[at + 2] ?? 0;
    if ((second & 0xe0) !== 0xa0 || (third & 0xc0) !== 0x80) continue;
    text += strictText(bytes.subarray(done, at));
    text += String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f));
    done = at + 3;
  }
  return text + strictText(bytes.subarray(done));
}

function strictText(bytes: Buffer): string {
  const text = strictUtf8(bytes, 0, bytes.length);
  if (text !== undefined) return text;
  throw new CodecError("A pickled string is not UTF-8");
}
