import { types } from "node:util";
import { CodecError } from "../errors.js";
import { ownBytes } from "./bytes.js";
import type { Codec, Encoded } from "./codec.js";
import { FLAG_BYTES } from "./flags.js";
import { encodeText } from "./text.js";

/** No types at all: strings and bytes are stored as they are, and everything is read as bytes. */
export class RawCodec implements Codec {
  encode(value: unknown): Encoded {
    if (typeof value === "string") return { data: encodeText(value), flags: FLAG_BYTES };
    if (types.isUint8Array(value)) return { data: value, flags: FLAG_BYTES };
    throw new CodecError(
      `serializer "raw" stores strings and Uint8Arrays, not a value of type ${typeof value}`,
    );
  }

  decode(bytes: Buffer, start: number, end: number, _flags: number, owned: boolean): Buffer {
    return ownBytes(bytes, start, end, owned);
  }
}
