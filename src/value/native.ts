import { types } from "node:util";
import { CodecError } from "../errors.js";
import type { Codec, Encoded, EncodeOptions } from "./codec.js";
import {
  FLAG_BOOLEAN,
  FLAG_BYTES,
  FLAG_INTEGER,
  FLAG_JSON,
  FLAG_TEXT,
  TYPE_MASK,
} from "./flags.js";
import { decodeInteger, encodeBigint } from "./integer.js";
import { decodeJson, encodeJson } from "./json.js";
import { decodeText, encodeText } from "./text.js";

/**
 * The default codec: pylibmc's native types under pylibmc's flags, everything else
 * through a serializer.
 */
export class NativeCodec implements Codec {
  encode(value: unknown, _options: EncodeOptions | undefined): Encoded {
    return this.#serialize(value);
  }

  decode(bytes: Buffer, start: number, end: number, flags: number, owned: boolean): unknown {
    switch (flags) {
      case FLAG_TEXT:
        return decodeText(bytes, start, end);
      case FLAG_JSON:
        return decodeJson(bytes, start, end);
      case FLAG_INTEGER:
        return decodeInteger(bytes, start, end);
      case FLAG_BYTES:
        return ownBytes(bytes, start, end, owned);
      case FLAG_BOOLEAN:
        // Python's True is the integer 1, and a counter to the server.
        return Number(decodeInteger(bytes, start, end)) !== 0;
      default:
        return this.#decodeOther(bytes, start, end, flags, owned);
    }
  }

  #decodeOther(bytes: Buffer, start: number, end: number, flags: number, owned: boolean): unknown {
    const type = flags & TYPE_MASK;
    if (type === flags) throw new CodecError(`The item's flags, ${flags}, are of no known type`);
    return this.decode(bytes, start, end, type, owned);
  }

  #serialize(value: unknown): Encoded {
    switch (typeof value) {
      case "string":
        return { data: encodeText(value), flags: FLAG_TEXT };
      case "number":
        // What a number cannot count exactly is a float, and read back as one.
        if (Number.isSafeInteger(value)) return { data: String(value), flags: FLAG_INTEGER };
        break;
      case "bigint":
        return { data: encodeBigint(value), flags: FLAG_INTEGER };
      case "boolean":
        return { data: value ? "1" : "0", flags: FLAG_BOOLEAN };
      case "object":
        if (types.isUint8Array(value)) return { data: value, flags: FLAG_BYTES };
        break;
      default:
        throw new CodecError(`A value of type ${typeof value} cannot be stored`);
    }
    return { data: encodeText(encodeJson(value)), flags: FLAG_JSON };
  }
}

/** Bytes that outlive the read buffer. */
function ownBytes(bytes: Buffer, start: number, end: number, owned: boolean): Buffer {
  if (owned) return bytes.subarray(start, end);
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
