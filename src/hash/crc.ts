/** What each byte leaves of a remainder, made for the first key: most programs have none. */
let table: Int32Array | undefined;

/** CRC-32, all 32 bits, as Ruby's and Go's clients hash keys. */
export function crc32(key: string): number {
  table ??= remainders();
  let crc = -1;
  for (let i = 0; i < key.length; i++) {
    crc = (crc >>> 8) ^ table[(crc ^ key.charCodeAt(i)) & 0xff]!;
  }
  return ~crc >>> 0;
}

/** By the polynomial of zlib and Ethernet, 0xedb88320, bits reflected. */
function remainders(): Int32Array {
  const all = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) {
      remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
    }
    all[byte] = remainder;
  }
  return all;
}

/**
 * libmemcached's `crc`: only 15 bits of the CRC-32, as the Perl client of old did.
 * Fine for `modula`; on a ring every key falls below the first points.
 */
export function crc15(key: string): number {
  return (crc32(key) >>> 16) & 0x7fff;
}
