import { OptionError } from "../errors.js";
import { type HashName, hashFunction } from "../hash/algorithms.js";
import type { HashFunction } from "../hash/function.js";
import { virtualBucket } from "./bucket.js";
import { continuum } from "./continuum.js";
import { jump } from "./jump.js";
import { modula } from "./modula.js";
import { hashedPoints, md5Points, shortLabel, slashLabel, weightedDigests } from "./points.js";
import { random } from "./random.js";
import { rendezvous } from "./rendezvous.js";
import type { RingBuilder, RingServer } from "./ring.js";

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

/** The behaviors that choose a ring and a hash, with pylibmc's names and meaning. */
export interface DistributionBehaviors {
  readonly hash?: HashName | HashFunction | undefined;
  /** Accepted and, as in libmemcached, of no effect. */
  readonly ketama_hash?: HashName | HashFunction | undefined;
  readonly ketama?: boolean | undefined;
  readonly ketama_weighted?: boolean | undefined;
  readonly distribution?: Distribution | undefined;
}

/** What libmemcached keeps of those behaviors. */
export interface DistributionState {
  readonly hash: HashName | HashFunction;
  readonly distribution: Distribution;
  /** Whether a continuum's points are by weight and MD5. Without a continuum it has no effect. */
  readonly weighted: boolean;
}

/** A new client's. */
export const initialState: DistributionState = {
  hash: "default",
  distribution: "modula",
  weighted: false,
};

/** What the behaviors come to, given all at once: pylibmc applies them in this order. */
export function resolveBehaviors(behaviors: DistributionBehaviors): DistributionState {
  const { hash, ketama, ketama_weighted: weighted, distribution } = behaviors;
  let state = initialState;
  if (hash !== undefined) state = setHash(state, hash);
  if (ketama !== undefined) state = setKetama(state, ketama);
  if (weighted !== undefined) state = setKetamaWeighted(state, weighted);
  if (distribution !== undefined) state = setDistribution(state, distribution);
  return state;
}

export function setHash(
  state: DistributionState,
  hash: HashName | HashFunction,
): DistributionState {
  return { ...state, hash };
}

/** It does not choose MD5, whatever the manuals of libmemcached and pylibmc say. */
export function setKetama(state: DistributionState, on: boolean): DistributionState {
  return setDistribution(state, on ? "consistent ketama" : "modula");
}

/** On, it replaces the hash by MD5. Off, it turns ketama *on*, as libmemcached does. */
export function setKetamaWeighted(state: DistributionState, on: boolean): DistributionState {
  return on
    ? setDistribution({ ...state, hash: "md5" }, "consistent weighted")
    : setKetama(state, true);
}

export function setDistribution(
  state: DistributionState,
  distribution: Distribution,
): DistributionState {
  switch (distribution) {
    case "consistent":
    case "consistent ketama":
      return { ...state, distribution, weighted: false };
    case "consistent weighted":
      return { ...state, distribution, weighted: true };
    default:
      return { ...state, distribution };
  }
}

/** A server of weight 2 or more makes a continuum weighted, even one that was not to be. */
export function addServers(
  state: DistributionState,
  servers: readonly RingServer[],
): DistributionState {
  const heavy = servers.some(({ weight }) => weight > 1);
  return heavy && isContinuum(state) ? { ...state, weighted: true } : state;
}

/** What pylibmc's `client.behaviors` says of a state. */
export function reportBehaviors(
  state: DistributionState,
): Required<Omit<DistributionBehaviors, "ketama_hash">> {
  const ketama = isContinuum(state);
  const { hash, distribution, weighted } = state;
  return { hash, distribution, ketama, ketama_weighted: ketama && weighted };
}

/** What some distributions need beside the behaviors. */
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
  state: DistributionState,
  { pointHash = state.hash, buckets, chance = Math.random }: DistributionOptions,
): RingBuilder {
  const { distribution } = state;
  switch (distribution) {
    case "modula":
      return modula;
    case "consistent":
    case "consistent ketama":
    case "consistent weighted":
    case "consistent ketama spy": {
      const label = distribution === "consistent ketama spy" ? slashLabel : shortLabel;
      return continuum(
        state.weighted
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
    default:
      throw new OptionError(
        `There is no distribution ${JSON.stringify(distribution)}; there are ${[...Object.keys(distributions), "rendezvous", "jump"].join(", ")}`,
      );
  }
}

function isContinuum({ distribution }: DistributionState): boolean {
  return distribution.startsWith("consistent");
}
