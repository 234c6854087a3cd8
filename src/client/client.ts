import type { MetaDebug, MetaDeleted, MetaItem, MetaNumber, MetaStored } from "../commands/meta.js";
import type { ValueWithCas } from "../commands/retrieval.js";
import * as retrieval from "../commands/retrieval.js";
import * as storage from "../commands/storage.js";
import { ArgumentError } from "../errors.js";
import { exptime, type Ttl } from "../protocol/exptime.js";
import type { Key } from "../protocol/key.js";
import { asBuffer } from "../util/bytes.js";
import type { Encoded } from "../value/codec.js";
import { checkCompared } from "./calls/check.js";
import { count, countMany, type Deltas } from "./calls/counting.js";
import type { Dispatcher } from "./calls/dispatcher.js";
import type { Given } from "./calls/keys.js";
import { getMany } from "./calls/many.js";
import type { Mapping } from "./calls/mapping.js";
import * as meta from "./calls/meta.js";
import type {
  MetaArithmeticOptions,
  MetaDebugOptions,
  MetaDeleteOptions,
  MetaGetOptions,
  MetaSetOptions,
} from "./calls/metaoptions.js";
import {
  type ArithmeticOptions,
  CALL_OPTIONS,
  type CallOptions,
  type JoinOptions,
  type StoreOptions,
  storeOptions,
  type WriteOptions,
} from "./calls/options.js";
import { remove, removeMany, touchMany, touchOne } from "./calls/removing.js";
import { store, storeMany } from "./calls/storing.js";
import { Cluster, settingsOf } from "./cluster.js";
import type { Servers } from "./servers/servers.js";
import type { ClientOptions } from "./settings/configure.js";

/**
 * A memcached client for one server or many. It connects when it is first used, serves
 * any number of callers at once over one connection to each server, and never keeps an
 * idle process alive.
 *
 * A miss is `undefined`, and `null` is a value. Whatever failed rejects: nothing that
 * failed looks like a miss. Keys are 1 to 250 bytes of UTF-8, prefixes included, without
 * whitespace and control characters.
 *
 * @typeParam Value - what the values are, unless a call says otherwise
 */
export class Client<Value = unknown> extends Cluster {
  readonly #dispatcher: Dispatcher;

  /**
   * @param servers - `"127.0.0.1:11211"`, `"host:port:weight"`, `"[::1]:11211"`, a unix
   * socket's path, a `memcached://` URL, or an array of such strings and objects
   * @throws OptionError for an empty list, a server that cannot be read, or an unknown option
   */
  constructor(servers: Servers, options: ClientOptions<Value> = {}) {
    super(servers, options);
    const settings = settingsOf(this);
    this.#dispatcher = settings.dispatcher;
    const { serialize, deserialize } = Client.prototype;
    if (this.serialize !== serialize || this.deserialize !== deserialize) {
      settings.serializeWith({
        serialize: (value) => this.serialize(value as Value),
        deserialize: (data, flags) => this.deserialize(data, flags),
      });
    }
  }

  /**
   * How a value becomes data and flags. A subclass may replace it, together with
   * {@link Client.deserialize}; compression stays outside, and so does flag 8.
   */
  serialize(value: Value): Encoded | Promise<Encoded> {
    return settingsOf(this).values.encode(value, { compress: false });
  }

  /**
   * How data and flags become a value again.
   * @throws CacheMiss to make the item a miss
   */
  deserialize(data: Uint8Array, flags: number): Value | Promise<Value> {
    const { values } = settingsOf(this);
    const value = values.decode(asBuffer(data), 0, data.length, flags, true);
    return value as Value | Promise<Value>;
  }

  /**
   * Reads a value.
   * @returns undefined on a miss
   * @throws KeyError, TimeoutError, ConnectError, ConnectionClosedError, ReplyError,
   * ProtocolError, CodecError; so does every call about a key
   */
  get<T = Value>(key: Key, options?: CallOptions): Promise<T | undefined> {
    const value = this.#dispatcher.one(
      retrieval.get,
      key,
      options,
      CALL_OPTIONS,
      retrieval.getRequest,
    );
    return value as Promise<T | undefined>;
  }

  /**
   * Reads a value with the token that {@link Client.cas} needs.
   * @returns undefined on a miss
   */
  gets<T = Value>(key: Key, options?: CallOptions): Promise<ValueWithCas<T> | undefined> {
    const value = this.#dispatcher.one(
      retrieval.gets,
      key,
      options,
      CALL_OPTIONS,
      retrieval.getsRequest,
    );
    return value as Promise<ValueWithCas<T> | undefined>;
  }

  /**
   * Reads many keys, all at once on every server concerned.
   * @returns a Map of the items that are there, by the keys as they were given and in their
   * order; a miss has no entry. Equal texts have one entry, and equal bytes one each, since a Map
   * tells them apart
   * @throws PartialError if a server failed; its `results` hold what the others answered
   */
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
    const values = getMany(this.#dispatcher, keys, false, options);
    return values as Promise<Map<Given<K>, T>>;
  }

  /** Reads many keys as {@link Client.getMulti} does, each value with its cas token. */
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
    const values = getMany(this.#dispatcher, keys, true, options);
    return values as Promise<Map<Given<K>, ValueWithCas<T>>>;
  }

  /**
   * Reads a value and gives its item a new ttl. It needs memcached 1.6.
   * @returns undefined on a miss
   * @throws NotSupportedError from a server without meta commands
   */
  getAndTouch<T = Value>(key: Key, ttl: Ttl, options?: CallOptions): Promise<T | undefined> {
    const value = this.#dispatcher.one(
      retrieval.getAndTouch,
      key,
      options,
      CALL_OPTIONS,
      (wireKey) => retrieval.getAndTouchRequest(wireKey, false, exptime(ttl, Date.now)),
    );
    return value as Promise<T | undefined>;
  }

  /** Reads a value as {@link Client.getAndTouch} does, with its cas token. */
  getsAndTouch<T = Value>(
    key: Key,
    ttl: Ttl,
    options?: CallOptions,
  ): Promise<ValueWithCas<T> | undefined> {
    const value = this.#dispatcher.one(
      retrieval.getsAndTouch,
      key,
      options,
      CALL_OPTIONS,
      (wireKey) => retrieval.getAndTouchRequest(wireKey, true, exptime(ttl, Date.now)),
    );
    return value as Promise<ValueWithCas<T> | undefined>;
  }

  /**
   * Whether a key has an item, without transferring its value. It needs memcached 1.6.
   * @throws NotSupportedError from a server without meta commands
   */
  has(key: Key, options?: CallOptions): Promise<boolean> {
    return this.#dispatcher.one(retrieval.has, key, options, CALL_OPTIONS, retrieval.hasRequest);
  }

  /**
   * Stores a value, whatever the key held.
   * @param options - a number or a Date is short for `{ ttl }`
   * @returns true
   * @throws CodecError for a value that cannot be encoded, ValueTooLargeError, OptionError;
   * so does every call that stores
   */
  set(key: Key, value: Value, options?: StoreOptions | Ttl): Promise<boolean> {
    return store(this.#dispatcher, storage.set, key, value, storeOptions(options));
  }

  /**
   * Stores a value only if the key has none.
   * @returns false if it has
   */
  add(key: Key, value: Value, options?: StoreOptions | Ttl): Promise<boolean> {
    return store(this.#dispatcher, storage.add, key, value, storeOptions(options));
  }

  /**
   * Stores a value only if the key has one.
   * @returns false if it has none
   */
  replace(key: Key, value: Value, options?: StoreOptions | Ttl): Promise<boolean> {
    return store(this.#dispatcher, storage.replace, key, value, storeOptions(options));
  }

  /**
   * Puts a string's or an array's bytes behind those that the key holds; ttl and flags stay.
   * @returns false on a miss, where the whole would be over the server's item limit, and where
   * extstore has the item on disk, since memcached says the same to all of them
   */
  append(key: Key, value: string | Uint8Array, options?: JoinOptions): Promise<boolean> {
    return store(this.#dispatcher, storage.append, key, value, options);
  }

  /**
   * Puts a string's or an array's bytes before those that the key holds; ttl and flags stay.
   * @returns false as `append`
   */
  prepend(key: Key, value: string | Uint8Array, options?: JoinOptions): Promise<boolean> {
    return store(this.#dispatcher, storage.prepend, key, value, options);
  }

  /**
   * Stores a value only if the item is still the one that `gets` read.
   * @param cas - the token that `gets` returned
   * @returns false if the item was changed or is gone
   * @throws NotSupportedError for the token 0: the server keeps none (`memcached -C`)
   */
  async cas(key: Key, value: Value, cas: bigint, options?: StoreOptions | Ttl): Promise<boolean> {
    const token = checkCompared(cas, "cas", ArgumentError);
    return store(this.#dispatcher, storage.cas, key, value, storeOptions(options), token);
  }

  /**
   * Stores many values, all at once on every server concerned. All are encoded before
   * the first is sent.
   * @param mapping - a Map, an array of pairs, or a plain object
   * @returns the keys that were not stored
   * @throws PartialError if a server failed; its `results` are the keys that were not stored
   */
  setMulti<K extends Key = string>(
    mapping: Mapping<Value, K>,
    options?: StoreOptions | Ttl,
  ): Promise<Given<K>[]> {
    const given = storeOptions(options);
    const failed = storeMany(this.#dispatcher, storage.setMulti, mapping, given);
    return failed as Promise<Given<K>[]>;
  }

  /**
   * Stores many values, each only if its key has none.
   * @returns the keys that were not stored
   * @throws PartialError as {@link Client.setMulti} does
   */
  addMulti<K extends Key = string>(
    mapping: Mapping<Value, K>,
    options?: StoreOptions | Ttl,
  ): Promise<Given<K>[]> {
    const given = storeOptions(options);
    const failed = storeMany(this.#dispatcher, storage.addMulti, mapping, given);
    return failed as Promise<Given<K>[]>;
  }

  /**
   * Deletes an item.
   * @returns false on a miss
   */
  delete(key: Key, options?: WriteOptions): Promise<boolean> {
    return remove(this.#dispatcher, key, options);
  }

  /**
   * Deletes many items.
   * @returns the keys that had none
   * @throws PartialError if a server failed; its `results` are the keys not known to be deleted
   */
  deleteMulti<K extends Key>(
    keys: Iterable<K> & object,
    options?: WriteOptions,
  ): Promise<Given<K>[]> {
    return removeMany(this.#dispatcher, keys as Iterable<Given<K>>, options);
  }

  /**
   * Gives an item a new ttl.
   * @returns false on a miss; always true with `noreply`
   */
  touch(key: Key, ttl: Ttl, options?: WriteOptions): Promise<boolean> {
    return touchOne(this.#dispatcher, key, ttl, options);
  }

  /**
   * Gives many items a new ttl.
   * @returns the keys that had none
   * @throws PartialError if a server failed; its `results` are the keys not known to be touched
   */
  touchMulti<K extends Key>(
    keys: Iterable<K> & object,
    ttl: Ttl,
    options?: WriteOptions,
  ): Promise<Given<K>[]> {
    return touchMany(this.#dispatcher, keys as Iterable<Given<K>>, ttl, options);
  }

  /**
   * Adds to a counter, which wraps at 2^64.
   * @param delta - a whole number, not negative
   * @returns the new number, a bigint if the delta is one; undefined on a miss without
   * `initial`, and always with `noreply`
   * @throws ClientErrorReply if the item is not a number; CodecError if the result is past
   * 2^53 and the delta was not a bigint (the counter has changed then)
   */
  incr(key: Key, delta?: number, options?: ArithmeticOptions): Promise<number | undefined>;
  incr(key: Key, delta: bigint, options?: ArithmeticOptions): Promise<bigint | undefined>;
  incr(
    key: Key,
    delta: number | bigint = 1,
    options?: ArithmeticOptions,
  ): Promise<number | bigint | undefined> {
    return count(this.#dispatcher, "incr", key, delta, options);
  }

  /** Subtracts from a counter, which stops at 0. As {@link Client.incr} otherwise. */
  decr(key: Key, delta?: number, options?: ArithmeticOptions): Promise<number | undefined>;
  decr(key: Key, delta: bigint, options?: ArithmeticOptions): Promise<bigint | undefined>;
  decr(
    key: Key,
    delta: number | bigint = 1,
    options?: ArithmeticOptions,
  ): Promise<number | bigint | undefined> {
    return count(this.#dispatcher, "decr", key, delta, options);
  }

  /**
   * Adds to many counters.
   * @param keys - keys that share the delta, or a Map with a delta for each
   * @returns a Map of the new numbers; a miss has no entry
   * @throws PartialError if a server failed or an item is not a number
   */
  incrMulti<K extends Key>(
    keys: Deltas<K>,
    delta = 1,
    options?: ArithmeticOptions,
  ): Promise<Map<Given<K>, number>> {
    return countMany(this.#dispatcher, "incr", keys as Deltas<Given<K>>, delta, options);
  }

  /** Subtracts from many counters, as {@link Client.incrMulti} adds. */
  decrMulti<K extends Key>(
    keys: Deltas<K>,
    delta = 1,
    options?: ArithmeticOptions,
  ): Promise<Map<Given<K>, number>> {
    return countMany(this.#dispatcher, "decr", keys as Deltas<Given<K>>, delta, options);
  }

  /**
   * `mg` with every flag as a named option. It needs memcached 1.6.
   * @returns the item and what was asked about it, or undefined on a miss
   */
  metaGet<T = Value>(key: Key, options: MetaGetOptions = {}): Promise<MetaItem<T> | undefined> {
    const item = meta.metaGet(this.#dispatcher, key, options);
    return item as Promise<MetaItem<T> | undefined>;
  }

  /**
   * `ms` with every flag as a named option. It needs memcached 1.6.10. To append or prepend takes a
   * string or a Uint8Array, as {@link Client.append} does.
   * @throws CodecError, ValueTooLargeError as {@link Client.set} does
   */
  metaSet(key: Key, value: Value, options: MetaSetOptions = {}): Promise<MetaStored> {
    return meta.metaSet(this.#dispatcher, key, value, options);
  }

  /** `md` with every flag as a named option. It needs memcached 1.6. */
  metaDelete(key: Key, options: MetaDeleteOptions = {}): Promise<MetaDeleted> {
    return meta.metaDelete(this.#dispatcher, key, options);
  }

  /** `ma` with every flag as a named option. It needs memcached 1.6. */
  metaArithmetic(key: Key, options: MetaArithmeticOptions = {}): Promise<MetaNumber> {
    return meta.metaArithmetic(this.#dispatcher, key, options);
  }

  /**
   * `me`: what the server knows of an item. It needs memcached 1.6.
   * @returns undefined on a miss
   */
  metaDebug(key: Key, options?: MetaDebugOptions): Promise<MetaDebug | undefined> {
    return meta.metaDebug(this.#dispatcher, key, options);
  }
}
