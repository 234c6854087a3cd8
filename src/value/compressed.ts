import { CodecError } from "../errors.js";
import { whenReady } from "../util/ready.js";
import type { Codec, CompressOptions, Encoded, EncodeOptions } from "./codec.js";
import { Deflaters } from "./deflater.js";
import { COMPRESSOR_MASK, FLAG_CHUNKED, FLAG_COMPRESSED } from "./flags.js";
import { InflateLimits, type InflateOptions, Inflater } from "./inflater.js";

export interface CompressedOptions extends InflateOptions {
  /**
   * What is done with a value whose call says nothing of compression.
   * @defaultValue false, as in pylibmc
   */
  readonly compress?: boolean | CompressOptions | undefined;
}

/** Puts compression around another codec: by default or by call when writing, by flags when reading. */
export class CompressedCodec implements Codec {
  readonly #inner: Codec;
  readonly #deflaters: Deflaters;
  readonly #inflater: Inflater;

  constructor(inner: Codec, options: CompressedOptions = {}) {
    const limits = new InflateLimits(options);
    this.#inner = inner;
    this.#deflaters = new Deflaters(options.compress, limits);
    this.#inflater = new Inflater(limits);
  }

  encode(
    value: unknown,
    options: EncodeOptions | undefined,
    key?: string,
  ): Encoded | Promise<Encoded> {
    return this.#deflaters.deflate(this.#inner.encode(value, options, key), options);
  }

  decode(
    bytes: Buffer,
    start: number,
    end: number,
    flags: number,
    owned: boolean,
    key?: string,
  ): unknown {
    if ((flags & FLAG_COMPRESSED) === 0) {
      return this.#inner.decode(bytes, start, end, flags, owned, key);
    }
    if (flags === FLAG_CHUNKED) {
      throw new CodecError(
        "The item belongs to a value in chunks; read the value with the option chunk",
      );
    }
    const data = this.#inflater.inflate(bytes, start, end, flags, owned);
    const rest = (flags & ~(FLAG_COMPRESSED | COMPRESSOR_MASK)) >>> 0;
    return whenReady(data, (inflated) =>
      this.#inner.decode(inflated, 0, inflated.length, rest, true, key),
    );
  }
}
