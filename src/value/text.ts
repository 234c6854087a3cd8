import { Buffer, isUtf8 } from "node:buffer";
import { CodecError } from "../errors.js";
import { utf8 } from "../util/bytes.js";
import type { EncodedData } from "./codec.js";

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
  const text = utf8(bytes, start, end);
  // The search is free on ASCII, where it cannot match.
  if (text.includes("\ufffd") && !isUtf8(bytes.subarray(start, end))) {
    throw new CodecError('The stored text is not UTF-8; read it with serializer: "raw"');
  }
  return text;
}
