import type { Given } from "../client/calls/keys.js";
import type { CallOptions } from "../client/calls/options.js";
import type { Client } from "../client/client.js";
import type { ValueWithCas } from "../commands/retrieval.js";
import { PartialError } from "../errors.js";
import type { Key } from "../protocol/key.js";
import type { Call } from "./call.js";
import type { Changes } from "./changes.js";
import type { Pair } from "./pair.js";
import type { Transfer } from "./transfer.js";

/** Reading: first where the last word is, and in the old cluster what is missing there. */
export class Reads<Value> {
  readonly #pair: Pair<Value>;
  readonly #transfer: Transfer<Value>;
  readonly #changes: Changes<Value>;

  constructor(pair: Pair<Value>, transfer: Transfer<Value>, changes: Changes<Value>) {
    this.#pair = pair;
    this.#transfer = transfer;
    this.#changes = changes;
  }

  async get<T>(key: Key, call: Call): Promise<T | undefined> {
    const { settings, primary, old } = this.#pair;
    const { reads } = settings;
    const value = await primary.get<T>(key, call.step());
    if (value !== undefined || reads !== "both") return this.#answered(reads, value);
    const found = await old.read<T>(key, call, this.#pair.isStrict("all"));
    if (found !== undefined) this.#transfer.warm(key, call);
    return this.#answered("old", found);
  }

  /** Reads an item that the caller wants to have where the last word is. */
  async own<Result>(
    key: Key,
    call: Call,
    read: (client: Client<Value>) => Promise<Result | undefined>,
  ): Promise<Result | undefined> {
    const { settings, primary } = this.#pair;
    const { reads } = settings;
    const item = await read(primary);
    if (item !== undefined || reads !== "both") return this.#answered(reads, item);
    const outcome = await this.#changes.fetch(key, call);
    return this.#answered("old", outcome === "missing" ? undefined : await read(primary));
  }

  /** The same where reading changes the item, which is therefore brought over before. */
  async altered<Result>(
    key: Key,
    call: Call,
    read: (client: Client<Value>) => Promise<Result | undefined>,
  ): Promise<Result | undefined> {
    const { reads } = this.#pair.settings;
    return this.#answered(reads, await this.#changes.alter(key, call, read));
  }

  async has(key: Key, call: Call): Promise<boolean> {
    const { settings, from, claims, old } = this.#pair;
    if (settings.reads === "old") return from.has(key, call.step());
    const claim = await claims.look(key, call);
    if (claim?.isValue || settings.reads === "new") return claim?.isValue === true;
    return (await old.read(key, call, this.#pair.isStrict("all"))) !== undefined;
  }

  async getMulti<T, K extends Key>(keys: Iterable<K>, call: Call): Promise<Map<Given<K>, T>> {
    const asked = this.#pair.distinct(keys, call.place);
    const read = (some: readonly K[]) =>
      this.#pair.primary.getMulti<T, K>(some, this.#firstStep(call));
    return this.#many("getMulti", asked, call, read, async (missing) => {
      const required = this.#pair.isStrict("all");
      const found = await this.#pair.old.readMany<T, K>(missing, call, required);
      for (const key of found.keys()) this.#transfer.warm(key, call);
      return found;
    });
  }

  async getsMulti<T, K extends Key>(
    keys: Iterable<K>,
    call: Call,
  ): Promise<Map<Given<K>, ValueWithCas<T>>> {
    const asked = this.#pair.distinct(keys, call.place);
    const read = (some: readonly K[]) =>
      this.#pair.primary.getsMulti<T, K>(some, this.#firstStep(call));
    return this.#many("getsMulti", asked, call, read, async (missing) => {
      await Promise.all(missing.map((key) => this.#changes.fetch(key, call)));
      return read(missing);
    });
  }

  /** Reads many keys, and those that are missing in another way; whatever failed, the rest is told. */
  async #many<K extends Key, T>(
    name: string,
    keys: readonly K[],
    call: Call,
    read: (keys: readonly K[]) => Promise<Map<Given<K>, T>>,
    readMissing: (keys: readonly K[]) => Promise<Map<Given<K>, T>>,
  ): Promise<Map<Given<K>, T>> {
    const { settings, tally } = this.#pair;
    const { reads } = settings;
    const first = await findings(() => read(keys));
    const { size } = first.found;
    tally.read(reads === "old" ? "old" : "new", size);
    let missing = this.#missing(keys, first.found, first.failure, call);
    let second: Findings<K, T> = { found: new Map(), failure: undefined };
    if (reads === "both" && missing.length > 0) {
      second = await findings(() => readMissing(missing));
      for (const [key, value] of second.found) first.found.set(key, value);
      tally.read("old", second.found.size);
      missing = missing.filter((key) => !isIn(second.found, key));
    }
    tally.read("missed", missing.length);
    return whole(name, first, second);
  }

  /** The keys of which it is known that they are not there. */
  #missing<K extends Key, T>(
    keys: readonly K[],
    found: Map<Given<K>, T>,
    failure: PartialError | undefined,
    call: Call,
  ): K[] {
    const missing = keys.filter((key) => !isIn(found, key));
    if (failure === undefined) return missing;
    const { primary } = this.#pair;
    return missing.filter((key) => !failure.errors.has(primary.serverFor(key, call.place).name));
  }

  /** A server that hangs leaves time to look elsewhere for the keys of those that do not. */
  #firstStep(call: Call): CallOptions {
    return this.#pair.settings.reads === "both" ? call.firstStep() : call.step();
  }

  #answered<T>(by: "old" | "both" | "new", value: T | undefined): T | undefined {
    const answer = value === undefined ? "missed" : by === "old" ? "old" : "new";
    this.#pair.tally.read(answer);
    return value;
  }
}

/** What a call on many keys found, and what it failed with. */
interface Findings<K extends Key, T> {
  readonly found: Map<Given<K>, T>;
  readonly failure: PartialError | undefined;
}

async function findings<K extends Key, T>(
  read: () => Promise<Map<Given<K>, T>>,
): Promise<Findings<K, T>> {
  try {
    return { found: await read(), failure: undefined };
  } catch (error) {
    if (!(error instanceof PartialError)) throw error;
    return { found: error.results, failure: error };
  }
}

function whole<K extends Key, T>(
  command: string,
  { found, failure }: Findings<K, T>,
  other: Findings<K, T>,
): Map<Given<K>, T> {
  const first = failure ?? other.failure;
  if (first === undefined) return found;
  const errors = new Map([...(failure?.errors ?? []), ...(other.failure?.errors ?? [])]);
  const { message, server, sent } = first;
  throw new PartialError(message, found, errors, { server, command, sent, cause: first });
}

function isIn(map: ReadonlyMap<unknown, unknown>, key: Key): boolean {
  return map.has(key);
}
