import { ArgumentError } from "../../errors.js";
import type { Key } from "../../protocol/key.js";
import { show } from "../../util/show.js";
import type { Dispatcher } from "./dispatcher.js";
import type { CallOptions } from "./options.js";

/** The keys of a call on many, as they were given. */

/** The type of keys as they were given; a literal counts as any text. */
export type Given<K extends Key> = K extends string ? string : K;

/** The keys by their wire form; the first of several that mean the same item stands for them. */
export function distinct<K extends Key>(
  dispatcher: Dispatcher,
  keys: Iterable<K>,
  options: CallOptions | undefined,
): Map<string, K> {
  const given = new Map<string, K>();
  for (const key of checkIterable(keys)) {
    const wireKey = dispatcher.key(key, options);
    if (!given.has(wireKey)) given.set(wireKey, key);
  }
  return given;
}

/** @throws ArgumentError for anything but a list of keys; a text is one key, and not its characters */
export function checkIterable<K>(keys: Iterable<K>): Iterable<K> {
  if (typeof keys === "object" && keys !== null && Symbol.iterator in keys) return keys;
  throw new ArgumentError(`The keys must be an array or another iterable, not ${show(keys)}`);
}

/** Tells the name of the server that a key is meant for. */
export function homesOf(
  dispatcher: Dispatcher,
  options: CallOptions | undefined,
): (key: Key) => string {
  return (key) => {
    const route = dispatcher.route(dispatcher.key(key, options), options);
    return dispatcher.router.serverFor(route).name;
  };
}
