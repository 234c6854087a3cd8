import { setRequest } from "../commands/storage.js";
import { encodeValue } from "../commands/value.js";
import { ArgumentError, ValueTooLargeError } from "../errors.js";
import type { Command } from "../operation.js";
import { exptime } from "../protocol/exptime.js";
import { describeKey, type Key, keyText } from "../protocol/key.js";
import type { KeyRequest, SetMode } from "../protocol/request.js";
import { checkBoolean, checkInteger, checkOptions } from "../util/check.js";
import { show } from "../util/show.js";
import type { Encoded } from "../value/codec.js";
import type { Chunking, Dispatcher } from "./dispatcher.js";
import { eachCall, verdicts } from "./each.js";
import type { Reject, Resolve } from "./gathering.js";
import { eachKey, eachKeyNow, homeOf } from "./many.js";
import { entriesOf, type Mapping } from "./mapping.js";
import { checkCompress, STORE_OPTIONS, type StoreOptions, WRITE_OPTIONS } from "./options.js";

/** Calls that store: the value is encoded first, and nothing is sent if that fails. */

const PART = { part: true };

const TTL_INSTEAD = "a ttl (whole seconds, or a Date)";

/** Stores one value; `compareCas` makes it depend on the item's token. */
export function store(
  dispatcher: Dispatcher,
  command: Command<boolean>,
  mode: SetMode,
  key: Key,
  value: unknown,
  options: StoreOptions | undefined,
  compareCas?: bigint,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const part = mode === "append" || mode === "prepend";
    if (part) {
      checkOptions(options, WRITE_OPTIONS, command.name);
      checkPart(command.name, value);
    } else {
      checkOptions(options, STORE_OPTIONS, command.name, TTL_INSTEAD);
      if (options !== undefined) checkCompress(options.compress);
    }
    const wireKey = dispatcher.key(key, options);
    const encoded = encodeValue(
      dispatcher.codec,
      value,
      part ? PART : options,
      wireKey,
      command.name,
    );
    const { chunks } = dispatcher;
    if (chunks !== undefined) {
      resolve(chunks.store({ command, mode, wireKey, compareCas }, encoded, options));
    } else {
      send(dispatcher, command, mode, wireKey, encoded, options, compareCas, resolve, reject);
    }
  });
}

/** Sends an encoded value, in its turn among the calls on its key. */
export function send(
  dispatcher: Dispatcher,
  command: Command<boolean>,
  mode: SetMode,
  wireKey: string,
  encoded: Encoded | Promise<Encoded>,
  options: StoreOptions | undefined,
  compareCas: bigint | undefined,
  resolve: Resolve<boolean>,
  reject: Reject,
): void {
  if (encoded instanceof Promise) {
    const sendNow = (data: Encoded) => {
      checkSize(dispatcher, command.name, data, wireKey);
      const request = storageRequest(dispatcher, mode, wireKey, data, options, compareCas);
      dispatcher.sendNow(command, request, wireKey, options, resolve, reject);
    };
    dispatcher.hold([wireKey], encoded, sendNow).catch(reject);
  } else {
    checkSize(dispatcher, command.name, encoded, wireKey);
    const request = storageRequest(dispatcher, mode, wireKey, encoded, options, compareCas);
    dispatcher.send(command, request, wireKey, options, resolve, reject);
  }
}

/** Stores many values, all at once on every server concerned; resolves to the keys that failed. */
export function storeMany(
  dispatcher: Dispatcher,
  command: Command<boolean>,
  mode: SetMode,
  mapping: Mapping<unknown>,
  options: StoreOptions | undefined,
): Promise<Key[]> {
  return new Promise((resolve, reject) => {
    checkOptions(options, STORE_OPTIONS, command.name, TTL_INSTEAD);
    checkCompress(options?.compress);
    const { chunks } = dispatcher;
    if (chunks !== undefined) {
      storeEach(dispatcher, chunks, command, mode, mapping, options, resolve, reject);
      return;
    }
    const { requests, wireKeys, encoding } = encodeAll(dispatcher, command, mode, mapping, options);
    const { failed, settled } = verdicts<Key>();
    if (encoding.length === 0) {
      eachKey(dispatcher, command, requests, failed, options, settled, resolve, reject);
    } else {
      const send = () =>
        eachKeyNow(dispatcher, command, requests, failed, options, settled, resolve, reject);
      dispatcher.hold(wireKeys, Promise.all(encoding), send).catch(reject);
    }
  });
}

/** The requests of many values. */
interface Batch {
  readonly requests: Map<Key, KeyRequest>;
  /** The keys as they are sent, in order, also of those without a request yet. */
  readonly wireKeys: readonly string[];
  /** What is still being encoded, and makes its request when it is done. */
  readonly encoding: readonly Promise<void>[];
}

/**
 * Makes every request of a mapping, so that all values are encoded before the first byte
 * is sent.
 */
function encodeAll(
  dispatcher: Dispatcher,
  command: Command<boolean>,
  mode: SetMode,
  mapping: Mapping<unknown>,
  options: StoreOptions | undefined,
): Batch {
  const requests = new Map<Key, KeyRequest>();
  const wireKeys: string[] = [];
  const encoding: Promise<void>[] = [];
  for (const [key, value] of entriesOf(mapping)) {
    const wireKey = dispatcher.key(key, options);
    wireKeys.push(wireKey);
    const encoded = encodeValue(dispatcher.codec, value, options, wireKey, command.name);
    const keep = (data: Encoded) => {
      checkSize(dispatcher, command.name, data, wireKey);
      requests.set(key, storageRequest(dispatcher, mode, wireKey, data, options));
    };
    if (encoded instanceof Promise) encoding.push(heard(encoded.then(keep)));
    else keep(encoded);
  }
  return { requests, wireKeys, encoding };
}

/** A promise that may fail without its call, which another key has ended by then. */
function heard<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {});
  return promise;
}

/** The same where each value may take several items: one call for each. */
function storeEach(
  dispatcher: Dispatcher,
  chunks: Chunking,
  command: Command<boolean>,
  mode: SetMode,
  mapping: Mapping<unknown>,
  options: StoreOptions | undefined,
  resolve: Resolve<Key[]>,
  reject: Reject,
): void {
  const calls = new Map<Key, () => Promise<boolean>>();
  const encoding: Promise<Encoded>[] = [];
  for (const [key, value] of entriesOf(mapping)) {
    const wireKey = dispatcher.key(key, options);
    const encoded = encodeValue(dispatcher.codec, value, options, wireKey, command.name);
    if (encoded instanceof Promise) encoding.push(heard(encoded));
    const storing = { command, mode, wireKey, compareCas: undefined };
    calls.set(key, () => chunks.store(storing, encoded, options));
  }
  const { failed, settled } = verdicts<Key>();
  const home = (key: Key) => homeOf(dispatcher, key, options);
  const callAll = () => eachCall(command.name, calls, home, failed, settled, resolve, reject);
  if (encoding.length === 0) callAll();
  else Promise.all(encoding).then(callAll).catch(reject);
}

function storageRequest(
  dispatcher: Dispatcher,
  mode: SetMode,
  wireKey: string,
  encoded: Encoded,
  options: StoreOptions | undefined,
  compareCas?: bigint,
): KeyRequest {
  const { data } = encoded;
  if (options === undefined) {
    return setRequest(mode, wireKey, data, encoded.flags, 0, compareCas, dispatcher.noreply);
  }
  const { ttl = 0, flags = encoded.flags, noreply = dispatcher.noreply } = options;
  return setRequest(
    mode,
    wireKey,
    data,
    checkInteger(flags, "flags", 0, 0xffffffff),
    exptime(ttl, Date.now),
    compareCas,
    checkBoolean(noreply, "noreply"),
  );
}

/** What stands at an end of a number or of JSON makes neither. */
function checkPart(name: string, value: unknown): void {
  if (typeof value === "string" || value instanceof Uint8Array) return;
  throw new ArgumentError(`${name} takes a string or a Uint8Array, not ${show(value)}`);
}

/** @throws ValueTooLargeError for more than the client may store */
export function checkSize(
  { maxValueSize }: Dispatcher,
  command: string,
  { data }: Encoded,
  wireKey: string,
): void {
  const size = data.length;
  if (size <= maxValueSize) return;
  throw new ValueTooLargeError(
    `The value of ${describeKey(wireKey)} is ${size} bytes and maxValueSize is ${maxValueSize}; raise it if the server's item limit (memcached -I) is higher, or set chunk to store it in several items`,
    size,
    maxValueSize,
    { command, key: keyText(wireKey) },
  );
}
