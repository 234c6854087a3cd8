/** The CRC-32 of zlib and Ethernet: polynomial 0xedb88320, bits reflected. */
const TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) {
    remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  }
  return remainder;
});

/** CRC-32, all 32 bits, as Ruby's and Go's clients hash keys. */
export function crc32(key: string): number {
  let crc = -1;
  for (let i = 0; i < key.length; i++) {
    crc = (crc >>> 8) ^ TABLE[(crc ^ key.charCodeAt(i)) & 0xff]!;
  }
  return ~crc >>> 0;
}

/**
 * libmemcached's `crc`: only 15 bits of the CRC-32, as the Perl client of old did.
 * Fine for `modula`; on a ring every key falls below the first points.
 */
export function crc15(key: string): number {
  return (crc32(key) >>> 16) & 0x7fff;
}
