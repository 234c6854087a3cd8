import { oneAtATime } from "../hash/jenkins.js";
import { mix32 } from "../hash/murmur.js";
import { shortLabel } from "./points.js";
import { liveMembers, type Ring, type RingBuilder } from "./ring.js";

/**
 * Rendezvous or highest random weight (Thaler and Ravishankar, 1998): each server draws
 * a number for each key, and the highest wins. Shares are exact without points, weights
 * included, and a change of servers moves only the keys of the server that changed. A
 * lookup costs a multiplication or two a server: for tens of servers, not thousands.
 *
 * With weights a draw u in (0, 1) counts as `weight / -ln(u)` (Schindelhauer and
 * Schomaker, 2005).
 */
export const rendezvous: RingBuilder = (members) => {
  const sharing = liveMembers(members);
  const seeds = Uint32Array.from(sharing, (server) => mix32(oneAtATime(shortLabel(server))));
  const positions = Uint32Array.from(sharing, ({ position }) => position);
  const weights = Float64Array.from(sharing, ({ weight }) => weight);
  return weights.every((weight) => weight === weights[0])
    ? new Equal(seeds, positions)
    : new Weighted(seeds, positions, weights);
};

class Equal implements Ring {
  readonly #seeds: Uint32Array;
  readonly #positions: Uint32Array;

  constructor(seeds: Uint32Array, positions: Uint32Array) {
    this.#seeds = seeds;
    this.#positions = positions;
  }

  locate(hash: number): number {
    const seeds = this.#seeds;
    let winner = 0;
    let highest = -1;
    for (let i = 0; i < seeds.length; i++) {
      const drawn = mix32(hash ^ seeds[i]!);
      if (drawn > highest) {
        highest = drawn;
        winner = i;
      }
    }
    return this.#positions[winner]!;
  }
}

class Weighted implements Ring {
  readonly #seeds: Uint32Array;
  readonly #positions: Uint32Array;
  readonly #weights: Float64Array;

  constructor(seeds: Uint32Array, positions: Uint32Array, weights: Float64Array) {
    this.#seeds = seeds;
    this.#positions = positions;
    this.#weights = weights;
  }

  locate(hash: number): number {
    const seeds = this.#seeds;
    let winner = 0;
    let highest = -1;
    for (let i = 0; i < seeds.length; i++) {
      const drawn = (mix32(hash ^ seeds[i]!) + 0.5) / 2 ** 32;
      const score = this.#weights[i]! / -Math.log(drawn);
      if (score > highest) {
        highest = score;
        winner = i;
      }
    }
    return this.#positions[winner]!;
  }
}
