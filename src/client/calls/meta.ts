import { arithmeticRequest } from "../../commands/arithmetic.js";
import * as meta from "../../commands/meta.js";
import { setRequest } from "../../commands/storage.js";
import { encodeValue } from "../../commands/value.js";
import { OptionError } from "../../errors.js";
import type { Command } from "../../operation.js";
import { exptime, type Ttl } from "../../protocol/exptime.js";
import type { Key } from "../../protocol/key.js";
import {
  isJoining,
  type KeyRequest,
  type MetaFlags,
  type Request,
  type SetMode,
  winsRights,
} from "../../protocol/request.js";
import { checkBoolean, checkChoice, checkInteger } from "../../util/check.js";
import { ownOptions } from "../../util/names.js";
import { whenReady } from "../../util/ready.js";
import { show } from "../../util/show.js";
import type { Encoded } from "../../value/codec.js";
import { checkCas, checkCompared, checkFlags, checkUnsigned } from "./check.js";
import type { Dispatcher } from "./dispatcher.js";
import {
  META_ARITHMETIC_OPTIONS,
  META_DEBUG_OPTIONS,
  META_DELETE_OPTIONS,
  META_GET_OPTIONS,
  META_SET_OPTIONS,
  type MetaArithmeticOptions,
  type MetaDebugOptions,
  type MetaDeleteOptions,
  type MetaGetOptions,
  type MetaOptions,
  type MetaSetOptions,
} from "./metaoptions.js";
import { checkPart, checkSize, PART } from "./storing.js";

/** The meta commands as calls (protocol.txt, "Meta Commands"). */

const SET_MODES: readonly SetMode[] = ["set", "add", "replace", "append", "prepend"];

export function metaGet(
  dispatcher: Dispatcher,
  key: Key,
  options: MetaGetOptions,
): Promise<meta.MetaItem<unknown> | undefined> {
  return one(
    dispatcher,
    meta.metaGet(!winsRights(options)),
    key,
    options,
    META_GET_OPTIONS,
    (wireKey, flags) => ({
      verb: "get",
      key: wireKey,
      keys: undefined,
      value: options.value ?? true,
      cas: options.returnCas ?? false,
      touch: seconds(options.touch, "touch"),
      noreply: false,
      meta: {
        ...flags,
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
    }),
  );
}

export function metaSet(
  dispatcher: Dispatcher,
  key: Key,
  value: unknown,
  options: MetaSetOptions,
): Promise<meta.MetaStored> {
  return new Promise((resolve) => {
    dispatcher.begin(options, META_SET_OPTIONS, "metaSet");
    const flags = metaFlags(options);
    const wireKey = wireKeyOf(dispatcher, key, options, flags);
    const mode = checkChoice(options.mode ?? "set", "mode", SET_MODES);
    const part = isJoining(mode);
    if (part) checkPart("metaSet", value);
    const how = part ? PART : undefined;
    const own = ownOptions(options);
    const request = (data: Encoded) => metaSetRequest(dispatcher, mode, wireKey, data, flags, own);
    const encoded = encodeValue(dispatcher.codec, value, how, wireKey, "metaSet");
    const making = whenReady(encoded, request);
    resolve(dispatcher.step(meta.metaSet, making, wireKey, own));
  });
}

function metaSetRequest(
  dispatcher: Dispatcher,
  mode: SetMode,
  key: string,
  encoded: Encoded,
  metaFlags: MetaFlags,
  options: MetaSetOptions,
): KeyRequest {
  checkSize(dispatcher, "metaSet", encoded, key);
  const { flags = encoded.flags, ttl = 0 } = options;
  const request = setRequest(
    mode,
    key,
    encoded.data,
    checkFlags(flags),
    exptime(ttl, Date.now),
    comparedCas(options.compareCas),
    false,
  );
  return {
    ...request,
    meta: {
      ...metaFlags,
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
  return one(dispatcher, meta.metaDelete, key, options, META_DELETE_OPTIONS, (wireKey, flags) => ({
    verb: "delete",
    key: wireKey,
    compareCas: comparedCas(options.compareCas),
    noreply: false,
    meta: {
      ...flags,
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
  return one(
    dispatcher,
    meta.metaArithmetic,
    key,
    options,
    META_ARITHMETIC_OPTIONS,
    (wireKey, flags) => {
      const { mode = "incr", delta = 1, initial, initialTtl = 0 } = options;
      const request = arithmeticRequest(
        checkChoice(mode, "mode", ["incr", "decr"]),
        wireKey,
        checkUnsigned(delta, "delta"),
        initial === undefined ? undefined : checkUnsigned(initial, "initial"),
        exptime(initialTtl, Date.now, "initialTtl"),
        false,
      );
      return {
        ...request,
        meta: {
          ...flags,
          compareCas: comparedCas(options.compareCas),
          setCas: optionalCas(options.setCas, "setCas"),
          exptime: seconds(options.ttl, "ttl"),
          returnCas: options.returnCas,
          returnTtl: options.returnTtl,
          returnValue: options.value,
        },
      };
    },
  );
}

export function metaDebug(
  dispatcher: Dispatcher,
  key: Key,
  options: MetaDebugOptions | undefined,
): Promise<meta.MetaDebug | undefined> {
  return one(
    dispatcher,
    meta.metaDebug,
    key,
    options ?? {},
    META_DEBUG_OPTIONS,
    (wireKey, flags) => ({
      verb: "admin",
      action: "debug",
      key: wireKey,
      base64Key: flags.base64Key === true,
    }),
  );
}

function one<Result>(
  dispatcher: Dispatcher,
  command: Command<Result>,
  key: Key,
  options: MetaOptions,
  known: ReadonlySet<string>,
  request: (wireKey: string, flags: MetaFlags) => Request,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    dispatcher.begin(options, known, command.name);
    const flags = metaFlags(options);
    const wireKey = wireKeyOf(dispatcher, key, options, flags);
    dispatcher.send(command, request(wireKey, flags), wireKey, options, resolve, reject);
  });
}

/** By the flag that is sent as well: a key for base64 may hold a line's end. */
function wireKeyOf(
  dispatcher: Dispatcher,
  key: Key,
  options: MetaOptions,
  { base64Key }: MetaFlags,
): string {
  return base64Key ? dispatcher.binaryKey(key, options) : dispatcher.key(key, options);
}

/** What all meta commands have, read once: options may be changed, or be getters. */
function metaFlags({ returnKey, opaque, base64Key = false }: MetaOptions): MetaFlags {
  if (opaque !== undefined && (typeof opaque !== "string" || !/^[!-~]{1,31}$/.test(opaque))) {
    throw new OptionError(`opaque must be 1 to 31 visible ASCII characters, not ${show(opaque)}`);
  }
  return { returnKey, opaque, base64Key: checkBoolean(base64Key, "base64Key") };
}

function seconds(ttl: Ttl | undefined, name: string): number | undefined {
  return ttl === undefined ? undefined : exptime(ttl, Date.now, name);
}

function optionalCas(cas: bigint | undefined, name: string): bigint | undefined {
  return cas === undefined ? undefined : checkCas(cas, name);
}

function comparedCas(cas: bigint | undefined): bigint | undefined {
  return cas === undefined ? undefined : checkCompared(cas, "compareCas");
}
