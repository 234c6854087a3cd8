import { ArgumentError } from "../../errors.js";
import type { Key } from "../../protocol/key.js";
import { show } from "../../util/show.js";
import { tagOf } from "../../value/plain.js";

/** Keys with a value each: a Map, an array of pairs, or a plain object. */
export type Mapping<Value, K extends Key = Key> =
  | Iterable<readonly [K, Value]>
  | Readonly<Record<string, Value>>;

/** @throws ArgumentError for anything but a mapping */
export function entriesOf<Value, K extends Key>(
  mapping: Mapping<Value, K>,
): Iterable<readonly [K, Value]>;
export function entriesOf<Value>(mapping: Mapping<Value>): Iterable<readonly [Key, Value]> {
  if (typeof mapping !== "object" || mapping === null) throw noMapping(mapping);
  if (isIterable(mapping)) return checkedPairs(mapping);
  const entries = Object.entries(mapping);
  // A promise that nobody awaited has no entries either, and all of its values would be lost.
  if (entries.length === 0 && tagOf(mapping) !== "Object") throw noMapping(mapping);
  return entries;
}

function noMapping(given: unknown): ArgumentError {
  return new ArgumentError(`A Map or an object of keys and values is needed, not ${show(given)}`);
}

function isIterable<Value>(mapping: Mapping<Value>): mapping is Iterable<readonly [Key, Value]> {
  return Symbol.iterator in mapping;
}

function* checkedPairs<Value>(
  pairs: Iterable<readonly [Key, Value]>,
): Generator<readonly [Key, Value]> {
  for (const pair of pairs) {
    if (!isPair(pair)) {
      throw new ArgumentError(`Each entry must be a pair of a key and a value, not ${show(pair)}`);
    }
    yield pair;
  }
}

function isPair(pair: unknown): boolean {
  return Array.isArray(pair) && pair.length === 2;
}
