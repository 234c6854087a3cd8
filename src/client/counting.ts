import {
  arithmeticRequest,
  decr,
  decrBigint,
  decrMulti,
  incr,
  incrBigint,
  incrMulti,
} from "../commands/arithmetic.js";
import { ArgumentError } from "../errors.js";
import type { Command } from "../operation.js";
import { exptime } from "../protocol/exptime.js";
import type { Key } from "../protocol/key.js";
import type { ArithmeticRequest, KeyRequest } from "../protocol/request.js";
import { checkBoolean, checkOptions, checkUnsigned, show } from "./check.js";
import type { Dispatcher } from "./dispatcher.js";
import { distinct, eachKey } from "./many.js";
import { ARITHMETIC_OPTIONS, type ArithmeticOptions } from "./options.js";

/** Calls that count. */

type Mode = ArithmeticRequest["mode"];

/** Counts one key up or down; the result has the delta's type. */
export function count(
  dispatcher: Dispatcher,
  mode: Mode,
  key: Key,
  delta: number | bigint,
  options: ArithmeticOptions | undefined,
): Promise<number | bigint | undefined> {
  const up = mode === "incr";
  const command: Command<number | bigint | undefined> =
    typeof delta === "bigint" ? (up ? incrBigint : decrBigint) : up ? incr : decr;
  return dispatcher.one(command, key, options, ARITHMETIC_OPTIONS, (wireKey) =>
    countRequest(dispatcher, mode, wireKey, delta, options),
  );
}

/** The keys with a delta each, or keys that share one. */
export type Deltas<K extends Key> = Iterable<K> | ReadonlyMap<K, number>;

/** Counts many keys, all at once; resolves to the new numbers of those that are there. */
export function countMany<K extends Key>(
  dispatcher: Dispatcher,
  mode: Mode,
  keys: Deltas<K>,
  delta: number,
  options: ArithmeticOptions | undefined,
): Promise<Map<K, number>> {
  const command = mode === "incr" ? incrMulti : decrMulti;
  return new Promise((resolve, reject) => {
    checkOptions(options, ARITHMETIC_OPTIONS, command.name);
    const requests = new Map<K, KeyRequest>();
    const given = keys instanceof Map ? keys.keys() : (keys as Iterable<K>);
    for (const [wireKey, key] of distinct(dispatcher, given, options)) {
      const own = keys instanceof Map ? keys.get(key) : delta;
      requests.set(key, countRequest(dispatcher, mode, wireKey, own, options));
    }
    const results = new Map<K, number>();
    const settled = (key: K, value: number | undefined) => {
      if (value !== undefined) results.set(key, value);
    };
    eachKey(dispatcher, command, requests, results, options, settled, resolve, reject);
  });
}

function countRequest(
  dispatcher: Dispatcher,
  mode: Mode,
  wireKey: string,
  delta: unknown,
  options: ArithmeticOptions | undefined,
): ArithmeticRequest {
  const { initial, ttl = 0 } = options ?? {};
  const { noreply = initial === undefined && dispatcher.noreply } = options ?? {};
  if (options?.ttl !== undefined && initial === undefined) {
    throw new ArgumentError(
      `ttl is for an item that initial makes, and there is no initial; got ttl ${show(ttl)}`,
    );
  }
  const silent = checkBoolean(noreply, "noreply");
  if (silent && initial !== undefined) {
    throw new ArgumentError("initial and noreply cannot go together");
  }
  return arithmeticRequest(
    mode,
    wireKey,
    checkUnsigned(delta, "delta"),
    initial === undefined ? undefined : checkUnsigned(initial, "initial"),
    exptime(ttl, Date.now),
    silent,
  );
}
