/**
 * What the client flags of an item mean. The low five bits are pylibmc's; pylibmc
 * ignores all others, so what is ours goes there.
 *
 * ```
 *   bit   1  pickle ┐
 *         2  boolean│ at most one of these four; none: bytes
 *         4  integer│
 *        16  text   ┘
 *         8  compressed, by zlib unless bits 64 and 128 say otherwise
 *        32  with text: the text is JSON
 *    64,128  with compressed: 64 brotli, 128 gzip, both zstd
 *       256  encrypted (everything else is then said inside)
 *       512  V8's structured clone
 *      1024  with compressed: the manifest of a value in chunks, or a chunk, and nothing else
 *      2048  with compressed: no value yet, but the place that a migration keeps for one
 * ```
 */
export const FLAG_BYTES = 0;
export const FLAG_PICKLE = 1;
export const FLAG_BOOLEAN = 2;
export const FLAG_INTEGER = 4;
export const FLAG_COMPRESSED = 8;
export const FLAG_TEXT = 16;
/** Text to pylibmc, a value to us. */
export const FLAG_JSON = 48;
export const FLAG_BROTLI = 64;
export const FLAG_GZIP = 128;
export const FLAG_ZSTD = 192;
export const FLAG_ENCRYPTED = 256;
export const FLAG_STRUCTURED = 512;
/** With the bit of compressed data, so that pylibmc fails on it as on a broken stream. */
export const FLAG_CHUNKED = 1032;
/** With that bit as well, for the same reason. */
export const FLAG_PLACEHOLDER = 2056;

/** The bits of which only one may be set. */
export const TYPE_MASK = 23;
/** The bits that name the compressor. */
export const COMPRESSOR_MASK = 192;
/** The bits that would mean something else if their value were compressed. */
export const UNCOMPRESSED_MASK = 1216;
