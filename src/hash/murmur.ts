import { wordAt, wordAtEnd } from "./word.js";

/**
 * Austin Appleby's MurmurHash2 and MurmurHash3_x86_32 (github.com/aappleby/smhasher).
 * libmemcached seeds both with 0xdeadbeef times the key's length.
 */

const SEED_FACTOR = 0xdeadbeef;

export function murmur2(key: string): number {
  const { length } = key;
  const M = 0x5bd1e995;
  let hash = Math.imul(SEED_FACTOR, length) ^ length;

  let i = 0;
  for (; length - i >= 4; i += 4) {
    let block = Math.imul(wordAt(key, i), M);
    block ^= block >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(block, M);
  }
  if (i < length) hash = Math.imul(hash ^ wordAtEnd(key, i), M);

  hash = Math.imul(hash ^ (hash >>> 13), M);
  return (hash ^ (hash >>> 15)) >>> 0;
}

export function murmur3(key: string): number {
  return murmur3Seeded(key, Math.imul(SEED_FACTOR, key.length));
}

/** MurmurHash3_x86_32 with a seed of the caller's. */
function murmur3Seeded(key: string, seed: number): number {
  const { length } = key;
  let hash = seed;

  let i = 0;
  for (; length - i >= 4; i += 4) {
    hash ^= scramble(wordAt(key, i));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  if (i < length) hash ^= scramble(wordAtEnd(key, i));
  return mix32(hash ^ length);
}

/** Murmur3's finalizer: a permutation of the 32-bit numbers in which every bit affects every other. */
export function mix32(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}
