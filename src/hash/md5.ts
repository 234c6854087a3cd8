import { wordAt, wordAtEnd } from "./word.js";

/**
 * MD5 (RFC 1321) of short strings. Node's own costs over a microsecond a key, nearly
 * all of it for the object it makes; this one makes none.
 */

/** RFC 1321, 3.4: the whole part of 2^32 times |sin(i)|, i in radians. */
const SINES: Int32Array = Int32Array.from({ length: 64 }, (_, i) =>
  Math.floor(2 ** 32 * Math.abs(Math.sin(i + 1))),
);

/** One block, and the digest so far. Nothing here waits, so one of each is enough. */
const block = new Int32Array(16);
const digest = new Int32Array(4);

/** libmemcached's `md5`: the digest's first word, little-endian. */
export function md5(key: string): number {
  compute(key);
  return digest[0]! >>> 0;
}

/** The digest as four little-endian words: the four points of a weighted ring's label. */
export function md5Words(key: string): [number, number, number, number] {
  compute(key);
  return [digest[0]! >>> 0, digest[1]! >>> 0, digest[2]! >>> 0, digest[3]! >>> 0];
}

/**
 * ```
 *   | 64 bytes | 64 bytes | key's last bytes, 0x80, zeros, length in bits (64-bit, LE) |
 * ```
 */
function compute(key: string): void {
  const { length } = key;
  digest[0] = 0x67452301;
  digest[1] = 0xefcdab89;
  digest[2] = 0x98badcfe;
  digest[3] = 0x10325476;

  let at = 0;
  for (; length - at >= 64; at += 64) {
    for (let i = 0; i < 16; i++) block[i] = wordAt(key, at + 4 * i);
    transform();
  }
  let i = 0;
  for (; length - at >= 4; at += 4) block[i++] = wordAt(key, at);
  block[i++] = wordAtEnd(key, at) | (0x80 << (8 * (length - at)));
  if (i > 14) {
    while (i < 16) block[i++] = 0;
    transform();
    i = 0;
  }
  while (i < 14) block[i++] = 0;
  block[14] = length << 3;
  block[15] = length >>> 29;
  transform();
}

/**
 * RFC 1321, 3.4: four rounds of sixteen steps. The steps stand here and not in a function
 * of their own because V8 inlines so much code only in part, and the calls double the time.
 */
function transform(): void {
  let a = digest[0]!;
  let b = digest[1]!;
  let c = digest[2]!;
  let d = digest[3]!;

  for (let i = 0; i < 16; i += 4) {
    a = (a + ((b & c) | (~b & d)) + block[i]! + SINES[i]!) | 0;
    a = (((a << 7) | (a >>> 25)) + b) | 0;
    d = (d + ((a & b) | (~a & c)) + block[i + 1]! + SINES[i + 1]!) | 0;
    d = (((d << 12) | (d >>> 20)) + a) | 0;
    c = (c + ((d & a) | (~d & b)) + block[i + 2]! + SINES[i + 2]!) | 0;
    c = (((c << 17) | (c >>> 15)) + d) | 0;
    b = (b + ((c & d) | (~c & a)) + block[i + 3]! + SINES[i + 3]!) | 0;
    b = (((b << 22) | (b >>> 10)) + c) | 0;
  }
  for (let i = 16; i < 32; i += 4) {
    a = (a + ((b & d) | (c & ~d)) + block[(5 * i + 1) & 15]! + SINES[i]!) | 0;
    a = (((a << 5) | (a >>> 27)) + b) | 0;
    d = (d + ((a & c) | (b & ~c)) + block[(5 * i + 6) & 15]! + SINES[i + 1]!) | 0;
    d = (((d << 9) | (d >>> 23)) + a) | 0;
    c = (c + ((d & b) | (a & ~b)) + block[(5 * i + 11) & 15]! + SINES[i + 2]!) | 0;
    c = (((c << 14) | (c >>> 18)) + d) | 0;
    b = (b + ((c & a) | (d & ~a)) + block[(5 * i + 16) & 15]! + SINES[i + 3]!) | 0;
    b = (((b << 20) | (b >>> 12)) + c) | 0;
  }
  for (let i = 32; i < 48; i += 4) {
    a = (a + (b ^ c ^ d) + block[(3 * i + 5) & 15]! + SINES[i]!) | 0;
    a = (((a << 4) | (a >>> 28)) + b) | 0;
    d = (d + (a ^ b ^ c) + block[(3 * i + 8) & 15]! + SINES[i + 1]!) | 0;
    d = (((d << 11) | (d >>> 21)) + a) | 0;
    c = (c + (d ^ a ^ b) + block[(3 * i + 11) & 15]! + SINES[i + 2]!) | 0;
    c = (((c << 16) | (c >>> 16)) + d) | 0;
    b = (b + (c ^ d ^ a) + block[(3 * i + 14) & 15]! + SINES[i + 3]!) | 0;
    b = (((b << 23) | (b >>> 9)) + c) | 0;
  }
  for (let i = 48; i < 64; i += 4) {
    a = (a + (c ^ (b | ~d)) + block[(7 * i) & 15]! + SINES[i]!) | 0;
    a = (((a << 6) | (a >>> 26)) + b) | 0;
    d = (d + (b ^ (a | ~c)) + block[(7 * i + 7) & 15]! + SINES[i + 1]!) | 0;
    d = (((d << 10) | (d >>> 22)) + a) | 0;
    c = (c + (a ^ (d | ~b)) + block[(7 * i + 14) & 15]! + SINES[i + 2]!) | 0;
    c = (((c << 15) | (c >>> 17)) + d) | 0;
    b = (b + (d ^ (c | ~a)) + block[(7 * i + 21) & 15]! + SINES[i + 3]!) | 0;
    b = (((b << 21) | (b >>> 11)) + c) | 0;
  }

  digest[0]! += a;
  digest[1]! += b;
  digest[2]! += c;
  digest[3]! += d;
}
