import { CodecError } from "../../errors.js";
import { builtin } from "../../util/builtin.js";
import { isUint8Array } from "../../util/bytes.js";
import { tagOf } from "../plain.js";
import { encodeText } from "../text.js";
import { checkValueDepth } from "./depth.js";

const util = builtin("node:util");

/** What Ruby takes for a fixnum here: 31 bits on every machine. */
const FIXNUM_LIMIT = 2 ** 30;

/**
 * A value in Ruby's Marshal format 4.8: plain objects and Maps are hashes with string
 * keys, bytes are binary strings.
 * @throws CodecError for what has no plain form in Ruby
 */
export function marshal(value: unknown): Buffer {
  const writer = new MarshalWriter();
  writer.write(value, 0);
  return writer.finish();
}

class MarshalWriter {
  readonly #parts: Uint8Array[] = [Buffer.from([4, 8])];
  /** Whether the symbol `E`, which marks UTF-8, is known already. */
  #hasSymbol = false;

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }

  write(value: unknown, depth: number): void {
    checkValueDepth(depth);
    switch (typeof value) {
      case "boolean":
        this.#ascii(value ? "T" : "F");
        break;
      case "string":
        this.#string(value);
        break;
      case "number":
        this.#number(value);
        break;
      case "bigint":
        this.#integer(value);
        break;
      default:
        if (value === null) this.#ascii("0");
        else this.#object(value, depth);
    }
  }

  #object(value: unknown, depth: number): void {
    if (isUint8Array(value)) {
      this.#ascii('"');
      this.#bytes(value);
    } else if (Array.isArray(value)) {
      this.#ascii("[");
      this.#fixnum(value.length);
      for (const item of value) this.write(item, depth + 1);
    } else if (util().types.isMap(value)) {
      this.#hash([...value], depth);
    } else if (tagOf(value) === "Object") {
      this.#hash(Object.entries(value as object), depth);
    } else {
      const tag = tagOf(value);
      throw new CodecError(`A value of type ${tag} has no plain form in Ruby`);
    }
  }

  #hash(entries: readonly (readonly [unknown, unknown])[], depth: number): void {
    this.#ascii("{");
    this.#fixnum(entries.length);
    for (const [key, item] of entries) {
      this.write(key, depth + 1);
      this.write(item, depth + 1);
    }
  }

  #ascii(text: string): void {
    this.#parts.push(Buffer.from(text, "latin1"));
  }

  #bytes(bytes: Uint8Array): void {
    this.#fixnum(bytes.length);
    this.#parts.push(bytes);
  }

  /** A string with one variable, its encoding. */
  #string(text: string): void {
    this.#ascii('I"');
    this.#bytes(Buffer.from(encodeText(text)));
    this.#fixnum(1);
    this.#ascii(this.#hasSymbol ? ";\0T" : ":\x06ET");
    this.#hasSymbol = true;
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      this.#integer(BigInt(value));
      return;
    }
    this.#ascii("f");
    this.#bytes(Buffer.from(rubyFloat(value)));
  }

  #integer(value: bigint): void {
    if (value >= -FIXNUM_LIMIT && value < FIXNUM_LIMIT) {
      this.#ascii("i");
      this.#fixnum(Number(value));
      return;
    }
    const hex = (value < 0n ? -value : value).toString(16);
    // The size is counted in units of two bytes.
    const bytes = Buffer.from(hex.padStart(Math.ceil(hex.length / 4) * 4, "0"), "hex").reverse();
    this.#ascii(value < 0n ? "l-" : "l+");
    this.#fixnum(bytes.length / 2);
    this.#parts.push(bytes);
  }

  #fixnum(value: number): void {
    if (value === 0) {
      this.#parts.push(Buffer.from([0]));
    } else if (value > 0 && value < 123) {
      this.#parts.push(Buffer.from([value + 5]));
    } else if (value < 0 && value > -124) {
      this.#parts.push(Buffer.from([(value - 5) & 0xff]));
    } else {
      const bytes: number[] = [];
      let rest = value;
      do {
        bytes.push(rest & 0xff);
        rest >>= 8;
      } while (rest !== (value < 0 ? -1 : 0));
      this.#parts.push(Buffer.from([value < 0 ? -bytes.length & 0xff : bytes.length, ...bytes]));
    }
  }
}

function rubyFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0" : String(value).replace("e+", "e");
}
