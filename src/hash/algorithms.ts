import { KeyError, OptionError } from "../errors.js";
import { isUint8Array } from "../util/bytes.js";
import { checkChoice } from "../util/check.js";
import { keysOf } from "../util/names.js";
import { show } from "../util/show.js";
import { crc15 } from "./crc.js";
import { fnv1ax32, fnv1ax64, fnv1x32, fnv1x64 } from "./fnv.js";
import type { HashFunction } from "./function.js";
import { hsieh } from "./hsieh.js";
import { lookup3, oneAtATime } from "./jenkins.js";
import { md5 } from "./md5.js";
import { murmur2, murmur3 } from "./murmur.js";
import { wireForm } from "./wireform.js";

/** A hash of libmemcached's, by pylibmc's name for it. */
export type HashName =
  | "default"
  | "md5"
  | "crc"
  | "fnv1_64"
  | "fnv1a_64"
  | "fnv1_32"
  | "fnv1a_32"
  | "hsieh"
  | "murmur"
  | "jenkins"
  | "murmur3";

/**
 * The names of the hashes, each with libmemcached's number for it
 * (`memcached_hash_t`). pylibmc's `hashers` has the same, less `murmur3`.
 */
export const hashers: Readonly<Record<HashName, number>> = Object.freeze({
  default: 0,
  md5: 1,
  crc: 2,
  fnv1_64: 3,
  fnv1a_64: 4,
  fnv1_32: 5,
  fnv1a_32: 6,
  hsieh: 7,
  murmur: 8,
  jenkins: 9,
  murmur3: 10,
});

export const hashNames: readonly HashName[] = keysOf(hashers);

const functions: Readonly<Record<HashName, HashFunction>> = {
  default: oneAtATime,
  md5,
  crc: crc15,
  fnv1_64: fnv1x64,
  fnv1a_64: fnv1ax64,
  fnv1_32: fnv1x32,
  fnv1a_32: fnv1ax32,
  hsieh,
  murmur: murmur2,
  jenkins: lookup3,
  murmur3,
};

/**
 * The function for a hash's name. A function of the caller's own is returned in a
 * guard that refuses anything but an integer and reduces it to 32 bits.
 * @throws OptionError for an unknown name
 */
export function hashFunction(algorithm: HashName | HashFunction): HashFunction {
  if (typeof algorithm === "function") return guarded(algorithm);
  return functions[checkChoice(algorithm, "The hash", hashNames, "a function")];
}

/**
 * The hash of a key: an integer from 0 to 2^32 - 1, the same as libmemcached's
 * `memcached_generate_hash_value`.
 *
 * @param algorithm - a name, or a function of a key in wire form (one character a byte)
 * @param key - text, hashed as its UTF-8, or bytes; it may be empty and of any length
 * @throws OptionError for an unknown name, or a function that returns no integer; KeyError
 */
export function hashKey(algorithm: HashName | HashFunction, key: string | Uint8Array): number {
  const hash = hashFunction(algorithm);
  if (typeof key === "string" || isUint8Array(key)) return hash(wireForm(key));
  throw new KeyError(`A key must be a string or a Uint8Array, not ${show(key)}`);
}

function guarded(custom: HashFunction): HashFunction {
  return (key) => {
    const hash = called(custom, key);
    if (Number.isInteger(hash)) return hash >>> 0;
    throw new OptionError(`The hash function returned ${String(hash)}; it must return an integer`);
  };
}

function called(custom: HashFunction, key: string): number {
  try {
    return custom(key);
  } catch (cause) {
    throw new OptionError("The hash function failed", { cause });
  }
}
