/**
 * Fowler, Noll and Vo's hashes (isthe.com/chongo/tech/comp/fnv), as libmemcached has
 * them: its `char` is signed, so a byte from 0x80 on enters sign-extended.
 */

const OFFSET_32 = 0x811c9dc5;
const PRIME_32 = 0x01000193;

/**
 * The low words of the 64-bit constants. libmemcached keeps only the low 32 bits of
 * the result, and those depend on the low words alone: xor never carries, and the
 * rest of the prime, 2^40, multiplies past them. So 32-bit arithmetic is exact here.
 */
const OFFSET_64_LOW = 0x84222325;
const PRIME_64_LOW = 0x1b3;

/** FNV-1, 32 bits. */
export function fnv1x32(key: string): number {
  return multiplyThenXor(key, OFFSET_32, PRIME_32);
}

/** FNV-1a, 32 bits. */
export function fnv1ax32(key: string): number {
  return xorThenMultiply(key, OFFSET_32, PRIME_32);
}

/** FNV-1, the low word of 64 bits. */
export function fnv1x64(key: string): number {
  return multiplyThenXor(key, OFFSET_64_LOW, PRIME_64_LOW);
}

/** FNV-1a, the low word of 64 bits. */
export function fnv1ax64(key: string): number {
  return xorThenMultiply(key, OFFSET_64_LOW, PRIME_64_LOW);
}

function multiplyThenXor(key: string, offset: number, prime: number): number {
  let hash = offset | 0;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash, prime) ^ ((key.charCodeAt(i) << 24) >> 24);
  }
  return hash >>> 0;
}

function xorThenMultiply(key: string, offset: number, prime: number): number {
  let hash = offset | 0;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ ((key.charCodeAt(i) << 24) >> 24), prime);
  }
  return hash >>> 0;
}
