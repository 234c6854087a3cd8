import { setRequest } from "../commands/storage.js";
import { ArgumentError, concerning, ValueTooLargeError } from "../errors.js";
import type { Command } from "../operation.js";
import { exptime } from "../protocol/exptime.js";
import { type Key, keyText } from "../protocol/key.js";
import type { KeyRequest, SetMode } from "../protocol/request.js";
import type { Encoded, EncodeOptions } from "../value/codec.js";
import { checkBoolean, checkInteger, checkOptions, show } from "./check.js";
import type { Chunking, Dispatcher } from "./dispatcher.js";
import type { Reject, Resolve } from "./gathering.js";
import { eachCall, eachKey } from "./many.js";
import { entriesOf, type Mapping } from "./mapping.js";
import { checkCompress, STORE_OPTIONS, type StoreOptions, WRITE_OPTIONS } from "./options.js";

/** Calls that store: the value is encoded first, and nothing is sent if that fails. */

const PART = { part: true };

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
    checkOptions(options, part ? WRITE_OPTIONS : STORE_OPTIONS, command.name);
    if (part) checkPart(command.name, value);
    const wireKey = dispatcher.key(key, options);
    const encoded = encode(dispatcher, command, value, part ? PART : options, wireKey);
    const { chunks } = dispatcher;
    if (chunks !== undefined) {
      resolve(chunks.store({ command, mode, wireKey, compareCas }, encoded, options));
    } else {
      send(dispatcher, command, mode, wireKey, encoded, options, compareCas, resolve, reject);
    }
  });
}

/**
 * Encodes one value; what cannot be encoded says whose value it is. A promise's failure may be
 * left alone: a call on many keys that has failed already does not come back to the others.
 */
export function encode(
  dispatcher: Dispatcher,
  { name }: Command<unknown>,
  value: unknown,
  options: EncodeOptions | undefined,
  wireKey: string,
): Encoded | Promise<Encoded> {
  if (options?.compress !== undefined) checkCompress(options.compress);
  try {
    const encoded = dispatcher.codec.encode(value, options, wireKey);
    if (!(encoded instanceof Promise)) return encoded;
    const encoding = encodeLater(encoded, name, wireKey);
    encoding.catch(() => {});
    return encoding;
  } catch (error) {
    throw concerning(error, { command: name, key: keyText(wireKey) });
  }
}

async function encodeLater(
  encoding: Promise<Encoded>,
  command: string,
  wireKey: string,
): Promise<Encoded> {
  try {
    return await encoding;
  } catch (error) {
    throw concerning(error, { command, key: keyText(wireKey) });
  }
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
      const request = storageRequest(dispatcher, command, mode, wireKey, data, options, compareCas);
      dispatcher.sendNow(command, request, wireKey, options, resolve, reject);
    };
    dispatcher.hold(wireKey, encoded, sendNow).catch(reject);
  } else {
    const request = storageRequest(
      dispatcher,
      command,
      mode,
      wireKey,
      encoded,
      options,
      compareCas,
    );
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
    checkOptions(options, STORE_OPTIONS, command.name);
    const { chunks } = dispatcher;
    if (chunks !== undefined) {
      storeEach(dispatcher, chunks, command, mode, mapping, options, resolve, reject);
      return;
    }
    const send = (requests: ReadonlyMap<Key, KeyRequest>) =>
      sendAll(dispatcher, command, requests, options, resolve, reject);
    const requests = new Map<Key, KeyRequest>();
    const encoding = encodeAll(dispatcher, command, mode, mapping, options, requests);
    if (encoding.length === 0) send(requests);
    else
      Promise.all(encoding)
        .then(() => send(requests))
        .catch(reject);
  });
}

/**
 * Makes every request of a mapping, so that all values are encoded before the first byte
 * is sent. What is still being encoded is returned.
 */
function encodeAll(
  dispatcher: Dispatcher,
  command: Command<boolean>,
  mode: SetMode,
  mapping: Mapping<unknown>,
  options: StoreOptions | undefined,
  requests: Map<Key, KeyRequest>,
): Promise<void>[] {
  const encoding: Promise<void>[] = [];
  for (const [key, value] of entriesOf(mapping)) {
    const wireKey = dispatcher.key(key, options);
    const encoded = encode(dispatcher, command, value, options, wireKey);
    const keep = (data: Encoded) => {
      requests.set(key, storageRequest(dispatcher, command, mode, wireKey, data, options));
    };
    if (encoded instanceof Promise) encoding.push(keepLater(encoded, keep));
    else keep(encoded);
  }
  return encoding;
}

function keepLater(encoded: Promise<Encoded>, keep: (data: Encoded) => void): Promise<void> {
  const kept = encoded.then(keep);
  kept.catch(() => {}); // as in `encode`
  return kept;
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
    const encoded = encode(dispatcher, command, value, options, wireKey);
    if (encoded instanceof Promise) encoding.push(encoded);
    const storing = { command, mode, wireKey, compareCas: undefined };
    calls.set(key, () => chunks.store(storing, encoded, options));
  }
  const failed: Key[] = [];
  const settled = (key: Key, stored: boolean | undefined) => {
    if (stored !== true) failed.push(key);
  };
  const callAll = () => eachCall(command.name, calls, failed, settled, resolve, reject);
  if (encoding.length === 0) callAll();
  else Promise.all(encoding).then(callAll).catch(reject);
}

function sendAll(
  dispatcher: Dispatcher,
  command: Command<boolean>,
  requests: ReadonlyMap<Key, KeyRequest>,
  options: StoreOptions | undefined,
  resolve: Resolve<Key[]>,
  reject: Reject,
): void {
  const failed: Key[] = [];
  const settled = (key: Key, stored: boolean | undefined) => {
    if (stored !== true) failed.push(key);
  };
  eachKey(dispatcher, command, requests, failed, options, settled, resolve, reject);
}

function storageRequest(
  dispatcher: Dispatcher,
  { name }: Command<boolean>,
  mode: SetMode,
  wireKey: string,
  encoded: Encoded,
  options: StoreOptions | undefined,
  compareCas?: bigint,
): KeyRequest {
  const { data } = encoded;
  const { maxValueSize } = dispatcher;
  if (data.length > maxValueSize) throw tooLarge(data.length, maxValueSize, name, wireKey);
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

function tooLarge(
  size: number,
  limit: number,
  command: string,
  wireKey: string,
): ValueTooLargeError {
  return new ValueTooLargeError(
    `The value is ${size} bytes and maxValueSize is ${limit}; raise it if the server's item limit (memcached -I) is higher`,
    size,
    limit,
    { command, key: keyText(wireKey) },
  );
}
