import type { Pending } from "../util/pending.js";

/** A value's bytes, or a string in which each character is one. */
export type EncodedData = string | Uint8Array;

/** A value as memcached stores it. */
export interface Encoded {
  /** Its bytes. */
  readonly data: EncodedData;
  /** The client flags, 32 bits, that say how to read `data` again. */
  readonly flags: number;
}

/** What a caller may say of one value's encoding. */
export interface EncodeOptions {
  /** Overrides the client's default for this call; `true` stands for its defaults. */
  readonly compress?: boolean | CompressOptions | undefined;
  /**
   * The data is a part, to be put before or behind what is stored: it is not compressed,
   * and a codec whose data cannot be joined refuses it.
   */
  readonly part?: boolean | undefined;
}

/** The compressors: pylibmc reads `"zlib"` alone. */
export type Compression = "zlib" | "gzip" | "brotli" | "zstd";

/** Which values are compressed, and how. */
export interface CompressOptions {
  /**
   * Values of fewer bytes stay as they are.
   * @defaultValue 1024
   */
  readonly minLength?: number | undefined;
  /**
   * 1 (fast) to 9 (small) for zlib and gzip, 11 for brotli, 22 for zstd; -1 stands for
   * the compressor's own choice, 0 leaves the value as it is.
   * @defaultValue -1
   */
  readonly level?: number | undefined;
  /**
   * `"zstd"` needs a Node that has it (22.15 or later).
   * @defaultValue "zlib"
   */
  readonly algorithm?: Compression | undefined;
}

/** Values to data and flags, and back. */
export interface Codec {
  /**
   * `key` is the item's key as it is sent, a character a byte; only codecs that bind
   * the value to its key want it.
   * @throws CodecError for a value that cannot be encoded
   */
  encode(
    value: unknown,
    options: EncodeOptions | undefined,
    key?: string,
  ): Encoded | Promise<Encoded>;
  /**
   * Reads `bytes[start, end)`. The bytes are reused afterwards unless `owned`, so
   * whatever is kept must be a copy.
   * @returns the value, or a promise of it where reading it takes long
   * @throws CodecError for data that cannot be decoded, CacheMiss for what counts as a miss
   */
  decode(
    bytes: Buffer,
    start: number,
    end: number,
    flags: number,
    owned: boolean,
    key?: string,
  ): unknown;
}

/** The half of a codec that reads. */
export interface Decoder extends Pick<Codec, "decode"> {
  /** Takes the values of which it gives a promise, where somebody keeps them. */
  readonly slow?: Pending | undefined;
}

/**
 * A user's own pair in place of the native types: every value goes through it.
 * Compression stays outside, so `deserialize` sees what `serialize` gave.
 */
export interface Serializer<Value = unknown> {
  /** The flags may be any 32 bits but 8, which marks compressed data. */
  serialize(value: Value): Encoded | Promise<Encoded>;
  /**
   * `data` is the callee's to keep.
   * @throws CacheMiss to make the item a miss, for instance when an older program wrote it
   */
  deserialize(data: Uint8Array, flags: number): Value | Promise<Value>;
}
