import { builtin } from "../util/builtin.js";
import { isUint8Array, latin1All } from "../util/bytes.js";
import {
  type EncodeKey,
  isTextual,
  type Key,
  keyBytes,
  MAX_BINARY_KEY_BYTES,
  MAX_KEY_BYTES,
} from "./key.js";

const crypto = builtin("node:crypto");

/** What a hash stands behind, so that nobody takes it for a key of their own. */
const MARK = "sha256-";

/**
 * The same rules for keys, but that one which is too long with its prefix is replaced by
 * its SHA-256 in base64url, behind the prefix.
 * @param base64Keys - whether keys that text cannot hold are sent in base64, which takes fewer bytes
 */
export function hashingLongKeys(encode: EncodeKey, base64Keys: boolean): EncodeKey {
  return (key, prefix = "") => {
    const most = base64Keys && !isText(key, prefix) ? MAX_BINARY_KEY_BYTES : MAX_KEY_BYTES;
    return encode(isOver(key, most - prefix.length) ? hashed(key) : key, prefix);
  };
}

function isText(key: Key, prefix: string): boolean {
  if (typeof key === "string") return isTextual(prefix + key);
  return !isUint8Array(key) || isTextual(prefix + latin1All(key));
}

function isOver(key: Key, room: number): boolean {
  if (typeof key !== "string") return isUint8Array(key) && key.length > room;
  // No character is more than three bytes of UTF-8 for each of its units.
  return key.length > room || (key.length * 3 > room && Buffer.byteLength(key) > room);
}

function hashed(key: Key): string {
  return MARK + crypto().createHash("sha256").update(keyBytes(key)).digest("base64url");
}
