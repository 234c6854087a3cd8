import type { Ring } from "./ring.js";

/**
 * Consistent hashing: every server owns points on a circle of 2^32, and a hash belongs
 * to the first point at or after it.
 *
 * ```
 *   0 ──●b────────●a───●c──────────●b─────────●a──── 2^32
 *           ↑hash: a                            ↑hash: past the end, so the first: b
 * ```
 */
export class Continuum implements Ring {
  /** In their order. */
  readonly points: Uint32Array;
  /** For each point the position of the server that owns it. */
  readonly owners: Uint32Array;

  constructor(points: Uint32Array, owners: Uint32Array) {
    this.points = points;
    this.owners = owners;
  }

  locate(hash: number): number {
    return this.owners[this.#find(hash)]!;
  }

  /** The point that a hash belongs to. */
  pointOf(hash: number): number {
    return this.points[this.#find(hash)]!;
  }

  #find(hash: number): number {
    const { points } = this;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return low === points.length ? 0 : low;
  }
}
