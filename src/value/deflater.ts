import { CodecError, OptionError } from "../errors.js";
import { checkInteger } from "../util/check.js";
import { whenReady } from "../util/ready.js";
import { show } from "../util/show.js";
import type { CompressOptions, Encoded, EncodeOptions } from "./codec.js";
import { type Method, methodNamed } from "./compression.js";
import { FLAG_COMPRESSED, UNCOMPRESSED_MASK } from "./flags.js";
import type { InflateLimits } from "./inflater.js";

/** Below this a compression is over before another thread has begun it. */
const ASYNC_LENGTH = 64 * 1024;
const DEFAULT_MIN_LENGTH = 1024;

/** Compresses encoded values, where that makes them smaller. */
export class Deflater {
  readonly #method: Method;
  readonly #minLength: number;
  readonly #level: number;
  readonly #limits: InflateLimits;

  /** @throws OptionError for a level or a length out of range */
  constructor(options: CompressOptions, limits: InflateLimits) {
    const { minLength = DEFAULT_MIN_LENGTH, level = -1, algorithm = "zlib" } = options;
    this.#method = methodNamed(algorithm);
    if (!(typeof minLength === "number" && minLength >= 0)) {
      throw new OptionError(`compress.minLength must be a number of bytes, not ${show(minLength)}`);
    }
    this.#minLength = minLength;
    this.#level = checkInteger(level, `compress.level of ${algorithm}`, -1, this.#method.maxLevel);
    this.#limits = limits;
  }

  /** The value compressed, or as it is if it is short or would not become smaller. */
  deflate(encoded: Encoded): Encoded | Promise<Encoded> {
    const { data, flags } = encoded;
    // pylibmc too takes no length for "off"; bits that go with compression would be misread.
    if (this.#level === 0 || data.length === 0 || data.length < this.#minLength) return encoded;
    if ((flags & UNCOMPRESSED_MASK) !== 0) return encoded;
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    if (bytes.length < ASYNC_LENGTH) {
      return this.#choose(encoded, this.#method.deflateSync(bytes, this.#level));
    }
    return new Promise((resolve, reject) => {
      this.#method.deflate(bytes, this.#level, (cause, result) => {
        if (cause === null) resolve(this.#choose(encoded, result));
        else reject(new CodecError(`${this.#method.name} failed to compress a value`, { cause }));
      });
    });
  }

  #choose(encoded: Encoded, data: Buffer): Encoded {
    const { length } = encoded.data;
    // What is more than the reader would inflate has to be stored as it is.
    if (data.length >= length || length > this.#limits.limitFor(data.length)) return encoded;
    return { data, flags: (encoded.flags | FLAG_COMPRESSED | this.#method.flags) >>> 0 };
  }
}

/** What compresses a call's value: the client's default, or what the call asks for instead. */
export class Deflaters {
  readonly #defaults: CompressOptions;
  /** With the defaults; also for a call that says no more than "compress". */
  readonly #deflater: Deflater;
  readonly #always: boolean;
  readonly #limits: InflateLimits;

  constructor(compress: boolean | CompressOptions = false, limits: InflateLimits) {
    this.#defaults = typeof compress === "object" ? compress : {};
    this.#deflater = new Deflater(this.#defaults, limits);
    this.#always = compress !== false;
    this.#limits = limits;
  }

  /**
   * A value as its call's options say, or the defaults where they say nothing.
   * @throws OptionError for options out of range
   */
  deflate(
    encoded: Encoded | Promise<Encoded>,
    options: EncodeOptions | undefined,
  ): Encoded | Promise<Encoded> {
    const deflater = this.#deflaterFor(options);
    if (deflater === undefined) return encoded;
    return whenReady(encoded, (ready) => deflater.deflate(ready));
  }

  #deflaterFor(options: EncodeOptions | undefined): Deflater | undefined {
    const compress = options?.part === true ? false : options?.compress;
    if (compress === undefined) return this.#always ? this.#deflater : undefined;
    if (typeof compress === "boolean") return compress ? this.#deflater : undefined;
    return new Deflater({ ...this.#defaults, ...compress }, this.#limits);
  }
}
