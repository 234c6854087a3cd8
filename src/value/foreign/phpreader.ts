import { CodecError } from "../../errors.js";
import { latin1 } from "../../util/bytes.js";
import { quote } from "../../util/show.js";
import { isDecimal } from "../decimal.js";
import { exactInteger } from "../integer.js";
import { setProperty } from "../plain.js";
import { CONTAINER_SLOTS, Room } from "../room.js";
import { checkItemDepth } from "./depth.js";
import { textOrBytes } from "./strings.js";

const SEMICOLON = 0x3b;

/** Reads what PHP's `serialize()` writes, as data: no class but stdClass is known. */
export class PhpReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** Every value in the order of its beginning, for references by number. */
  readonly #values: { value: unknown }[] = [];
  #depth = 0;
  readonly #room = new Room();

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** @throws CodecError for anything but one value, or an instance of a class */
  read(): unknown {
    const value = this.#value();
    if (this.#at !== this.#end) throw broken();
    return value;
  }

  #value(): unknown {
    const type = this.#until(this.#isBare ? ";" : ":");
    if (type === "R") return this.#reference();
    this.#room.take(CONTAINER_SLOTS);
    const slot: { value: unknown } = { value: PENDING };
    this.#values.push(slot);
    slot.value = this.#plain(type);
    return slot.value;
  }

  #plain(type: string): unknown {
    switch (type) {
      case "N":
        return null;
      case "b":
        return this.#until(";") === "1";
      case "i":
        return integer(this.#until(";"));
      case "d":
        return phpNumber(this.#until(";"));
      case "s":
        return this.#string(";");
      case "a":
        return this.#array();
      case "r":
        return this.#reference();
      case "O":
        return this.#object();
      default:
        throw broken();
    }
  }

  /** Whether the type is all there is, as in `N;`. */
  get #isBare(): boolean {
    const next = this.#at + 1;
    return next < this.#end && this.#bytes[next] === SEMICOLON;
  }

  /** The text before a mark, which is stepped over. */
  #until(mark: string): string {
    const stop = this.#bytes.indexOf(mark, this.#at, "latin1");
    if (stop < 0 || stop >= this.#end || stop - this.#at > 64) throw broken();
    const text = latin1(this.#bytes, this.#at, stop);
    this.#at = stop + 1;
    return text;
  }

  #expect(text: string): void {
    if (latin1(this.#bytes, this.#at, Math.min(this.#at + text.length, this.#end)) !== text) {
      throw broken();
    }
    this.#at += text.length;
  }

  #count(): number {
    const text = this.#until(":");
    if (!/^\d{1,10}$/.test(text)) throw broken();
    return Number(text);
  }

  /** `length:"bytes"` and what ends it. */
  #string(last: string): string | Buffer {
    const length = this.#count();
    this.#expect('"');
    const start = this.#at;
    if (length > this.#end - start) throw broken();
    this.#at += length;
    this.#expect(`"${last}`);
    return textOrBytes(this.#bytes, start, start + length);
  }

  /** A list if its keys count from 0, else an object, as PHP itself writes JSON. */
  #array(): unknown {
    const entries = this.#entries(this.#count());
    if (entries.every(([key], i) => key === i)) return entries.map(([, item]) => item);
    return objectOf(entries);
  }

  #object(): unknown {
    const name = this.#string(":");
    if (name !== "stdClass") {
      throw new CodecError(
        `The item has an instance of the PHP class ${quote(String(name), 100)}, which is not known here`,
      );
    }
    return objectOf(this.#entries(this.#count()));
  }

  #entries(count: number): (readonly [unknown, unknown])[] {
    checkItemDepth(++this.#depth);
    this.#expect("{");
    this.#room.take(CONTAINER_SLOTS);
    const entries: (readonly [unknown, unknown])[] = [];
    for (let i = 0; i < count; i++) {
      const type = this.#until(":");
      if (type !== "i" && type !== "s") throw broken();
      const key = type === "i" ? integer(this.#until(";")) : this.#string(";");
      entries.push([key, this.#value()]);
    }
    this.#expect("}");
    this.#depth--;
    return entries;
  }

  #reference(): unknown {
    const target = this.#values[Number(this.#until(";")) - 1];
    if (target === undefined) throw broken();
    if (target.value === PENDING)
      throw new CodecError("The item has a PHP array that contains itself");
    return target.value;
  }
}

/** A value that is still being read. */
const PENDING = Symbol("pending");

function objectOf(entries: readonly (readonly [unknown, unknown])[]): object {
  const object = {};
  for (const [key, item] of entries) setProperty(object, String(key), item);
  return object;
}

/** A PHP integer, as an item of its own or inside a value. */
export function integer(text: string): number | bigint {
  if (!/^[+-]?\d{1,20}$/.test(text)) throw broken();
  return exactInteger(BigInt(text.replace("+", "")));
}

/** A PHP float: `INF` inside a value, `Infinity` as an item of its own. */
export function phpNumber(text: string): number {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special?.[2] !== undefined) {
    if (special[2].toLowerCase() === "nan") return Number.NaN;
    return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (!isDecimal(text)) throw broken();
  return Number(text);
}

function broken(): CodecError {
  return new CodecError("The item is not what its flags say");
}
