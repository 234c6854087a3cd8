import { latin1All } from "../util/bytes.js";

/** Text (as UTF-8) or bytes as a string of one character a byte; ASCII text is returned as it is. */
export function wireForm(key: string | Uint8Array): string {
  if (typeof key !== "string") return latin1All(key);
  for (let i = 0; i < key.length; i++) {
    if (key.charCodeAt(i) >= 0x80) return wireForm(Buffer.from(key, "utf8"));
  }
  return key;
}
