import { type StorageCommand, setRequest } from "../../commands/storage.js";
import { encodeValue } from "../../commands/value.js";
import { ArgumentError, ValueTooLargeError } from "../../errors.js";
import { exptime } from "../../protocol/exptime.js";
import { describeKey, type Key, keyText } from "../../protocol/key.js";
import { isJoining, type KeyRequest, type SetRequest } from "../../protocol/request.js";
import { isUint8Array } from "../../util/bytes.js";
import { checkBoolean } from "../../util/check.js";
import { ownOptions } from "../../util/names.js";
import { show } from "../../util/show.js";
import type { Encoded, EncodeOptions } from "../../value/codec.js";
import { FailedKeys } from "./answers.js";
import { checkFlags } from "./check.js";
import type { Chunking, Dispatcher } from "./dispatcher.js";
import { EachKey, eachCall } from "./each.js";
import { homesOf } from "./keys.js";
import { entriesOf, type Mapping } from "./mapping.js";
import { checkCompress, STORE_OPTIONS, type StoreOptions, WRITE_OPTIONS } from "./options.js";

/** Calls that store: the value is encoded first, and nothing is sent if that fails. */

/** How what is put before or behind a value is encoded. */
export const PART: EncodeOptions = { part: true };

const TTL_INSTEAD = "a ttl (whole seconds, or a Date)";

/** Stores one value; `compareCas` makes it depend on the item's token. */
export function store(
  dispatcher: Dispatcher,
  command: StorageCommand,
  key: Key,
  value: unknown,
  options: StoreOptions | undefined,
  compareCas?: bigint,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const { mode, name } = command;
    const part = isJoining(mode);
    if (part) {
      dispatcher.begin(options, WRITE_OPTIONS, name);
      checkPart(name, value);
    } else {
      dispatcher.begin(options, STORE_OPTIONS, name, TTL_INSTEAD);
      if (options !== undefined) checkCompress(options.compress);
    }
    const wireKey = dispatcher.key(key, options);
    const encoded = encodeValue(dispatcher.codec, value, part ? PART : options, wireKey, name);
    const { chunks } = dispatcher;
    if (chunks !== undefined) {
      resolve(chunks.store({ command, wireKey, compareCas }, encoded, options));
    } else if (encoded instanceof Promise) {
      const own = options && ownOptions(options);
      const making = encoded.then((data) =>
        storageRequest(dispatcher, command, wireKey, data, own, compareCas),
      );
      dispatcher.sendWhenMade(command, making, wireKey, own, resolve, reject);
    } else {
      const request = storageRequest(dispatcher, command, wireKey, encoded, options, compareCas);
      dispatcher.send(command, request, wireKey, options, resolve, reject);
    }
  });
}

/** Stores many values, all at once on every server concerned; resolves to the keys that failed. */
export async function storeMany(
  dispatcher: Dispatcher,
  command: StorageCommand,
  mapping: Mapping<unknown>,
  given: StoreOptions | undefined,
): Promise<Key[]> {
  dispatcher.begin(given, STORE_OPTIONS, command.name, TTL_INSTEAD);
  const options = given && ownOptions(given);
  checkCompress(options?.compress);
  const { chunks } = dispatcher;
  if (chunks !== undefined) return storeEach(dispatcher, chunks, command, mapping, options);
  const requests: Requests = new Map();
  const wireKeys: string[] = [];
  for (const [key, value] of entriesOf(mapping)) {
    const wireKey = dispatcher.key(key, options);
    const encoded = encodeValue(dispatcher.codec, value, options, wireKey, command.name);
    const request = (data: Encoded) => storageRequest(dispatcher, command, wireKey, data, options);
    requests.set(key, encoded instanceof Promise ? heard(encoded.then(request)) : request(encoded));
    wireKeys.push(wireKey);
  }
  const call = new EachKey(dispatcher, command, options, new FailedKeys<Key>());
  return areMade(requests)
    ? call.send(requests)
    : call.sendWhenMade(wireKeys, requests.size, made(requests));
}

/** Requests that store values, of which some are still being encoded. */
type Requests = Map<Key, KeyRequest | Promise<KeyRequest>>;

function areMade(requests: Requests): requests is Map<Key, KeyRequest> {
  for (const request of requests.values()) if (request instanceof Promise) return false;
  return true;
}

/** In the order in which they were given, whichever was encoded first. */
async function made(requests: Requests): Promise<Map<Key, KeyRequest>> {
  const all = new Map<Key, KeyRequest>();
  for (const [key, request] of requests) all.set(key, await request);
  return all;
}

/** A promise that may fail after another key has failed the call, and counts as handled then. */
function heard<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {});
  return promise;
}

/** The same where each value may take several items: one call for each, when all are encoded. */
async function storeEach(
  dispatcher: Dispatcher,
  chunks: Chunking,
  command: StorageCommand,
  mapping: Mapping<unknown>,
  options: StoreOptions | undefined,
): Promise<Key[]> {
  const calls = new Map<Key, () => Promise<boolean>>();
  const encoding: Promise<Encoded>[] = [];
  for (const [key, value] of entriesOf(mapping)) {
    const wireKey = dispatcher.key(key, options);
    const encoded = encodeValue(dispatcher.codec, value, options, wireKey, command.name);
    if (encoded instanceof Promise) encoding.push(heard(encoded));
    calls.set(key, () => {
      const made = all === undefined ? encoded : all.then(() => encoded);
      return chunks.store({ command, wireKey, compareCas: undefined }, made, options);
    });
  }
  const all = encoding.length === 0 ? undefined : Promise.all(encoding);
  const homes = homesOf(dispatcher, options);
  const stored = heard(eachCall(command.name, calls, new FailedKeys<Key>(), homes));
  await Promise.race([all, stored]); // so that what cannot be encoded is the call's own failure
  return stored;
}

/** @throws ValueTooLargeError for more than the client may store, OptionError */
export function storageRequest(
  dispatcher: Dispatcher,
  { mode, name }: StorageCommand,
  wireKey: string,
  encoded: Encoded,
  options: StoreOptions | undefined,
  compareCas?: bigint,
): SetRequest {
  checkSize(dispatcher, name, encoded, wireKey);
  const { data } = encoded;
  if (options === undefined) {
    return setRequest(mode, wireKey, data, encoded.flags, 0, compareCas, dispatcher.noreply);
  }
  const { ttl = 0, flags = encoded.flags, noreply = dispatcher.noreply } = options;
  return setRequest(
    mode,
    wireKey,
    data,
    checkFlags(flags),
    exptime(ttl, Date.now),
    compareCas,
    checkBoolean(noreply, "noreply"),
  );
}

/** Only text and bytes can be put together: a number or JSON with something at an end is neither. */
export function checkPart(name: string, value: unknown): void {
  if (typeof value === "string" || isUint8Array(value)) return;
  throw new ArgumentError(
    `${name} takes a string or a Uint8Array to put before or behind a value, not ${show(value)}`,
  );
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
