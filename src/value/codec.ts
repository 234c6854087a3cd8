/** A value's bytes: ASCII text (one byte a character), or any bytes. */
export type EncodedData = string | Uint8Array;

/** A value as memcached stores it. */
export interface Encoded {
  readonly data: EncodedData;
  /** The client flags, 32 bits, that say how to read `data` again. */
  readonly flags: number;
}

/** What a caller may say of one value's encoding. */
export interface EncodeOptions {
  /** Overrides the client's default for this call. */
  readonly compress?: boolean | CompressOptions | undefined;
}

export interface CompressOptions {
  /** Values of fewer bytes stay as they are. */
  readonly minLength?: number | undefined;
  /** zlib's level, 1 to 9. */
  readonly level?: number | undefined;
}

/** Values to data and flags, and back. */
export interface Codec {
  /** @throws CodecError for a value that cannot be encoded */
  encode(value: unknown, options: EncodeOptions | undefined): Encoded | Promise<Encoded>;
  /**
   * Reads `bytes[start, end)`. The bytes are reused afterwards unless `owned`, so
   * whatever is kept must be a copy.
   * @throws CodecError for data that cannot be decoded, CacheMiss for what counts as a miss
   */
  decode(bytes: Buffer, start: number, end: number, flags: number, owned: boolean): unknown;
}
