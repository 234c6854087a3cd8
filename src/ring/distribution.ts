import { type HashName, hashFunction } from "../hash/algorithms.js";
import type { HashFunction } from "../hash/function.js";
import { checkChoice } from "../util/check.js";
import { keysOf } from "../util/names.js";
import { virtualBucket } from "./bucket.js";
import { continuum } from "./circle.js";
import { jump } from "./jump.js";
import { modula } from "./modula.js";
import { hashedPoints, md5Points, shortLabel, slashLabel, weightedDigests } from "./points.js";
import { random } from "./random.js";
import { rendezvous } from "./rendezvous.js";
import type { RingBuilder } from "./ring.js";

/** A way of libmemcached's to share keys among servers, by pylibmc's name for it. */
export type LibmemcachedDistribution =
  | "modula"
  | "consistent"
  | "consistent ketama"
  | "random"
  | "consistent ketama spy"
  | "consistent weighted"
  | "virtual bucket";

/** A way to share keys among servers: libmemcached's, and two that it does not have. */
export type Distribution = LibmemcachedDistribution | "rendezvous" | "jump";

/**
 * The names of libmemcached's distributions, each with its number
 * (`memcached_server_distribution_t`), as in pylibmc's `distributions`.
 */
export const distributions: Readonly<Record<LibmemcachedDistribution, number>> = Object.freeze({
  modula: 0,
  consistent: 1,
  "consistent ketama": 2,
  random: 3,
  "consistent ketama spy": 4,
  "consistent weighted": 5,
  "virtual bucket": 6,
});

export const distributionNames: readonly Distribution[] = [
  ...keysOf(distributions),
  "rendezvous",
  "jump",
];

/** A way to share keys, chosen. */
export interface DistributionChoice {
  readonly hash: HashName | HashFunction;
  readonly distribution: Distribution;
  /** Whether a continuum's points are by weight and MD5. Without a continuum it has no effect. */
  readonly weighted: boolean;
}

/** What some distributions need beside it. */
export interface DistributionOptions {
  /**
   * The hash of an unweighted continuum's points, where it is not the keys'. libmemcached
   * comes to that when the hash is changed after the ring was made.
   */
  readonly pointHash?: HashName | HashFunction | undefined;
  /** For each virtual bucket the server that has it, by its place in libmemcached's order. */
  readonly buckets?: readonly number[] | undefined;
  /** The source of chance of `random`. @defaultValue `Math.random` */
  readonly chance?: (() => number) | undefined;
}

/** @throws OptionError for an unknown hash or distribution */
export function ringBuilder(
  choice: DistributionChoice,
  { pointHash = choice.hash, buckets, chance = Math.random }: DistributionOptions,
): RingBuilder {
  const distribution = checkChoice(choice.distribution, "distribution", distributionNames);
  switch (distribution) {
    case "modula":
      return modula;
    case "consistent":
    case "consistent ketama":
    case "consistent weighted":
    case "consistent ketama spy": {
      const label = distribution === "consistent ketama spy" ? slashLabel : shortLabel;
      return continuum(
        choice.weighted
          ? md5Points(label, weightedDigests)
          : hashedPoints(hashFunction(pointHash), label),
      );
    }
    case "virtual bucket":
      return virtualBucket(buckets);
    case "random":
      return random(chance);
    case "rendezvous":
      return rendezvous;
    case "jump":
      return jump;
  }
}
