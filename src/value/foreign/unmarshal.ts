import { CodecError } from "../../errors.js";
import { latin1, utf8 } from "../../util/bytes.js";
import { quote } from "../../util/show.js";
import { exactInteger } from "../integer.js";
import { dictionaryOf } from "../plain.js";
import { CONTAINER_SLOTS, Room } from "../room.js";
import { checkItemDepth } from "./depth.js";
import { textOrBytes } from "./strings.js";

/** A hash on its way, which must not be met before it is known what it becomes. */
const PENDING = Symbol("pending");

/**
 * Reads Ruby's Marshal format 4.8 as data: nil, booleans, numbers, strings, symbols,
 * arrays and hashes. Instances of classes are refused by name.
 */
export class Unmarshaller {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #depth = 0;
  readonly #room = new Room();
  readonly #symbols: string[] = [];
  /** What `@` refers to by number: everything but symbols and what is not an object in Ruby. */
  readonly #objects: unknown[] = [];

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** @throws CodecError for anything but whole data of the version 4.8 */
  read(): unknown {
    if (this.#byte() !== 4 || this.#byte() !== 8) throw broken();
    return this.#value();
  }

  #value(): unknown {
    this.#room.take(2);
    checkItemDepth(++this.#depth);
    const value = this.#typed(String.fromCharCode(this.#byte()));
    this.#depth--;
    return value;
  }

  #typed(type: string): unknown {
    switch (type) {
      case "0":
        return null;
      case "T":
        return true;
      case "F":
        return false;
      case "i":
        return this.#fixnum();
      case "l":
        return this.#keep(this.#bignum());
      case "f":
        return this.#keep(rubyNumber(this.#text()));
      case '"':
        return this.#keep(Buffer.from(this.#slice(this.#length())));
      case ":":
      case ";":
        return this.#symbolOf(type);
      case "I":
        return this.#withVariables();
      case "@":
        return this.#link();
      case "[":
        return this.#array();
      case "{":
        return this.#hash(false);
      case "}":
        return this.#hash(true);
      default:
        throw this.#refuse(type);
    }
  }

  #keep<Value>(value: Value): Value {
    this.#room.take(CONTAINER_SLOTS);
    this.#objects.push(value);
    return value;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw broken();
    return this.#bytes[this.#at++]!;
  }

  /** Small numbers in one byte, others in as many as the first says, negative ones with a negative count. */
  #fixnum(): number {
    const first = (this.#byte() << 24) >> 24;
    if (first === 0) return 0;
    if (first > 4) return first - 5;
    if (first < -4) return first + 5;
    let value = first < 0 ? -(256 ** -first) : 0;
    for (let i = 0; i < Math.abs(first); i++) value += this.#byte() * 256 ** i;
    return value;
  }

  #length(): number {
    const length = this.#fixnum();
    if (length < 0 || length > this.#end - this.#at) throw broken();
    return length;
  }

  #slice(length: number): Buffer {
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  #text(): string {
    const length = this.#length();
    return latin1(this.#bytes, this.#at, (this.#at += length));
  }

  #bignum(): number | bigint {
    const sign = this.#byte();
    const size = this.#fixnum() * 2;
    if (size < 0 || size > 64 * 1024 || size > this.#end - this.#at) throw broken();
    const hex = Buffer.from(this.#slice(size)).reverse().toString("hex");
    const value = BigInt(`0x${hex || "0"}`);
    return exactInteger(sign === 0x2d ? -value : value);
  }

  #symbolOf(type: string): string {
    if (type === ";") {
      const symbol = this.#symbols[this.#fixnum()];
      if (symbol === undefined) throw broken();
      return symbol;
    }
    if (type !== ":") throw broken();
    const bytes = this.#slice(this.#length());
    const symbol = utf8(bytes, 0, bytes.length);
    this.#symbols.push(symbol);
    return symbol;
  }

  #symbol(): string {
    return this.#symbolOf(String.fromCharCode(this.#byte()));
  }

  /** A string or symbol with its encoding: the only variables that plain data has. */
  #withVariables(): unknown {
    const type = String.fromCharCode(this.#byte());
    if (type === ":") {
      const symbol = this.#symbolOf(type);
      this.#encoding();
      return symbol;
    }
    if (type !== '"') throw this.#refuse(type);
    const bytes = this.#slice(this.#length());
    this.#room.take(CONTAINER_SLOTS);
    const index = this.#objects.push(PENDING) - 1;
    const text = decodeText(bytes, this.#encoding());
    this.#objects[index] = text;
    return text;
  }

  #encoding(): string {
    let encoding = "ASCII-8BIT";
    for (let count = this.#fixnum(); count > 0; count--) {
      const name = this.#symbol();
      const value = this.#value();
      if (name === "E") encoding = value === true ? "UTF-8" : "US-ASCII";
      else if (name === "encoding") encoding = String(value);
    }
    return encoding;
  }

  #link(): unknown {
    const value = this.#objects[this.#fixnum()];
    if (value === undefined) throw broken();
    if (value === PENDING) throw new CodecError("The item has a Ruby hash that contains itself");
    return value;
  }

  #array(): unknown[] {
    const array: unknown[] = this.#keep([]);
    for (let count = this.#length(); count > 0; count--) array.push(this.#value());
    return array;
  }

  /** An object if all keys are strings or symbols, else a Map. */
  #hash(hasDefault: boolean): unknown {
    this.#room.take(CONTAINER_SLOTS);
    const index = this.#objects.push(PENDING) - 1;
    const entries: [unknown, unknown][] = [];
    for (let count = this.#length(); count > 0; count--) {
      this.#room.take(CONTAINER_SLOTS);
      entries.push([this.#value(), this.#value()]);
    }
    if (hasDefault) this.#value();
    return (this.#objects[index] = dictionaryOf(entries));
  }

  #refuse(type: string): CodecError {
    // What follows is mostly the name of a class.
    const hasName = "oeCSuUcmM".includes(type);
    let name = "";
    if (hasName) {
      name = type === "c" || type === "m" || type === "M" ? this.#text() : this.#symbol();
    } else if (type === "/") {
      name = "Regexp";
    }
    return name === ""
      ? broken()
      : new CodecError(
          `The item has the Ruby class ${quote(name, 100)}, or an instance of it, which is not known here`,
        );
  }
}

function decodeText(bytes: Buffer, encoding: string): string | Buffer {
  switch (encoding) {
    case "UTF-8":
    case "US-ASCII":
      return textOrBytes(bytes, 0, bytes.length);
    case "ISO-8859-1":
      return latin1(bytes, 0, bytes.length);
    default:
      return Buffer.from(bytes);
  }
}

function rubyNumber(text: string): number {
  if (text === "inf") return Number.POSITIVE_INFINITY;
  if (text === "-inf") return Number.NEGATIVE_INFINITY;
  if (text === "nan") return Number.NaN;
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) throw broken();
  return Number(text);
}

function broken(): CodecError {
  return new CodecError("The item is flagged as marshalled by Ruby, but is not");
}
