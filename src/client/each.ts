import type { Key } from "../protocol/key.js";
import { Gathering, type Reject, type Resolve } from "./gathering.js";

/** Calls on many keys that are a call for each, all at once. */

/**
 * Makes all calls. `settled` gets each answer; what it leaves in `results` is what they
 * resolve to together. `home` names the server of a key whose error names none.
 * @throws KeyError for a key that has no home, before any call is made
 */
export function eachCall<K extends Key, Result, Results>(
  name: string,
  calls: ReadonlyMap<K, () => Promise<Result>>,
  home: (key: K) => string,
  results: Results,
  settled: (key: K, result: NoInfer<Result> | undefined) => void,
  resolve: Resolve<Results>,
  reject: Reject,
): void {
  const homes = new Map(Array.from(calls.keys(), (key) => [key, home(key)]));
  const gathering = new Gathering(name, calls.size, results, resolve, reject);
  for (const [key, call] of calls) {
    call().then(
      (result) => {
        settled(key, result);
        gathering.done();
      },
      (error) => {
        settled(key, undefined);
        gathering.fail(homes.get(key)!, error);
      },
    );
  }
}

/** Makes all calls; resolves to the keys for which the answer was no. */
export async function failedOf<K extends Key>(
  name: string,
  keys: Iterable<K>,
  home: (key: K) => string,
  act: (key: K) => Promise<boolean>,
): Promise<K[]> {
  const calls = new Map<K, () => Promise<boolean>>();
  for (const key of keys) calls.set(key, () => act(key));
  const { failed, settled } = verdicts<K>();
  return new Promise((resolve, reject) => {
    eachCall(name, calls, home, failed, settled, resolve, reject);
  });
}

/** Counts with all calls; resolves to the new numbers of those keys that are there. */
export async function countedOf<K extends Key>(
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

/** The answers to a call on many keys, as far as they were not yes. */
export interface Verdicts<K> {
  readonly failed: K[];
  readonly settled: (key: K, yes: boolean | undefined) => void;
}

export function verdicts<K>(): Verdicts<K> {
  const failed: K[] = [];
  return {
    failed,
    settled: (key, yes) => {
      if (yes !== true) failed.push(key);
    },
  };
}
