import { mix32 } from "../hash/murmur.js";
import { liveMembers, type Member, type Ring, type RingBuilder } from "./ring.js";

/**
 * Jump consistent hash (Lamping and Veach, 2014; arxiv.org/abs/1406.2294): exact shares
 * without a table. A server added at the end of the list takes just its share; one taken
 * out of the middle moves the keys of all behind it. Weights are not used.
 */
export const jump: RingBuilder = (members) => new Jump(members);

class Jump implements Ring {
  readonly #members: readonly Member[];
  readonly #sharing: readonly Member[];

  constructor(members: readonly Member[]) {
    this.#members = members;
    this.#sharing = liveMembers(members);
  }

  /** A key whose server was ejected jumps again with another hash, so that no other key moves. */
  locate(hash: number): number {
    const members = this.#members;
    let current = hash;
    for (let attempt = 0; attempt < 8; attempt++) {
      const { live, position } = members[jumpHash(current, members.length)]!;
      if (live) return position;
      current = mix32(current + 1);
    }
    return this.#sharing[jumpHash(current, this.#sharing.length)]!.position;
  }
}

/** The paper's multiplier, 2862933555777941757, in two words. */
const FACTOR_HIGH = 0x27bb2ee6;
const FACTOR_LOW = 0x87b0b0fd;

/** The paper's algorithm; the key is the hash, extended with zeros to 64 bits. */
export function jumpHash(hash: number, buckets: number): number {
  let high = 0;
  let low = hash;
  let bucket = 0;
  for (let next = 0; next < buckets; ) {
    bucket = next;
    // key = key * factor + 1, in two words
    const product = highWord(low, FACTOR_LOW);
    high = (product + Math.imul(low, FACTOR_HIGH) + Math.imul(high, FACTOR_LOW)) | 0;
    low = (Math.imul(low, FACTOR_LOW) + 1) >>> 0;
    if (low === 0) high = (high + 1) | 0;
    next = Math.floor((bucket + 1) * (2 ** 31 / ((high >>> 1) + 1)));
  }
  return bucket;
}

/** The upper word of the product of two unsigned words. */
function highWord(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carried = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000);
}
