import { FailedKeys, NewNumbers } from "../client/calls/answers.js";
import { countedBy, type Deltas } from "../client/calls/counting.js";
import { callsOf, eachCall } from "../client/calls/each.js";
import type { Given } from "../client/calls/keys.js";
import { entriesOf, type Mapping } from "../client/calls/mapping.js";
import {
  ARITHMETIC_OPTIONS,
  type ArithmeticOptions,
  CALL_OPTIONS,
  type CallOptions,
  FLUSH_OPTIONS,
  type FlushOptions,
  type JoinOptions,
  STORE_OPTIONS,
  type StoreOptions,
  storeOptions,
  WRITE_OPTIONS,
  type WriteOptions,
} from "../client/calls/options.js";
import type { Client } from "../client/client.js";
import type { ValueWithCas } from "../commands/retrieval.js";
import { NotSupportedError } from "../errors.js";
import type { Ttl } from "../protocol/exptime.js";
import type { Key } from "../protocol/key.js";
import { checkOptions } from "../util/check.js";
import { ownOptions } from "../util/names.js";
import type { Call } from "./call.js";
import { Changes, checkItem, writing } from "./changes.js";
import type { MigrationOptions } from "./options.js";
import type { Pair } from "./pair.js";
import { Reads } from "./reads.js";
import { Transfer } from "./transfer.js";
import { type MigrationClients, pairOf, Transition } from "./transition.js";

/** The calls of a client that a migration has, with the same arguments and results. */
type Calls<Value> = Pick<
  Client<Value>,
  | ("get" | "gets" | "getMulti" | "getsMulti" | "getAndTouch" | "getsAndTouch" | "has")
  | ("set" | "add" | "replace" | "append" | "prepend" | "cas" | "setMulti" | "addMulti")
  | ("delete" | "deleteMulti" | "touch" | "touchMulti" | "flushAll" | "closed" | "close")
  | ("incr" | "decr" | "incrMulti" | "decrMulti")
  | ("metaGet" | "metaSet" | "metaDelete" | "metaArithmetic" | "metaDebug")
>;

/**
 * A client that moves from one cluster to another while it is in use: it reads the new
 * one, looks in the old one for what is missing, and brings that over. What is changed is
 * changed in one cluster and deleted in the other, so that neither ever has an older value
 * than the other, and there is a way back.
 *
 * The calls are those of {@link Client}; the results, errors and options are, too. Silent
 * calls (`noreply`) are answered nonetheless, since their order matters.
 */
export class Migration<Value = unknown> extends Transition<Value> implements Calls<Value> {
  readonly #pair: Pair<Value>;
  readonly #changes: Changes<Value>;
  readonly #reads: Reads<Value>;

  /**
   * @throws OptionError for an unknown option or one out of its range, and for clusters
   * that share a server without a `keyPrefix` to tell their items apart
   */
  constructor(clients: MigrationClients<Value>, options: MigrationOptions = {}) {
    super(clients, options);
    const pair = pairOf(this);
    const transfer = new Transfer(pair);
    this.#pair = pair;
    this.#changes = new Changes(pair, transfer);
    this.#reads = new Reads(pair, transfer, this.#changes);
  }

  /** Reads a value, and brings it over in the background if the old cluster alone has it. */
  get<T = Value>(key: Key, options?: CallOptions): Promise<T | undefined> {
    return this.#pair.run("get", options, CALL_OPTIONS, (call) => this.#reads.get<T>(key, call));
  }

  /** Reads a value with its token, which is one of the cluster that `reads` stands for. */
  gets<T = Value>(key: Key, options?: CallOptions): Promise<ValueWithCas<T> | undefined> {
    return this.#pair.run("gets", options, CALL_OPTIONS, (call) =>
      this.#reads.own(key, call, (client) => client.gets<T>(key, call.step())),
    );
  }

  /** Reads many keys as {@link Migration.get} reads one. */
  getMulti<T = Value>(
    keys: Iterable<string> & object,
    options?: CallOptions,
  ): Promise<Map<string, T>>;
  getMulti<T = Value, K extends Key = Key>(
    keys: Iterable<K> & object,
    options?: CallOptions,
  ): Promise<Map<Given<K>, T>>;
  getMulti<T, K extends Key>(
    keys: Iterable<K> & object,
    options?: CallOptions,
  ): Promise<Map<Given<K>, T>> {
    return this.#pair.run("getMulti", options, CALL_OPTIONS, (call) =>
      this.#reads.getMulti(keys, call),
    );
  }

  /** Reads many keys as {@link Migration.gets} reads one; values are brought over before it resolves. */
  getsMulti<T = Value>(
    keys: Iterable<string> & object,
    options?: CallOptions,
  ): Promise<Map<string, ValueWithCas<T>>>;
  getsMulti<T = Value, K extends Key = Key>(
    keys: Iterable<K> & object,
    options?: CallOptions,
  ): Promise<Map<Given<K>, ValueWithCas<T>>>;
  getsMulti<T, K extends Key>(
    keys: Iterable<K> & object,
    options?: CallOptions,
  ): Promise<Map<Given<K>, ValueWithCas<T>>> {
    return this.#pair.run("getsMulti", options, CALL_OPTIONS, (call) =>
      this.#reads.getsMulti(keys, call),
    );
  }

  /** Brings the value over, then reads it and gives its item a new ttl. */
  getAndTouch<T = Value>(key: Key, ttl: Ttl, options?: CallOptions): Promise<T | undefined> {
    return this.#pair.run("getAndTouch", options, CALL_OPTIONS, (call) =>
      this.#reads.altered(key, call, (client) => client.getAndTouch<T>(key, ttl, call.step())),
    );
  }

  /** Reads a value as {@link Migration.getAndTouch} does, with its token. */
  getsAndTouch<T = Value>(
    key: Key,
    ttl: Ttl,
    options?: CallOptions,
  ): Promise<ValueWithCas<T> | undefined> {
    return this.#pair.run("getsAndTouch", options, CALL_OPTIONS, (call) =>
      this.#reads.altered(key, call, (client) => client.getsAndTouch<T>(key, ttl, call.step())),
    );
  }

  /** Whether a key has an item; where both clusters may have it, its value is transferred. */
  has(key: Key, options?: CallOptions): Promise<boolean> {
    return this.#pair.run("has", options, CALL_OPTIONS, (call) => this.#reads.has(key, call));
  }

  /** Stores a value in the cluster that values are stored in, and deletes it in the other. */
  set(key: Key, value: Value, options?: StoreOptions | Ttl): Promise<boolean> {
    return this.#store("set", options, (call, given) =>
      this.#changes.change(key, call, (client) => client.set(key, value, writing(given, call))),
    );
  }

  /** Stores a value only if the key has none: one that the old cluster has is brought over. */
  add(key: Key, value: Value, options?: StoreOptions | Ttl): Promise<boolean> {
    return this.#store("add", options, (call, given) => this.#changes.add(key, value, call, given));
  }

  /** Brings the value over, then stores another in its place; false if there is none. */
  replace(key: Key, value: Value, options?: StoreOptions | Ttl): Promise<boolean> {
    return this.#store("replace", options, (call, given) =>
      this.#changes.replace(key, value, call, given),
    );
  }

  /** Brings the value over, then puts bytes behind it, as {@link Client.append} does. */
  append(key: Key, value: string | Uint8Array, options?: JoinOptions): Promise<boolean> {
    return this.#pair.run("append", options, WRITE_OPTIONS, (call) =>
      this.#changes.alter(key, call, (client) => client.append(key, value, writing(options, call))),
    );
  }

  /** Brings the value over, then puts bytes before it. */
  prepend(key: Key, value: string | Uint8Array, options?: JoinOptions): Promise<boolean> {
    return this.#pair.run("prepend", options, WRITE_OPTIONS, (call) =>
      this.#changes.alter(key, call, (client) =>
        client.prepend(key, value, writing(options, call)),
      ),
    );
  }

  /** Stores if the token is still the item's: one from before `reads` was changed is not. */
  cas(key: Key, value: Value, cas: bigint, options?: StoreOptions | Ttl): Promise<boolean> {
    return this.#store("cas", options, (call, given) =>
      this.#changes.change(key, call, (client) =>
        client.cas(key, value, cas, writing(given, call)),
      ),
    );
  }

  /** Stores many values as {@link Migration.set} stores one. @returns the keys that were not stored */
  async setMulti<K extends Key = string>(
    mapping: Mapping<Value, K>,
    options?: StoreOptions | Ttl,
  ): Promise<Given<K>[]> {
    const entries = [...entriesOf(mapping)];
    const keys = entries.map(([key]) => key);
    return this.#store("setMulti", options, (call, given) =>
      this.#changes.changeMany(keys, call, (client) =>
        client.setMulti(entries, writing(given, call)),
      ),
    );
  }

  /** Stores many values as {@link Migration.add} stores one. @returns the keys that were not stored */
  async addMulti<K extends Key = string>(
    mapping: Mapping<Value, K>,
    options?: StoreOptions | Ttl,
  ): Promise<Given<K>[]> {
    const given = storeOptions(options);
    checkOptions(given, STORE_OPTIONS, "addMulti");
    const values = new Map<Key, Value>(entriesOf(mapping));
    const keys = values.keys() as Iterable<Given<K>>;
    const calls = callsOf(keys, (key) => this.add(key, values.get(key) as Value, given));
    return eachCall("addMulti", calls, new FailedKeys<Given<K>>(), this.#pair.home(given));
  }

  /** Deletes an item in both clusters. @throws what either failed with: then it may still be in one */
  delete(key: Key, options?: WriteOptions): Promise<boolean> {
    return this.#pair.run("delete", options, WRITE_OPTIONS, (call) =>
      this.#changes.remove(key, call, options),
    );
  }

  /** Deletes many items in both clusters. @returns the keys that had none */
  deleteMulti<K extends Key>(
    keys: Iterable<K> & object,
    options?: WriteOptions,
  ): Promise<Given<K>[]> {
    const given = keys as Iterable<Given<K>>;
    return this.#pair.run("deleteMulti", options, WRITE_OPTIONS, (call) =>
      this.#changes.removeMany(this.#pair.distinct(given, options), call, options),
    );
  }

  /** Brings the value over, then gives its item a new ttl; false on a miss. */
  touch(key: Key, ttl: Ttl, options?: WriteOptions): Promise<boolean> {
    return this.#pair.run("touch", options, WRITE_OPTIONS, (call) =>
      this.#changes.alter(key, call, (client) => client.touch(key, ttl, writing(options, call))),
    );
  }

  /** Gives many items a new ttl as {@link Migration.touch} does one. @returns the keys that had none */
  async touchMulti<K extends Key>(
    keys: Iterable<K> & object,
    ttl: Ttl,
    options?: WriteOptions,
  ): Promise<Given<K>[]> {
    checkOptions(options, WRITE_OPTIONS, "touchMulti");
    const distinct = this.#pair.distinct(keys as Iterable<Given<K>>, options);
    const calls = callsOf(distinct, (key) => this.touch(key, ttl, options));
    return eachCall("touchMulti", calls, new FailedKeys<Given<K>>(), this.#pair.home(options));
  }

  /** Brings the counter over, then adds to it, as {@link Client.incr} does. */
  incr(key: Key, delta?: number, options?: ArithmeticOptions): Promise<number | undefined>;
  incr(key: Key, delta: bigint, options?: ArithmeticOptions): Promise<bigint | undefined>;
  incr(
    key: Key,
    delta: number | bigint = 1,
    options?: ArithmeticOptions,
  ): Promise<number | bigint | undefined> {
    return this.#count("incr", key, delta, options);
  }

  /** Brings the counter over, then subtracts from it, and stops at 0. */
  decr(key: Key, delta?: number, options?: ArithmeticOptions): Promise<number | undefined>;
  decr(key: Key, delta: bigint, options?: ArithmeticOptions): Promise<bigint | undefined>;
  decr(
    key: Key,
    delta: number | bigint = 1,
    options?: ArithmeticOptions,
  ): Promise<number | bigint | undefined> {
    return this.#count("decr", key, delta, options);
  }

  /** Adds to many counters as {@link Migration.incr} does. @returns a Map of the new numbers */
  incrMulti<K extends Key>(
    keys: Deltas<K>,
    delta = 1,
    options?: ArithmeticOptions,
  ): Promise<Map<Given<K>, number>> {
    return this.#countMany<K>("incr", keys as Deltas<Given<K>>, delta, options);
  }

  /** Subtracts from many counters as {@link Migration.decr} does. @returns a Map of the new numbers */
  decrMulti<K extends Key>(
    keys: Deltas<K>,
    delta = 1,
    options?: ArithmeticOptions,
  ): Promise<Map<Given<K>, number>> {
    return this.#countMany<K>("decr", keys as Deltas<Given<K>>, delta, options);
  }

  /** @throws NotSupportedError: it is about one server's item, and here there may be two */
  metaGet(): Promise<never> {
    return notSupported("metaGet");
  }

  /** @throws NotSupportedError as {@link Migration.metaGet} does */
  metaSet(): Promise<never> {
    return notSupported("metaSet");
  }

  /** @throws NotSupportedError as {@link Migration.metaGet} does */
  metaDelete(): Promise<never> {
    return notSupported("metaDelete");
  }

  /** @throws NotSupportedError as {@link Migration.metaGet} does */
  metaArithmetic(): Promise<never> {
    return notSupported("metaArithmetic");
  }

  /** @throws NotSupportedError as {@link Migration.metaGet} does */
  metaDebug(): Promise<never> {
    return notSupported("metaDebug");
  }

  /** Empties the old cluster, then the new one. */
  flushAll(options?: FlushOptions): Promise<boolean> {
    return this.#pair.run("flushAll", options, FLUSH_OPTIONS, async () => {
      await this.from.flushAll(options);
      return this.to.flushAll(options);
    });
  }

  /** Stores something; what is wrong with its options is found before anything is deleted. */
  #store<Result>(
    name: string,
    options: StoreOptions | Ttl | undefined,
    work: (call: Call, given: StoreOptions | undefined) => Promise<Result>,
  ): Promise<Result> {
    const given = storeOptions(options);
    return this.#pair.run(name, given, STORE_OPTIONS, (call) => {
      checkItem(given);
      return work(call, given && ownOptions(given));
    });
  }

  #count(
    mode: "incr" | "decr",
    key: Key,
    delta: number | bigint,
    options: ArithmeticOptions | undefined,
  ): Promise<number | bigint | undefined> {
    return this.#pair.run(mode, options, ARITHMETIC_OPTIONS, (call) => {
      const own = options && ownOptions(options);
      return this.#changes.alter<number | bigint | undefined>(key, call, (client) => {
        const given = writing(own, call);
        return typeof delta === "bigint"
          ? client[mode](key, delta, given)
          : client[mode](key, delta, given);
      });
    });
  }

  async #countMany<K extends Key>(
    mode: "incr" | "decr",
    keys: Deltas<Given<K>>,
    delta: number,
    options: ArithmeticOptions | undefined,
  ): Promise<Map<Given<K>, number>> {
    checkOptions(options, ARITHMETIC_OPTIONS, `${mode}Multi`);
    const given = countedBy(keys, delta);
    const calls = callsOf(this.#pair.distinct(given.keys, options), (key) =>
      this.#count(mode, key, given.deltaOf(key), options),
    );
    const home = this.#pair.home(options);
    return eachCall(`${mode}Multi`, calls, new NewNumbers<Given<K>>(), home);
  }
}

async function notSupported(command: string): Promise<never> {
  throw new NotSupportedError(
    `${command} is about one server's item, and a migration has two clusters; call it on migration.to or migration.from`,
    { command },
  );
}
