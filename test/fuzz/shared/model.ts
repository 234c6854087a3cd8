import type { Key } from "tslibmc";
import type { Words } from "../../value/python.js";
import { nameOf, type Side, wordsOf } from "./sides.js";
import { build, type Recipe } from "./value.js";

const BYTES = 0;
const PICKLE = 1;
const BOOLEAN = 2;
const INTEGER = 4;
const TEXT = 16;
const JSON_TEXT = 48;

/** What memcached has under a key. */
export interface Item {
  readonly flags: number;
  /** What is stored, where the server can join and count it, and both sides know its form. */
  readonly data: Buffer | undefined;
  /** What either side reads of an item that has no `data`. */
  readonly words: Words;
  /** Whether it may be compressed, so that the server cannot join or count it. */
  readonly isPacked: boolean;
  /** Whether there may be blanks behind the data. */
  readonly hasBlanks: boolean;
  /** The ttl that it was stored with; undefined if that is nobody's business. */
  ttl: number | undefined;
  /** Another with each write, as the token of memcached is. */
  readonly version: object;
}

/** A cache as everybody imagines it, with what is different between two languages. */
export class Model {
  readonly #items = new Map<string, Item>();
  /** Tokens that were read, and the version that each belongs to. */
  readonly tokens = new Map<string, { readonly token: string; readonly version: object }>();

  item(key: Key): Item | undefined {
    return this.#items.get(nameOf(key));
  }

  has(key: Key): boolean {
    return this.#items.has(nameOf(key));
  }

  /** All that there is, as bytes. */
  keys(): Key[] {
    return Array.from(this.#items.keys(), (name) => Buffer.from(name, "latin1"));
  }

  put(key: Key, item: Item): void {
    this.#items.set(nameOf(key), item);
  }

  delete(key: Key): boolean {
    return this.#items.delete(nameOf(key));
  }

  read(side: Side, key: Key): Words | undefined {
    const item = this.item(key);
    return item && read(side, item);
  }

  readAll(side: Side, keys: readonly Key[], prefix: string): Map<string, Words> {
    const found = new Map<string, Words>();
    for (const key of keys) {
      const words = this.read(side, withPrefix(prefix, key));
      if (words !== undefined) found.set(nameOf(key), words);
    }
    return found;
  }
}

export function withPrefix(prefix: string, key: Key): Key {
  if (typeof key === "string") return prefix + key;
  return Buffer.concat([Buffer.from(prefix), key]);
}

/** What stands in memcached when a side has stored a value. */
export function stored(
  side: Side,
  recipe: Recipe,
  serializer: "json" | "pickle",
): Pick<Item, "flags" | "data" | "words"> {
  const value = build(recipe);
  const words = wordsOf(value);
  if (typeof value === "string") return { flags: TEXT, data: Buffer.from(value), words };
  if (Buffer.isBuffer(value)) return { flags: BYTES, data: value, words };
  if (typeof value === "boolean")
    return { flags: BOOLEAN, data: Buffer.from(value ? "1" : "0"), words };
  if (typeof value === "bigint" || isInteger(side, recipe, value)) {
    return { flags: INTEGER, data: Buffer.from(String(value)), words };
  }
  if (side.name === "python" || serializer === "pickle")
    return { flags: PICKLE, data: undefined, words };
  return { flags: JSON_TEXT, data: Buffer.from(JSON.stringify(value)), words };
}

/** JavaScript has no float that is whole, Python has. */
function isInteger(side: Side, recipe: Recipe, value: unknown): boolean {
  if (side.name === "node") return Number.isSafeInteger(value);
  return typeof recipe === "object" && recipe !== null && "n" in recipe;
}

function read(side: Side, { flags, data, words }: Item): Words {
  if (data === undefined) return words;
  if (flags === BYTES) return wordsOf(data);
  const text = data.toString();
  if (flags === TEXT) return wordsOf(text);
  // Python has no word for this one, and reads the text.
  if (flags === JSON_TEXT) return side.name === "python" ? wordsOf(text) : words;
  const integer = BigInt(text);
  if (flags === BOOLEAN && side.name === "node") return integer !== 0n;
  return wordsOf(integer);
}

/** How memcached joins: text to text, bytes to bytes, digits to a number; undefined for what breaks an item. */
export function joinable(item: Item): Recipe | undefined {
  if (item.isPacked || item.hasBlanks || item.data === undefined) return undefined;
  if (item.data.length > 900_000) return undefined;
  if (item.flags === TEXT) return { s: "é+" };
  if (item.flags === BYTES) return { b: "00ff" };
  const isPlain = item.flags === INTEGER && /^\d{1,4000}$/.test(item.data.toString());
  return isPlain ? { s: "12" } : undefined;
}

export function joined(item: Item, how: "append" | "prepend", recipe: Recipe): Item {
  const more = Buffer.from(build(recipe) as string);
  const parts = [item.data ?? Buffer.alloc(0), more];
  const data = Buffer.concat(how === "append" ? parts : parts.reverse());
  return { ...item, data, version: {} };
}

/** The bytes of an item on 64 bits: header, token, key, flags, value and line's end. */
export function sizeOf(key: Key, item: Item): number {
  const { length } = Buffer.from(key as string);
  return 48 + 8 + length + 1 + (item.flags === 0 ? 0 : 4) + (item.data?.length ?? 0) + 2;
}

/** From here on memcached 1.6.18 looks for a minus, also in what the item's memory held before. */
const CERTAIN = 2n ** 63n;

/** The number that memcached counts with, "none" if there is none, undefined where it is not sure. */
export function numberOf(item: Item): bigint | "none" | undefined {
  if (item.isPacked || item.data === undefined) return undefined;
  const text = item.data.toString("latin1");
  if (/^[^\s\d+-]|^$/.test(text)) return "none";
  if (!/^\d{1,19}$/.test(text)) return undefined;
  const number = BigInt(text);
  return number < CERTAIN ? number : undefined;
}

/**
 * What memcached makes of a number, which stops at 0. Digits that are gone leave blanks, but not while
 * somebody reads the item: only what is flagged as a number reads the same then. Undefined otherwise.
 */
export function counted(item: Item, number: bigint, by: bigint): Item | undefined {
  const sum = number + by;
  const data = Buffer.from(String(sum < 0n ? 0n : sum));
  const isShorter = data.length < (item.data?.length ?? 0);
  if (isShorter && item.flags !== INTEGER && item.flags !== BOOLEAN) return undefined;
  return { ...item, data, hasBlanks: item.hasBlanks || isShorter, version: {} };
}
