import { OptionError } from "../errors.js";
import type { Member, Ring, RingBuilder } from "./ring.js";

/**
 * A fixed number of buckets, each given to a server by a map, so that an operator
 * moves buckets instead of keys. Without a map the servers are the buckets.
 *
 * As in libmemcached the hash is masked with the number of buckets less one, which
 * reaches every bucket only if that number is a power of two.
 */
export function virtualBucket(map: readonly number[] | undefined): RingBuilder {
  return (members) => new Buckets(map === undefined ? members : ownersOf(map, members));
}

class Buckets implements Ring {
  readonly isFixed = true;
  readonly #positions: Uint32Array;

  constructor(owners: readonly Member[]) {
    this.#positions = Uint32Array.from(owners, ({ position }) => position);
  }

  locate(hash: number): number {
    return this.#positions[hash & (this.#positions.length - 1)]!;
  }
}

function ownersOf(map: readonly number[], members: readonly Member[]): readonly Member[] {
  if (map.length === 0) throw new OptionError("The map of virtual buckets is empty");
  return map.map((number, bucket) => {
    const member = members[number];
    if (member !== undefined) return member;
    throw new OptionError(
      `Virtual bucket ${bucket} is mapped to server ${number}, but the servers are 0 to ${members.length - 1}`,
    );
  });
}
