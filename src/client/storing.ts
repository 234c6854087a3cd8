import { setRequest } from "../commands/storage.js";
import { ArgumentError, ValueTooLargeError } from "../errors.js";
import type { Command } from "../operation.js";
import { exptime } from "../protocol/exptime.js";
import type { Key } from "../protocol/key.js";
import type { KeyRequest, SetMode } from "../protocol/request.js";
import type { Encoded } from "../value/codec.js";
import { checkBoolean, checkInteger, checkOptions, show } from "./check.js";
import type { Chunking, Dispatcher } from "./dispatcher.js";
import { eachCall, verdicts } from "./each.js";
import type { Reject, Resolve } from "./gathering.js";
import { eachKey } from "./many.js";
import { entriesOf, type Mapping } from "./mapping.js";
import { STORE_OPTIONS, type StoreOptions, WRITE_OPTIONS } from "./options.js";

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
    const encoded = dispatcher.codec.encode(value, part ? PART : options, wireKey);
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
      const request = storageRequest(dispatcher, mode, wireKey, data, options, compareCas);
      dispatcher.sendNow(command, request, wireKey, options, resolve, reject);
    };
    dispatcher.hold(wireKey, encoded, sendNow).catch(reject);
  } else {
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
    checkOptions(options, STORE_OPTIONS, command.name);
    const { chunks } = dispatcher;
    if (chunks !== undefined) {
      storeEach(dispatcher, chunks, command, mode, mapping, options, resolve, reject);
      return;
    }
    const send = (requests: ReadonlyMap<Key, KeyRequest>) =>
      sendAll(dispatcher, command, requests, options, resolve, reject);
    const requests = new Map<Key, KeyRequest>();
    const encoding = encodeAll(dispatcher, mode, mapping, options, requests);
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
  mode: SetMode,
  mapping: Mapping<unknown>,
  options: StoreOptions | undefined,
  requests: Map<Key, KeyRequest>,
): Promise<void>[] {
  const encoding: Promise<void>[] = [];
  for (const [key, value] of entriesOf(mapping)) {
    const wireKey = dispatcher.key(key, options);
    const encoded = dispatcher.codec.encode(value, options, wireKey);
    const keep = (data: Encoded) => {
      requests.set(key, storageRequest(dispatcher, mode, wireKey, data, options));
    };
    if (encoded instanceof Promise) encoding.push(encoded.then(keep));
    else keep(encoded);
  }
  return encoding;
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
    const encoded = dispatcher.codec.encode(value, options, wireKey);
    if (encoded instanceof Promise) encoding.push(encoded);
    const storing = { command, mode, wireKey, compareCas: undefined };
    calls.set(key, () => chunks.store(storing, encoded, options));
  }
  const { failed, settled } = verdicts<Key>();
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
  const { failed, settled } = verdicts<Key>();
  eachKey(dispatcher, command, requests, failed, options, settled, resolve, reject);
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
  if (data.length > dispatcher.maxValueSize) throw tooLarge(data.length, dispatcher.maxValueSize);
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

function tooLarge(size: number, limit: number): ValueTooLargeError {
  return new ValueTooLargeError(
    `The value is ${size} bytes and maxValueSize is ${limit}; raise it if the server's item limit (memcached -I) is higher`,
    size,
    limit,
  );
}
