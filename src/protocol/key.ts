import { KeyError } from "../errors.js";
import { isUint8Array, latin1All, strictUtf8 } from "../util/bytes.js";
import { quote, show } from "../util/show.js";

/** memcached's limit for a key, in bytes (protocol.txt, "Keys"). */
export const MAX_KEY_BYTES = 250;

/** A key as callers give it: text, sent as UTF-8, or bytes. */
export type Key = string | Uint8Array;

/**
 * Checks a key and returns its wire form: a string in which each character is one
 * byte. A plain ASCII key comes back as the same string, unallocated.
 *
 * Whitespace, control bytes and over-long keys are refused here because a server can
 * only misread them: memcached 1.6.18 executes the *value* of a storage command whose
 * key is too long.
 * @throws KeyError
 */
export function encodeKey(key: Key, prefix = ""): string {
  const wire = isPlain(key) ? key : checkTextual(anyBytes(key));
  return checkLength(prefix === "" ? wire : prefix + wire, prefix);
}

/** Makes the wire form of a key, behind a prefix that is one already. */
export type EncodeKey = (key: Key, prefix?: string) => string;

/**
 * The wire form of a key for the binary protocol, which takes every byte.
 * @throws KeyError
 */
export function encodeAnyKey(key: Key, prefix = ""): string {
  return checkLength(prefix + anyBytes(key), prefix);
}

/** In base64, 186 bytes are 248 characters, and one more would be 252. */
export const MAX_BINARY_KEY_BYTES = 186;

/**
 * The wire form of a key that is sent in base64 (meta flag `b`): any bytes, but fewer,
 * since memcached counts the encoded characters.
 * @throws KeyError
 */
export function encodeBinaryKey(key: Key, prefix = ""): string {
  const whole = checkLength(prefix + anyBytes(key), prefix);
  if (whole.length <= MAX_BINARY_KEY_BYTES) return whole;
  throw new KeyError(
    `The key ${describeKey(whole)} is ${whole.length} bytes; in base64 memcached allows ${MAX_BINARY_KEY_BYTES}`,
  );
}

/**
 * The wire form of a key for the text protocol where keys that it cannot hold are sent in
 * base64; they alone may be 186 bytes and no more.
 * @throws KeyError
 */
export function encodeTextOrBinaryKey(key: Key, prefix = ""): string {
  const whole = encodeAnyKey(key, prefix);
  return isTextual(whole) ? whole : encodeBinaryKey(key, prefix);
}

/** Whitespace and control bytes, at which the text protocol ends a word. */
const UNTEXTUAL = /[\0- \x7f]/;

/** Whether the text protocol can hold a key in wire form as it is. */
export function isTextual(wire: string): boolean {
  return !UNTEXTUAL.test(wire);
}

/** Checks a prefix by the same rules as a key, except that it may be empty. */
export function encodePrefix(prefix: Key, encode: EncodeKey = encodeKey): string {
  return prefix?.length === 0 ? "" : encodeAs("No key can begin with this prefix", prefix, encode);
}

/** The same for a key that decides the server in the place of another. */
export function encodeGroupKey(groupKey: Key, encode: EncodeKey): string {
  return encodeAs("groupKey must be what a key may be", groupKey, encode);
}

function encodeAs(demand: string, key: Key, encode: EncodeKey): string {
  try {
    return encode(key);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw new KeyError(`${demand}. ${error.message}`);
  }
}

/** The text of a key in wire form; a character for each byte, if they are not UTF-8. */
export function keyText(wire: string): string {
  if (!NOT_PRINTABLE_ASCII.test(wire)) return wire;
  const bytes = Buffer.from(wire, "latin1");
  return strictUtf8(bytes, 0, bytes.length) ?? wire;
}

/** The same for messages, shortened and escaped. */
export function describeKey(wire: string): string {
  return quote(keyText(wire), SHOWN);
}

/** How many characters of a key a message shows. */
const SHOWN = 40;

/** As fast as a loop over the characters, and twice as fast for long keys. */
const NOT_PRINTABLE_ASCII = /[^\x21-\x7e]/;

function isPlain(key: Key): key is string {
  return typeof key === "string" && !NOT_PRINTABLE_ASCII.test(key);
}

function anyBytes(key: Key): string {
  return latin1All(keyBytes(key));
}

/** @throws KeyError for what is neither text that UTF-8 can express nor bytes */
export function keyBytes(key: Key): Uint8Array {
  return typeof key === "string" ? Buffer.from(wellFormed(key), "utf8") : checkBytes(key);
}

function wellFormed(key: string): string {
  if (key.isWellFormed()) return key;
  throw new KeyError(
    `The key ${quote(key, SHOWN)} has a lone surrogate, which UTF-8 cannot express`,
  );
}

function checkTextual(wire: string): string {
  const index = wire.search(UNTEXTUAL);
  if (index >= 0) throw forbidden(wire, wire.charCodeAt(index), index);
  return wire;
}

function checkBytes(key: unknown): Uint8Array {
  if (isUint8Array(key)) return key;
  const hint = Array.isArray(key) ? "; getMulti takes several" : "";
  throw new KeyError(`A key must be a string or a Uint8Array, not ${show(key)}${hint}`);
}

function forbidden(key: string, code: number, index: number): KeyError {
  const byte = `0x${code.toString(16).padStart(2, "0")}`;
  return new KeyError(
    `The key ${describeKey(key)} has the byte ${byte} at ${index}; whitespace and control bytes cannot be sent, unless encodeKeys is "base64"`,
  );
}

function checkLength(whole: string, prefix: string): string {
  if (whole.length === 0) throw new KeyError("The key is empty; memcached needs 1 to 250 bytes");
  if (whole.length > MAX_KEY_BYTES) throw tooLong(whole, prefix);
  return whole;
}

function tooLong(wire: string, prefix: string): KeyError {
  const withPrefix = prefix === "" ? "" : ` with its prefix of ${prefix.length}`;
  return new KeyError(
    `The key ${describeKey(wire)} is ${wire.length} bytes${withPrefix}; memcached allows ${MAX_KEY_BYTES}; shorten it, or set hashLongKeys`,
  );
}
