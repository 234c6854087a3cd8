import { builtin } from "../util/builtin.js";
import { isUint8Array } from "../util/bytes.js";
import { type EncodeKey, type Key, keyBytes, MAX_KEY_BYTES } from "./key.js";

const crypto = builtin("node:crypto");

/** What a hash stands behind, so that nobody takes it for a key of their own. */
const MARK = "sha256-";

/**
 * The same rules for keys, but that one which is too long with its prefix is replaced by
 * its SHA-256 in base64url, behind the prefix.
 */
export function hashingLongKeys(encode: EncodeKey): EncodeKey {
  return (key, prefix = "") => encode(isTooLong(key, prefix) ? hashed(key) : key, prefix);
}

function isTooLong(key: Key, prefix: string): boolean {
  const room = MAX_KEY_BYTES - prefix.length;
  if (typeof key !== "string") return isUint8Array(key) && key.length > room;
  // No character is more than three bytes of UTF-8 for each of its units.
  return key.length > room || (key.length * 3 > room && Buffer.byteLength(key) > room);
}

function hashed(key: Key): string {
  return MARK + crypto().createHash("sha256").update(keyBytes(key)).digest("base64url");
}
