import { wordAt, wordAtEnd } from "./word.js";

/**
 * Bob Jenkins's two hashes that libmemcached offers: one-at-a-time, its default, and
 * `hashlittle` of lookup3.c (burtleburtle.net/bob/hash/doobs.html).
 */

/**
 * One-at-a-time: libmemcached's default, and so this client's.
 *
 * C's `char` is signed where libmemcached is used most, so that a byte from 0x80 on
 * enters as a negative number.
 */
export function oneAtATime(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) {
    hash = (hash + ((key.charCodeAt(i) << 24) >> 24)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >>> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >>> 11;
  return (hash + (hash << 15)) >>> 0;
}

/** libmemcached's `initval` for lookup3. */
const INITIAL = 13;

/** lookup3's `hashlittle`: twelve bytes at a time into three words. */
export function lookup3(key: string): number {
  const { length } = key;
  let a = (0xdeadbeef + length + INITIAL) | 0;
  let b = a;
  let c = a;
  if (length === 0) return c >>> 0;

  let i = 0;
  for (; length - i > 12; i += 12) {
    a = (a + wordAt(key, i)) | 0;
    b = (b + wordAt(key, i + 4)) | 0;
    c = (c + wordAt(key, i + 8)) | 0;

    a = ((a - c) | 0) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 4);
    b = (b + a) | 0;
  }

  a = (a + wordAtEnd(key, i)) | 0;
  b = (b + wordAtEnd(key, i + 4)) | 0;
  c = (c + wordAtEnd(key, i + 8)) | 0;

  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return c >>> 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
