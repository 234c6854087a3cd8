import type { Codec, CompressOptions, Encoded, EncodeOptions } from "./codec.js";
import { Deflater } from "./deflater.js";
import { COMPRESSOR_MASK, FLAG_COMPRESSED } from "./flags.js";
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
  readonly #defaults: CompressOptions;
  /** Of the defaults, for a call that says no more than "compress". */
  readonly #deflater: Deflater;
  readonly #always: boolean;
  readonly #limits: InflateLimits;
  readonly #inflater: Inflater;

  constructor(inner: Codec, options: CompressedOptions = {}) {
    const { compress = false } = options;
    this.#inner = inner;
    this.#limits = new InflateLimits(options);
    this.#inflater = new Inflater(this.#limits);
    this.#defaults = typeof compress === "object" ? compress : {};
    this.#deflater = new Deflater(this.#defaults, this.#limits);
    this.#always = compress !== false;
  }

  encode(
    value: unknown,
    options: EncodeOptions | undefined,
    key?: string,
  ): Encoded | Promise<Encoded> {
    const encoded = this.#inner.encode(value, options, key);
    const deflater = this.#deflaterFor(options?.compress);
    if (deflater === undefined) return encoded;
    return encoded instanceof Promise
      ? encoded.then((settled) => deflater.deflate(settled))
      : deflater.deflate(encoded);
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
    const data = this.#inflater.inflate(bytes, start, end, flags, owned);
    const rest = (flags & ~(FLAG_COMPRESSED | COMPRESSOR_MASK)) >>> 0;
    return data instanceof Promise
      ? data.then((inflated) => this.#inner.decode(inflated, 0, inflated.length, rest, true, key))
      : this.#inner.decode(data, 0, data.length, rest, true, key);
  }

  #deflaterFor(compress: boolean | CompressOptions | undefined): Deflater | undefined {
    if (compress === undefined) return this.#always ? this.#deflater : undefined;
    if (typeof compress === "boolean") return compress ? this.#deflater : undefined;
    return new Deflater({ ...this.#defaults, ...compress }, this.#limits);
  }
}
