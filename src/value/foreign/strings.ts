import { ownBytes, strictUtf8 } from "../../util/bytes.js";

/** A string of a language that does not tell text from bytes: text if it is UTF-8. */
export function textOrBytes(
  bytes: Buffer,
  start: number,
  end: number,
  owned = false,
): string | Buffer {
  return strictUtf8(bytes, start, end) ?? ownBytes(bytes, start, end, owned);
}
