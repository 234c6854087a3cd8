import {
  arithmeticRequest,
  decr,
  decrBigint,
  decrMulti,
  incr,
  incrBigint,
  incrMulti,
} from "../../commands/arithmetic.js";
import { add, setRequest } from "../../commands/storage.js";
import { ArgumentError, OptionError, TimeoutError } from "../../errors.js";
import type { Command } from "../../operation.js";
import { exptime } from "../../protocol/exptime.js";
import { type Key, keyText } from "../../protocol/key.js";
import type { ArithmeticRequest } from "../../protocol/request.js";
import { checkBoolean } from "../../util/check.js";
import { show } from "../../util/show.js";
import type { Encoded, EncodeOptions } from "../../value/codec.js";
import { FLAG_INTEGER } from "../../value/flags.js";
import { NewNumbers } from "./answers.js";
import { checkUnsigned } from "./check.js";
import type { Dispatcher } from "./dispatcher.js";
import { callsOf, EachKey, eachCall } from "./each.js";
import { distinct, homesOf } from "./keys.js";
import { ARITHMETIC_OPTIONS, type ArithmeticOptions } from "./options.js";

/** Calls that count. */

const UNCOMPRESSED: EncodeOptions = { compress: false };

type Mode = ArithmeticRequest["mode"];

type Counter = Command<number | bigint | undefined>;

/** Counts one key up or down; the result has the delta's type. */
export function count(
  dispatcher: Dispatcher,
  mode: Mode,
  key: Key,
  delta: number | bigint,
  options: ArithmeticOptions | undefined,
): Promise<number | bigint | undefined> {
  const up = mode === "incr";
  const command: Counter =
    typeof delta === "bigint" ? (up ? incrBigint : decrBigint) : up ? incr : decr;
  const request = (wireKey: string) => countRequest(dispatcher, mode, wireKey, delta, options);
  if (options?.initial === undefined) {
    return dispatcher.one(command, key, options, ARITHMETIC_OPTIONS, request);
  }
  return new Promise((resolve) => {
    dispatcher.begin(options, ARITHMETIC_OPTIONS, command.name);
    resolve(countOrMake(dispatcher, command, request(dispatcher.key(key, options)), options));
  });
}

/** The keys with a delta each, or keys that share one. */
export type Deltas<K extends Key> = (Iterable<K> & object) | ReadonlyMap<K, number>;

/** Keys to count, and the delta of each. */
interface Counted<K> {
  readonly keys: Iterable<K>;
  readonly deltaOf: (key: K) => number;
}

/** @param delta - of the keys that have none of their own */
export function countedBy<K extends Key>(keys: Deltas<K>, delta: number): Counted<K> {
  if (!isMap(keys)) return { keys, deltaOf: () => delta };
  return { keys: keys.keys(), deltaOf: (key) => keys.get(key)! };
}

function isMap<K extends Key>(keys: Deltas<K>): keys is ReadonlyMap<K, number> {
  return keys instanceof Map;
}

/** Counts many keys, all at once; resolves to the new numbers of those that are there. */
export async function countMany<K extends Key>(
  dispatcher: Dispatcher,
  mode: Mode,
  keys: Deltas<K>,
  delta: number,
  options: ArithmeticOptions | undefined,
): Promise<Map<K, number>> {
  const command = mode === "incr" ? incrMulti : decrMulti;
  dispatcher.begin(options, ARITHMETIC_OPTIONS, command.name);
  const requests = new Map<K, ArithmeticRequest>();
  const given = countedBy(keys, delta);
  for (const [wireKey, key] of distinct(dispatcher, given.keys, options)) {
    requests.set(key, countRequest(dispatcher, mode, wireKey, given.deltaOf(key), options));
  }
  const numbers = new NewNumbers<K>();
  if (options?.initial === undefined) {
    return new EachKey(dispatcher, command, options, numbers).send(requests);
  }
  const calls = callsOf(requests.keys(), (key) =>
    countOrMake(dispatcher, command, requests.get(key)!, options),
  );
  return eachCall(command.name, calls, numbers, homesOf(dispatcher, options));
}

/**
 * Counts, and makes the counter if it is missing; again if others were faster at both.
 *
 * memcached could do both at once (`ma` with `N`), but gives what it makes no flags, so
 * that everybody would read such a counter as bytes. `add` makes it a number for all.
 */
async function countOrMake(
  dispatcher: Dispatcher,
  command: Counter,
  request: ArithmeticRequest,
  options: ArithmeticOptions,
): Promise<number | bigint> {
  const { key, delta } = request;
  const deadline = dispatcher.deadline(options);
  const timed = dispatcher.timed(options);
  for (;;) {
    const counted = await dispatcher.step(command, request, key, timed);
    if (counted !== undefined) return counted;
    const initial = checkUnsigned(timed.initial, "initial");
    const lifetime = exptime(timed.ttl ?? 0, Date.now);
    const adding = encodeCounter(dispatcher, key, initial).then(({ data, flags }) =>
      setRequest("add", key, data, flags, lifetime, undefined, false),
    );
    const made = await dispatcher.step({ ...add, name: command.name }, adding, key, timed);
    if (made) return typeof delta === "bigint" ? BigInt(initial) : Number(initial);
    // Each step may be answered within what it is given at least, so none of them would be late.
    if (performance.now() >= deadline) throw outOfTime(command.name, key);
  }
}

function outOfTime(command: string, wireKey: string): TimeoutError {
  return new TimeoutError(
    `${command} ran out of time: the counter is never there, and cannot be made either`,
    { command, key: keyText(wireKey), sent: true },
  );
}

/** A counter as the client writes numbers, if that is in digits; otherwise as pylibmc does. */
async function encodeCounter(
  dispatcher: Dispatcher,
  wireKey: string,
  initial: number | bigint,
): Promise<Encoded> {
  const digits = String(initial);
  try {
    const encoded = await dispatcher.codec.encode(initial, UNCOMPRESSED, wireKey);
    if (Buffer.from(encoded.data).toString("latin1") === digits) return encoded;
  } catch {
    // It writes no numbers at all.
  }
  return { data: digits, flags: FLAG_INTEGER };
}

function countRequest(
  dispatcher: Dispatcher,
  mode: Mode,
  wireKey: string,
  delta: unknown,
  options: ArithmeticOptions | undefined,
): ArithmeticRequest {
  const { initial, ttl } = options ?? {};
  const { noreply = initial === undefined && dispatcher.noreply } = options ?? {};
  if (ttl !== undefined && initial === undefined) {
    throw new OptionError(
      `ttl is for an item that initial makes, and there is no initial; got ttl ${show(ttl)}`,
    );
  }
  const silent = checkBoolean(noreply, "noreply");
  if (silent && initial !== undefined) {
    throw new OptionError("initial and noreply cannot go together");
  }
  exptime(ttl ?? 0, Date.now);
  const by = checkUnsigned(delta, "delta", ArgumentError);
  // A counter that is made is the result, which has the delta's type.
  const result = initial === undefined ? 0 : checkUnsigned(initial, "initial");
  if (typeof by === "number" && result > Number.MAX_SAFE_INTEGER) {
    throw new OptionError(
      `initial is ${result}, which no number holds exactly; pass the delta as a bigint`,
    );
  }
  return arithmeticRequest(mode, wireKey, by, undefined, 0, silent);
}
