import { CodecError } from "../errors.js";
import { strictUtf8 } from "../util/bytes.js";
import type { EncodedData } from "./codec.js";

/** The global is an accessor, which is called for every string that is asked for its length. */
const { Buffer } = globalThis;

/** A string as it is stored: itself if it is ASCII, else its UTF-8 bytes. */
export function encodeText(text: string): EncodedData {
  if (Buffer.byteLength(text) === text.length) return text;
  if (!text.isWellFormed()) {
    throw new CodecError(
      "The string has half of a surrogate pair, which UTF-8 cannot hold; repair it with toWellFormed()",
    );
  }
  return Buffer.from(text, "utf8");
}

/** UTF-8 bytes as a string, refusing what the decoder would have to make up. */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  const text = strictUtf8(bytes, start, end);
  if (text !== undefined) return text;
  throw new CodecError('The stored text is not UTF-8; read it with serializer: "raw"');
}
