import { arithmeticRequest } from "../commands/arithmetic.js";
import * as meta from "../commands/meta.js";
import { setRequest } from "../commands/storage.js";
import { encodeValue } from "../commands/value.js";
import { ArgumentError } from "../errors.js";
import type { Command } from "../operation.js";
import { exptime, type Ttl } from "../protocol/exptime.js";
import type { Key } from "../protocol/key.js";
import type { KeyRequest, MetaFlags, Request, SetMode } from "../protocol/request.js";
import { checkInteger, checkOptions } from "../util/check.js";
import { show } from "../util/show.js";
import type { Encoded } from "../value/codec.js";
import { checkCas, checkUnsigned } from "./check.js";
import type { Dispatcher } from "./dispatcher.js";
import { CALL_OPTIONS, type CallOptions } from "./options.js";
import { checkSize } from "./storing.js";

/**
 * The meta commands as calls (protocol.txt, "Meta Commands"): each flag is a named option.
 * Only `q` is not offered, since a quiet command has no reply to settle its promise by, and
 * neither are `P` and `L`, which memcached ignores.
 */

/** What every meta call takes. */
export interface MetaOptions extends CallOptions {
  /** `k`: the key comes back. */
  readonly returnKey?: boolean | undefined;
  /** `O`: a token of at most 31 bytes that comes back. */
  readonly opaque?: string | undefined;
  /** `b`: the key is sent in base64. */
  readonly base64Key?: boolean | undefined;
}

/** What to read, and what to do with the item on the way (protocol.txt, "Meta Get"). */
export interface MetaGetOptions extends MetaOptions {
  /** `v`: the value. @defaultValue true */
  readonly value?: boolean | undefined;
  /** `c`: the item's cas token. */
  readonly returnCas?: boolean | undefined;
  /** `f`: the client flags. */
  readonly returnFlags?: boolean | undefined;
  /** `h`: whether the item was read before. */
  readonly returnHitBefore?: boolean | undefined;
  /** `l`: seconds since it was last read. */
  readonly returnLastAccess?: boolean | undefined;
  /** `s`: the value's size. */
  readonly returnSize?: boolean | undefined;
  /** `t`: seconds until it expires. */
  readonly returnTtl?: boolean | undefined;
  /** `u`: the read does not count as a use. */
  readonly noBump?: boolean | undefined;
  /** `T`: a new ttl for the item. */
  readonly touch?: Ttl | undefined;
  /**
   * `N`: on a miss, make an empty item with this ttl and win the right to fill it. Until
   * then it has no value for another `metaGet`, and is an empty Buffer for a `get`.
   */
  readonly vivify?: Ttl | undefined;
  /** `R`: with fewer seconds than this left, win the right to recache. */
  readonly recache?: number | undefined;
  /** `E`: the cas that a vivified item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `C`: leave the value out if the item's cas is this one (memcached 1.6.40). */
  readonly unlessCas?: bigint | undefined;
}

/** How to store, and what to tell of it (protocol.txt, "Meta Set"). */
export interface MetaSetOptions extends MetaOptions {
  /** `M`: which of the storage commands it is. @defaultValue "set" */
  readonly mode?: SetMode | undefined;
  /** `T`: how long the item lives. @defaultValue 0, for ever */
  readonly ttl?: Ttl | undefined;
  /** `F`: in the place of the flags that the value's type has. */
  readonly flags?: number | undefined;
  /** `C`: store only if the item's cas is this one. */
  readonly compareCas?: bigint | undefined;
  /** `E`: the cas that the item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `I`: with `compareCas`, an older token stores the value as stale. */
  readonly invalidate?: boolean | undefined;
  /** `N`: on append or prepend to a miss, make the item with this ttl (memcached 1.6.20). */
  readonly vivify?: Ttl | undefined;
  /** `c`: the item's cas token. */
  readonly returnCas?: boolean | undefined;
  /** `s`: the stored size (memcached 1.6.20). */
  readonly returnSize?: boolean | undefined;
}

/** How to delete, or what to do instead (protocol.txt, "Meta Delete"). */
export interface MetaDeleteOptions extends MetaOptions {
  /** `C`: delete only if the item's cas is this one. */
  readonly compareCas?: bigint | undefined;
  /** `E`: the cas that a stale or emptied item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `I`: mark the item stale instead of deleting it. */
  readonly invalidate?: boolean | undefined;
  /** `T`: with `invalidate`, a new ttl. */
  readonly ttl?: Ttl | undefined;
  /** `x`: drop the value and keep the item (memcached 1.6.27). */
  readonly dropValue?: boolean | undefined;
}

/** How to count, and what to tell of it (protocol.txt, "Meta Arithmetic"). */
export interface MetaArithmeticOptions extends MetaOptions {
  /** `M`: adds, or subtracts. @defaultValue "incr" */
  readonly mode?: "incr" | "decr" | undefined;
  /** `D`: by how much, a whole number that is not negative. @defaultValue 1 */
  readonly delta?: number | bigint | undefined;
  /** `J`: the number that a missing item starts with; without it a miss is "notFound". */
  readonly initial?: number | bigint | undefined;
  /** `N`: the ttl of an item that `initial` made. @defaultValue 0 */
  readonly initialTtl?: Ttl | undefined;
  /** `T`: a new ttl for the item. */
  readonly ttl?: Ttl | undefined;
  /** `C`: change only if the item's cas is this one. */
  readonly compareCas?: bigint | undefined;
  /** `E`: the cas that the item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `v`: the new number. @defaultValue true */
  readonly value?: boolean | undefined;
  /** `c`: the item's cas token. */
  readonly returnCas?: boolean | undefined;
  /** `t`: seconds until it expires. */
  readonly returnTtl?: boolean | undefined;
}

const META = [...CALL_OPTIONS, "returnKey", "opaque", "base64Key"];

const GET_OPTIONS: ReadonlySet<string> = new Set([
  ...META,
  ...["value", "returnCas", "returnFlags", "returnHitBefore", "returnLastAccess", "returnSize"],
  ...["returnTtl", "noBump", "touch", "vivify", "recache", "setCas", "unlessCas"],
]);

const SET_OPTIONS: ReadonlySet<string> = new Set([
  ...META,
  ...["mode", "ttl", "flags", "compareCas", "setCas", "invalidate", "vivify"],
  ...["returnCas", "returnSize"],
]);

const DELETE_OPTIONS: ReadonlySet<string> = new Set([
  ...META,
  ...["compareCas", "setCas", "invalidate", "ttl", "dropValue"],
]);

const ARITHMETIC_OPTIONS: ReadonlySet<string> = new Set([
  ...META,
  ...["mode", "delta", "initial", "initialTtl", "ttl", "compareCas", "setCas", "value"],
  ...["returnCas", "returnTtl"],
]);

const DEBUG_OPTIONS: ReadonlySet<string> = new Set([...CALL_OPTIONS, "base64Key"]);

const SET_MODES: readonly string[] = ["set", "add", "replace", "append", "prepend"];

export function metaGet(
  dispatcher: Dispatcher,
  key: Key,
  options: MetaGetOptions,
): Promise<meta.MetaItem<unknown> | undefined> {
  const winsRights = options?.vivify !== undefined || options?.recache !== undefined;
  return one(dispatcher, meta.metaGet(!winsRights), key, options, GET_OPTIONS, (wireKey) => ({
    verb: "get",
    key: wireKey,
    keys: undefined,
    value: options.value ?? true,
    cas: options.returnCas ?? false,
    touch: seconds(options.touch, "touch"),
    noreply: false,
    meta: {
      ...common(options),
      returnFlags: options.returnFlags,
      returnHitBefore: options.returnHitBefore,
      returnLastAccess: options.returnLastAccess,
      returnSize: options.returnSize,
      returnTtl: options.returnTtl,
      noBump: options.noBump,
      vivify: seconds(options.vivify, "vivify"),
      recache:
        options.recache === undefined
          ? undefined
          : checkInteger(options.recache, "recache", 0, 2 ** 31 - 1),
      setCas: optionalCas(options.setCas, "setCas"),
      unlessCas: optionalCas(options.unlessCas, "unlessCas"),
    },
  }));
}

export function metaSet(
  dispatcher: Dispatcher,
  key: Key,
  value: unknown,
  options: MetaSetOptions,
): Promise<meta.MetaStored> {
  return new Promise((resolve, reject) => {
    checkOptions(options, SET_OPTIONS, "metaSet");
    const wireKey = wireKeyOf(dispatcher, key, options);
    const encoded = encodeValue(dispatcher.codec, value, undefined, wireKey, "metaSet");
    if (encoded instanceof Promise) {
      const making = encoded.then((data) => metaSetRequest(dispatcher, wireKey, data, options));
      dispatcher.sendWhenMade(meta.metaSet, making, wireKey, options, resolve, reject);
    } else {
      const request = metaSetRequest(dispatcher, wireKey, encoded, options);
      dispatcher.send(meta.metaSet, request, wireKey, options, resolve, reject);
    }
  });
}

function metaSetRequest(
  dispatcher: Dispatcher,
  key: string,
  encoded: Encoded,
  options: MetaSetOptions,
): KeyRequest {
  checkSize(dispatcher, "metaSet", encoded, key);
  const { mode = "set", flags = encoded.flags, ttl = 0 } = options;
  if (!SET_MODES.includes(mode)) {
    throw new ArgumentError(`mode must be one of ${SET_MODES.join(", ")}, not ${show(mode)}`);
  }
  const request = setRequest(
    mode,
    key,
    encoded.data,
    checkInteger(flags, "flags", 0, 0xffffffff),
    exptime(ttl, Date.now),
    optionalCas(options.compareCas, "compareCas"),
    false,
  );
  return {
    ...request,
    meta: {
      ...common(options),
      setCas: optionalCas(options.setCas, "setCas"),
      invalidate: options.invalidate,
      vivify: seconds(options.vivify, "vivify"),
      returnCas: options.returnCas,
      returnSize: options.returnSize,
    },
  };
}

export function metaDelete(
  dispatcher: Dispatcher,
  key: Key,
  options: MetaDeleteOptions,
): Promise<meta.MetaDeleted> {
  return one(dispatcher, meta.metaDelete, key, options, DELETE_OPTIONS, (wireKey) => ({
    verb: "delete",
    key: wireKey,
    compareCas: optionalCas(options.compareCas, "compareCas"),
    noreply: false,
    meta: {
      ...common(options),
      setCas: optionalCas(options.setCas, "setCas"),
      invalidate: options.invalidate,
      exptime: seconds(options.ttl, "ttl"),
      dropValue: options.dropValue,
    },
  }));
}

export function metaArithmetic(
  dispatcher: Dispatcher,
  key: Key,
  options: MetaArithmeticOptions,
): Promise<meta.MetaNumber> {
  return one(dispatcher, meta.metaArithmetic, key, options, ARITHMETIC_OPTIONS, (wireKey) => {
    const { mode = "incr", delta = 1, initial, initialTtl = 0 } = options;
    if (mode !== "incr" && mode !== "decr") {
      throw new ArgumentError(`mode must be "incr" or "decr", not ${show(mode)}`);
    }
    const request = arithmeticRequest(
      mode,
      wireKey,
      checkUnsigned(delta, "delta"),
      initial === undefined ? undefined : checkUnsigned(initial, "initial"),
      exptime(initialTtl, Date.now, "initialTtl"),
      false,
    );
    return {
      ...request,
      meta: {
        ...common(options),
        compareCas: optionalCas(options.compareCas, "compareCas"),
        setCas: optionalCas(options.setCas, "setCas"),
        exptime: seconds(options.ttl, "ttl"),
        returnCas: options.returnCas,
        returnTtl: options.returnTtl,
        returnValue: options.value,
      },
    };
  });
}

/** What `metaDebug` takes. */
export interface MetaDebugOptions extends CallOptions {
  /** `b`: the key is sent in base64. */
  readonly base64Key?: boolean | undefined;
}

export function metaDebug(
  dispatcher: Dispatcher,
  key: Key,
  options: MetaDebugOptions | undefined,
): Promise<meta.MetaDebug | undefined> {
  return one(dispatcher, meta.metaDebug, key, options ?? {}, DEBUG_OPTIONS, (wireKey) => ({
    verb: "admin",
    action: "debug",
    key: wireKey,
    base64Key: options?.base64Key === true,
  }));
}

function one<Result>(
  dispatcher: Dispatcher,
  command: Command<Result>,
  key: Key,
  options: MetaOptions,
  known: ReadonlySet<string>,
  request: (wireKey: string) => Request,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    checkOptions(options, known, command.name);
    const wireKey = wireKeyOf(dispatcher, key, options);
    dispatcher.send(command, request(wireKey), wireKey, options, resolve, reject);
  });
}

function wireKeyOf(dispatcher: Dispatcher, key: Key, options: MetaOptions): string {
  return options.base64Key ? dispatcher.binaryKey(key, options) : dispatcher.key(key, options);
}

function common(options: MetaOptions): MetaFlags {
  const { returnKey, opaque, base64Key } = options;
  if (opaque !== undefined && (typeof opaque !== "string" || !/^[!-~]{1,31}$/.test(opaque))) {
    throw new ArgumentError(`opaque must be 1 to 31 visible ASCII characters, not ${show(opaque)}`);
  }
  return { returnKey, opaque, base64Key };
}

function seconds(ttl: Ttl | undefined, name: string): number | undefined {
  return ttl === undefined ? undefined : exptime(ttl, Date.now, name);
}

function optionalCas(cas: bigint | undefined, name: string): bigint | undefined {
  return cas === undefined ? undefined : checkCas(cas, name);
}
