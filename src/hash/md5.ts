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

  let start = 0;
  for (; start + 64 <= length; start += 64) {
    fill(key, start, start + 64);
    transform();
  }
  fill(key, start, length);
  const rest = length - start;
  block[rest >> 2]! |= 0x80 << ((rest & 3) << 3);
  if (rest >= 56) {
    transform();
    block.fill(0);
  }
  block[14] = length << 3;
  block[15] = length >>> 29;
  transform();
}

/** Puts up to 64 bytes into the block, zeros behind them. */
function fill(key: string, start: number, end: number): void {
  block.fill(0);
  for (let i = start; i < end; i++) {
    const at = i - start;
    block[at >> 2]! |= key.charCodeAt(i) << ((at & 3) << 3);
  }
}

/** RFC 1321, 3.4: four rounds of sixteen steps. */
function transform(): void {
  let a = digest[0]!;
  let b = digest[1]!;
  let c = digest[2]!;
  let d = digest[3]!;

  for (let i = 0; i < 16; i += 4) {
    a = step(a, b, (b & c) | (~b & d), i, i, 7);
    d = step(d, a, (a & b) | (~a & c), i + 1, i + 1, 12);
    c = step(c, d, (d & a) | (~d & b), i + 2, i + 2, 17);
    b = step(b, c, (c & d) | (~c & a), i + 3, i + 3, 22);
  }
  for (let i = 16; i < 32; i += 4) {
    a = step(a, b, (b & d) | (c & ~d), 5 * i + 1, i, 5);
    d = step(d, a, (a & c) | (b & ~c), 5 * i + 6, i + 1, 9);
    c = step(c, d, (d & b) | (a & ~b), 5 * i + 11, i + 2, 14);
    b = step(b, c, (c & a) | (d & ~a), 5 * i + 16, i + 3, 20);
  }
  for (let i = 32; i < 48; i += 4) {
    a = step(a, b, b ^ c ^ d, 3 * i + 5, i, 4);
    d = step(d, a, a ^ b ^ c, 3 * i + 8, i + 1, 11);
    c = step(c, d, d ^ a ^ b, 3 * i + 11, i + 2, 16);
    b = step(b, c, c ^ d ^ a, 3 * i + 14, i + 3, 23);
  }
  for (let i = 48; i < 64; i += 4) {
    a = step(a, b, c ^ (b | ~d), 7 * i, i, 6);
    d = step(d, a, b ^ (a | ~c), 7 * i + 7, i + 1, 10);
    c = step(c, d, a ^ (d | ~b), 7 * i + 14, i + 2, 15);
    b = step(b, c, d ^ (c | ~a), 7 * i + 21, i + 3, 21);
  }

  digest[0]! += a;
  digest[1]! += b;
  digest[2]! += c;
  digest[3]! += d;
}

function step(
  a: number,
  b: number,
  mixed: number,
  word: number,
  sine: number,
  bits: number,
): number {
  const sum = (a + mixed + block[word & 15]! + SINES[sine]!) | 0;
  return (b + ((sum << bits) | (sum >>> (32 - bits)))) | 0;
}
