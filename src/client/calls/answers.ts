/** What becomes of the answers to a call on many keys. */
export interface Answers<K, Result, Results> {
  /** What the call resolves to. */
  readonly results: Results;
  /** @param result - undefined if there is none, since what was done for the key failed */
  take(key: K, result: Result | undefined): void;
}

/** The keys for which the answer was not yes. */
export class FailedKeys<K> implements Answers<K, boolean, K[]> {
  readonly results: K[] = [];

  take(key: K, yes: boolean | undefined): void {
    if (yes !== true) this.results.push(key);
  }
}

/** The new numbers of those counters that are there. */
export class NewNumbers<K> implements Answers<K, number | bigint | undefined, Map<K, number>> {
  readonly results: Map<K, number> = new Map<K, number>();

  take(key: K, value: number | bigint | undefined): void {
    if (value !== undefined) this.results.set(key, Number(value));
  }
}
