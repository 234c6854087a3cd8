import { CodecError, OptionError } from "../errors.js";
import { isUint8Array, ownBytes } from "../util/bytes.js";
import type { Codec, Encoded, EncodeOptions } from "./codec.js";
import { FLAG_BYTES } from "./flags.js";
import { encodeText } from "./text.js";

/** No types at all: strings and bytes are stored as they are, and everything is read as bytes. */
export class RawCodec implements Codec {
  encode(value: unknown, options?: EncodeOptions): Encoded {
    if (options?.compress) throw new OptionError("Raw values have no flag that says compressed");
    if (typeof value === "string") return { data: encodeText(value), flags: FLAG_BYTES };
    if (isUint8Array(value)) return { data: value, flags: FLAG_BYTES };
    throw new CodecError(
      `Without a serializer strings and Uint8Arrays are stored, not a value of type ${typeof value}; convert it`,
    );
  }

  decode(bytes: Buffer, start: number, end: number, _flags: number, owned: boolean): Buffer {
    return ownBytes(bytes, start, end, owned);
  }
}
