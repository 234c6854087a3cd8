import { CodecError, MemcachedError } from "../errors.js";
import { isUint8Array, ownBytes } from "../util/bytes.js";
import { encodedFlags, isThenable } from "./checked.js";
import type { Codec, Encoded, EncodeOptions, Serializer } from "./codec.js";
import { FLAG_COMPRESSED } from "./flags.js";
import { encodeText } from "./text.js";

/** A user's serializer as a codec: checks what it gives, and turns what it throws into our errors. */
export class CustomCodec implements Codec {
  readonly #serializer: Serializer;

  constructor(serializer: Serializer) {
    this.#serializer = serializer;
  }

  encode(value: unknown, _options?: EncodeOptions): Encoded | Promise<Encoded> {
    const encoded = attempt("serialize", () => this.#serializer.serialize(value));
    return isThenable(encoded) ? settle("serialize", encoded).then(checked) : checked(encoded);
  }

  decode(bytes: Buffer, start: number, end: number, flags: number, owned: boolean): unknown {
    const data = ownBytes(bytes, start, end, owned);
    const value = attempt("deserialize", () => this.#serializer.deserialize(data, flags));
    return isThenable(value) ? settle("deserialize", value) : value;
  }
}

/** The user's own method; what it throws is the cause of a CodecError. */
function attempt(method: string, call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    throw describe(method, error);
  }
}

async function settle(method: string, promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    throw describe(method, error);
  }
}

function describe(method: string, error: unknown): MemcachedError {
  if (error instanceof MemcachedError) return error;
  return new CodecError(`The serializer's ${method}() failed`, { cause: error });
}

function checked(encoded: unknown): Encoded {
  if (typeof encoded !== "object" || encoded === null) throw wrongShape();
  if (!("data" in encoded) || !("flags" in encoded)) throw wrongShape();
  const { data } = encoded;
  const flags = encodedFlags(encoded.flags, "serialize");
  if ((flags & FLAG_COMPRESSED) !== 0) {
    throw new CodecError(
      `serialize() gave the flags ${flags}; bit 8 is reserved, it marks compressed data`,
    );
  }
  if (typeof data === "string") return { data: encodeText(data), flags };
  if (!isUint8Array(data)) throw wrongShape();
  return { data, flags };
}

function wrongShape(): CodecError {
  return new CodecError("serialize() must give { data, flags }, data a string or a Uint8Array");
}
