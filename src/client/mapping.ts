import { ArgumentError } from "../errors.js";
import type { Key } from "../protocol/key.js";
import { show } from "../util/show.js";

/** Keys with a value each: a Map, an array of pairs, or a plain object. */
export type Mapping<Value> = Iterable<readonly [Key, Value]> | Readonly<Record<string, Value>>;

/** @throws ArgumentError for what is no mapping */
export function entriesOf<Value>(mapping: Mapping<Value>): Iterable<readonly [Key, Value]> {
  if (typeof mapping !== "object" || mapping === null) {
    throw new ArgumentError(
      `A Map or an object of keys and values is needed, not ${show(mapping)}`,
    );
  }
  return isIterable(mapping) ? checkedPairs(mapping) : Object.entries(mapping);
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
