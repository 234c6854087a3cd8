import type { Ring, RingBuilder } from "./ring.js";

/**
 * The hash modulo the number of servers: libmemcached's default. A server that is
 * added or removed moves nearly every key, and an ejected one keeps its keys.
 */
export const modula: RingBuilder = (members) => new Slots(members.map(({ position }) => position));

/** The same over a list in which each server stands as often as its weight says. */
export const weightedModula: RingBuilder = (members) =>
  new Slots(members.flatMap(({ position, weight }) => new Array<number>(weight).fill(position)));

class Slots implements Ring {
  readonly isFixed = true;
  readonly #positions: Uint32Array;

  constructor(positions: readonly number[]) {
    this.#positions = Uint32Array.from(positions);
  }

  locate(hash: number): number {
    return this.#positions[hash % this.#positions.length]!;
  }
}
