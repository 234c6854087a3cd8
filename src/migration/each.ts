import { eachCall } from "../client/many.js";
import type { Key } from "../protocol/key.js";

/**
 * Calls on many keys, one for each and all at once; what failed is in a PartialError,
 * under the server that its error names, or that `home` does.
 */

/** Resolves to the keys for which the answer was no. */
export function failedOf<K extends Key>(
  name: string,
  keys: Iterable<K>,
  home: (key: K) => string,
  act: (key: K) => Promise<boolean>,
): Promise<K[]> {
  const calls = new Map<K, () => Promise<boolean>>();
  for (const key of keys) calls.set(key, () => act(key));
  const failed: K[] = [];
  const settled = (key: K, yes: boolean | undefined) => {
    if (yes !== true) failed.push(key);
  };
  return new Promise((resolve, reject) => {
    eachCall(name, calls, home, failed, settled, resolve, reject);
  });
}

/** Resolves to the new numbers of the counters that are there. */
export function countedOf<K extends Key>(
  name: string,
  deltas: ReadonlyMap<K, number>,
  home: (key: K) => string,
  act: (key: K, delta: number) => Promise<number | undefined>,
): Promise<Map<K, number>> {
  const calls = new Map<K, () => Promise<number | undefined>>();
  for (const [key, delta] of deltas) calls.set(key, () => act(key, delta));
  const counted = new Map<K, number>();
  const settled = (key: K, value: number | undefined) => {
    if (value !== undefined) counted.set(key, value);
  };
  return new Promise((resolve, reject) => {
    eachCall(name, calls, home, counted, settled, resolve, reject);
  });
}
