import { CodecError } from "../errors.js";
import { isUint8Array } from "../util/bytes.js";
import { show } from "../util/show.js";
import type { Codec, Encoded, EncodeOptions } from "./codec.js";

/** A codec of the program's own. What it gives becomes part of a command, and so is looked at. */
export class CheckedCodec implements Codec {
  readonly #codec: Codec;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  encode(
    value: unknown,
    options: EncodeOptions | undefined,
    key?: string,
  ): Encoded | Promise<Encoded> {
    const encoded = this.#codec.encode(value, options, key);
    return encoded instanceof Promise ? encoded.then(checked) : checked(encoded);
  }

  decode(
    bytes: Buffer,
    start: number,
    end: number,
    flags: number,
    owned: boolean,
    key?: string,
  ): unknown {
    return this.#codec.decode(bytes, start, end, flags, owned, key);
  }
}

function checked(encoded: Encoded): Encoded {
  const { data, flags } = encoded ?? {};
  encodedFlags(flags, "encode");
  if (isUint8Array(data) || (typeof data === "string" && !/[^\0-\xff]/.test(data))) {
    return { data, flags };
  }
  throw new CodecError(
    "encode() must give { data, flags }, data a Uint8Array or a string of one byte a character",
  );
}

/** @param method - what gave them */
export function encodedFlags(flags: unknown, method: string): number {
  if (typeof flags === "number" && flags === flags >>> 0) return flags;
  throw new CodecError(`${method}() must give flags from 0 to 4294967295, not ${show(flags)}`);
}
