import { del, deleteMulti, deleteRequest } from "../../commands/deletion.js";
import { touch, touchMulti, touchRequest } from "../../commands/retrieval.js";
import type { Command } from "../../operation.js";
import { exptime, type Ttl } from "../../protocol/exptime.js";
import type { Key } from "../../protocol/key.js";
import type { KeyRequest } from "../../protocol/request.js";
import { checkBoolean } from "../../util/check.js";
import { FailedKeys } from "./answers.js";
import type { Chunking, Dispatcher } from "./dispatcher.js";
import { callsOf, EachKey, eachCall } from "./each.js";
import { distinct, homesOf } from "./keys.js";
import { WRITE_OPTIONS, type WriteOptions } from "./options.js";

/** Calls that end items, now or later: deleting and touching. */

export function remove(
  dispatcher: Dispatcher,
  key: Key,
  options: WriteOptions | undefined,
): Promise<boolean> {
  return dispatcher.one(del, key, options, WRITE_OPTIONS, (wireKey) =>
    deleteRequest(wireKey, isSilent(dispatcher, options)),
  );
}

export function removeMany<K extends Key>(
  dispatcher: Dispatcher,
  keys: Iterable<K>,
  options: WriteOptions | undefined,
): Promise<K[]> {
  return yesOrNo(dispatcher, deleteMulti, keys, options, (wireKey) =>
    deleteRequest(wireKey, isSilent(dispatcher, options)),
  );
}

export function touchOne(
  dispatcher: Dispatcher,
  key: Key,
  ttl: Ttl,
  options: WriteOptions | undefined,
): Promise<boolean> {
  const request = (wireKey: string) => touchRequestOf(wireKey, ttl, options);
  return dispatcher.chunks === undefined
    ? dispatcher.one(touch, key, options, WRITE_OPTIONS, request)
    : dispatcher.chunks.touch(touch.name, key, ttl, options);
}

export function touchMany<K extends Key>(
  dispatcher: Dispatcher,
  keys: Iterable<K>,
  ttl: Ttl,
  options: WriteOptions | undefined,
): Promise<K[]> {
  const { chunks } = dispatcher;
  if (chunks !== undefined) return touchEach(dispatcher, chunks, keys, ttl, options);
  return yesOrNo(dispatcher, touchMulti, keys, options, (wireKey) =>
    touchRequestOf(wireKey, ttl, options),
  );
}

/** The same where each value may be in several items: one call for each. */
async function touchEach<K extends Key>(
  dispatcher: Dispatcher,
  chunks: Chunking,
  keys: Iterable<K>,
  ttl: Ttl,
  options: WriteOptions | undefined,
): Promise<K[]> {
  dispatcher.begin(options, WRITE_OPTIONS, touchMulti.name);
  const given = distinct(dispatcher, keys, options).values();
  const calls = callsOf(given, (key) => chunks.touch(touchMulti.name, key, ttl, options));
  const homes = homesOf(dispatcher, options);
  return eachCall(touchMulti.name, calls, new FailedKeys<K>(), homes);
}

/** A call on many keys that resolves to those for which the answer was not yes. */
async function yesOrNo<K extends Key>(
  dispatcher: Dispatcher,
  command: Command<boolean>,
  keys: Iterable<K>,
  options: WriteOptions | undefined,
  request: (wireKey: string) => KeyRequest,
): Promise<K[]> {
  dispatcher.begin(options, WRITE_OPTIONS, command.name);
  const requests = new Map<K, KeyRequest>();
  for (const [wireKey, key] of distinct(dispatcher, keys, options)) {
    requests.set(key, request(wireKey));
  }
  return new EachKey(dispatcher, command, options, new FailedKeys<K>()).send(requests);
}

/** libmemcached's `_noreply` does not concern touch, so that the call alone decides. */
function touchRequestOf(wireKey: string, ttl: Ttl, options: WriteOptions | undefined): KeyRequest {
  const noreply = checkBoolean(options?.noreply ?? false, "noreply");
  return touchRequest(wireKey, exptime(ttl, Date.now), noreply);
}

function isSilent(dispatcher: Dispatcher, options: WriteOptions | undefined): boolean {
  return checkBoolean(options?.noreply ?? dispatcher.noreply, "noreply");
}
