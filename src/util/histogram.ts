/** How many buckets each power of two has: a percentile is at most 1/16 too high. */
const STEPS = 16;
const STEP_BITS = 4;

/**
 * Counts whole numbers of up to 31 bits by size, in buckets that grow with them. Adding
 * one costs a few nanoseconds and no memory.
 */
export class Histogram {
  readonly #buckets = new Float64Array(bucketOf(2 ** 31 - 1) + 1);
  #count = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get max(): number {
    return this.#max;
  }

  /** Counts a number `times` times. */
  add(value: number, times = 1): void {
    this.#buckets[bucketOf(value)]! += times;
    this.#count += times;
    if (value > this.#max) this.#max = value;
  }

  /** Halves all that was counted, so that what is recent counts more. */
  fade(): void {
    for (const [bucket, count] of this.#buckets.entries()) this.#buckets[bucket] = count / 2;
    this.#count /= 2;
  }

  /** A number that this share (0 to 1) of those counted does not exceed; 0 if there are none. */
  percentile(share: number): number {
    const rank = Math.max(Number.MIN_VALUE, share * this.#count);
    let passed = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
      passed += count;
      if (passed >= rank) return Math.min(highest(bucket), this.#max);
    }
    return 0;
  }
}

/**
 * ```
 *   value    0 … 15   16 … 31   32 … 63 by twos   64 … 127 by fours
 *   bucket   0 … 15   16 … 31   32 … 47           48 … 63
 * ```
 */
function bucketOf(value: number): number {
  if (value < STEPS) return value;
  const shift = 31 - Math.clz32(value) - STEP_BITS;
  return (shift + 1) * STEPS + (value >>> shift) - STEPS;
}

/** The largest number that a bucket counts. */
function highest(bucket: number): number {
  if (bucket < STEPS) return bucket;
  const shift = Math.floor(bucket / STEPS) - 1;
  return (STEPS + (bucket % STEPS) + 1) * 2 ** shift - 1;
}
