import { liveMembers, type Member, type Ring, type RingBuilder } from "./ring.js";

/** All that share a continuum. */
export interface Group {
  readonly size: number;
  readonly weight: number;
}

/** The points of one member, as 32-bit numbers. */
export type PointRule = (member: Member, group: Group) => readonly number[];

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
  readonly #points: Uint32Array;
  readonly #owners: Uint32Array;

  /** Of `points` and their `owners` (positions), sorted by point. */
  constructor(points: Uint32Array, owners: Uint32Array) {
    this.#points = points;
    this.#owners = owners;
  }

  locate(hash: number): number {
    return this.#owners[this.#find(hash)]!;
  }

  /** The point that a hash belongs to. */
  pointOf(hash: number): number {
    return this.#points[this.#find(hash)]!;
  }

  /** Each point and its owner, in the order of the circle. */
  *entries(): Generator<readonly [point: number, position: number]> {
    for (let i = 0; i < this.#points.length; i++) yield [this.#points[i]!, this.#owners[i]!];
  }

  #find(hash: number): number {
    const points = this.#points;
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

/** Of two members with the same point the earlier one owns it. */
export function continuum(pointsOf: PointRule): (members: readonly Member[]) => Continuum {
  return (members) => {
    const sharing = liveMembers(members);
    const size = sharing.length;
    const group = { size, weight: sharing.reduce((sum, { weight }) => sum + weight, 0) };

    // A point and its member's number in one exact float sort fast, and ties by number.
    const keys: number[] = [];
    for (const [number, member] of sharing.entries()) {
      for (const point of pointsOf(member, group)) keys.push(point * size + number);
    }
    const sorted = Float64Array.from(keys).sort();
    return new Continuum(
      Uint32Array.from(sorted, (key) => Math.floor(key / size)),
      Uint32Array.from(sorted, (key) => sharing[key % size]!.position),
    );
  };
}

/**
 * A continuum in which a hash belongs to the last point at or before it. The same
 * circle with every owner one point further on, that point drawn back by one.
 */
export function continuumBefore(pointsOf: PointRule): RingBuilder {
  const build = continuum(pointsOf);
  return (members) => {
    const entries = [...build(members).entries()];
    const moved = entries.map(([point], i): readonly [number, number] => [
      (point - 1) >>> 0,
      entries.at(i - 1)![1],
    ]);
    moved.sort(([a], [b]) => a - b);
    return new Continuum(
      Uint32Array.from(moved, ([point]) => point),
      Uint32Array.from(moved, ([, owner]) => owner),
    );
  };
}
