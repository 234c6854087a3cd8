import { CodecError, OptionError } from "../../errors.js";
import { asBuffer, isUint8Array, utf8 } from "../../util/bytes.js";
import type { Codec, Encoded, EncodeOptions } from "../codec.js";
import { decodeJson, encodeJson } from "../json.js";
import { encodeText } from "../text.js";

const JSON_VALUE = 2;
const BINARY = 4;
const NUMERIC = 8;

/**
 * The npm package `memcached` (lib/memcached.js): flags 0 string, 2 JSON, 4 bytes, 8
 * number. Everything is text there: bytes are written as if latin1 were UTF-8, and a
 * line feed or carriage return, which JSON has none of, has a backslash before it.
 */
export class NodeMemcachedCodec implements Codec {
  encode(value: unknown, options?: EncodeOptions): Encoded {
    if (options?.compress) throw new OptionError('codec "memcached" has no compression');
    switch (typeof value) {
      case "string":
        return { data: escaped(value), flags: 0 };
      case "number":
      case "bigint":
        return { data: String(value), flags: NUMERIC };
      default:
        return isUint8Array(value)
          ? { data: escaped(asBuffer(value).toString("latin1")), flags: BINARY }
          : { data: encodeText(encodeJson(value)), flags: JSON_VALUE };
    }
  }

  decode(bytes: Buffer, start: number, end: number, flags: number): unknown {
    if (flags === JSON_VALUE) return decodeJson(bytes, start, end);
    const text = utf8(bytes, start, end).replace(/\\(\r|\n)/g, "$1");
    switch (flags) {
      case BINARY:
        return Buffer.from(text, "latin1");
      case NUMERIC:
        return parseNumber(text);
      default:
        return text;
    }
  }
}

function escaped(text: string): Encoded["data"] {
  return encodeText(text.replace(/(\r|\n)/g, "\\$1"));
}

function parseNumber(text: string): number | bigint {
  const number = Number(text);
  if (text.trim() === "" || (Number.isNaN(number) && text !== "NaN")) {
    throw new CodecError("The item is flagged as a number, but holds none");
  }
  const isExact = !Number.isInteger(number) || Number.isSafeInteger(number);
  return isExact || !/^ *-?\d{1,4300} *$/.test(text) ? number : BigInt(text.trim());
}
