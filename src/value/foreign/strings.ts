import { builtin } from "../../util/builtin.js";
import { utf8 } from "../../util/bytes.js";
import { ownBytes } from "../bytes.js";

const buffer = builtin("node:buffer");

/** A string of a language that does not tell text from bytes: text if it is UTF-8. */
export function textOrBytes(
  bytes: Buffer,
  start: number,
  end: number,
  owned = false,
): string | Buffer {
  const text = utf8(bytes, start, end);
  return text.includes("\ufffd") && !buffer().isUtf8(bytes.subarray(start, end))
    ? ownBytes(bytes, start, end, owned)
    : text;
}
