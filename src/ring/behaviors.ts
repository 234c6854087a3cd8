import type { HashName } from "../hash/algorithms.js";
import type { HashFunction } from "../hash/function.js";
import type { Distribution, DistributionChoice } from "./distribution.js";
import type { RingServer } from "./ring.js";

/** The behaviors that choose a ring and a hash, with pylibmc's names and meaning. */
export interface DistributionBehaviors {
  readonly hash?: HashName | HashFunction | undefined;
  /** Accepted and, as in libmemcached, of no effect. */
  readonly ketama_hash?: HashName | HashFunction | undefined;
  readonly ketama?: boolean | undefined;
  readonly ketama_weighted?: boolean | undefined;
  readonly distribution?: Distribution | undefined;
}

/** A new client's choice. */
export const initialChoice: DistributionChoice = {
  hash: "default",
  distribution: "modula",
  weighted: false,
};

/** What the behaviors come to, given all at once: pylibmc applies them in this order. */
export function resolveBehaviors(behaviors: DistributionBehaviors): DistributionChoice {
  const { hash, ketama, ketama_weighted: weighted, distribution } = behaviors;
  let choice = initialChoice;
  if (hash !== undefined) choice = setHash(choice, hash);
  if (ketama !== undefined) choice = setKetama(choice, ketama);
  if (weighted !== undefined) choice = setKetamaWeighted(choice, weighted);
  if (distribution !== undefined) choice = setDistribution(choice, distribution);
  return choice;
}

export function setHash(
  choice: DistributionChoice,
  hash: HashName | HashFunction,
): DistributionChoice {
  return { ...choice, hash };
}

/** It does not choose MD5, whatever the manuals of libmemcached and pylibmc say. */
export function setKetama(choice: DistributionChoice, on: boolean): DistributionChoice {
  return setDistribution(choice, on ? "consistent ketama" : "modula");
}

/** On, it replaces the hash by MD5. Off, it turns ketama *on*, as libmemcached does. */
export function setKetamaWeighted(choice: DistributionChoice, on: boolean): DistributionChoice {
  return on
    ? setDistribution({ ...choice, hash: "md5" }, "consistent weighted")
    : setKetama(choice, true);
}

export function setDistribution(
  choice: DistributionChoice,
  distribution: Distribution,
): DistributionChoice {
  switch (distribution) {
    case "consistent":
    case "consistent ketama":
      return { ...choice, distribution, weighted: false };
    case "consistent weighted":
      return { ...choice, distribution, weighted: true };
    default:
      return { ...choice, distribution };
  }
}

/** A server of weight 2 or more makes a continuum weighted, even one that was not to be. */
export function addServers(
  choice: DistributionChoice,
  servers: readonly RingServer[],
): DistributionChoice {
  const heavy = servers.some(({ weight }) => weight > 1);
  return heavy && isContinuum(choice) ? { ...choice, weighted: true } : choice;
}

/** The behaviors that a choice comes to. */
export interface EffectiveBehaviors {
  readonly hash: HashName | HashFunction;
  readonly distribution: Distribution;
  readonly ketama: boolean;
  readonly ketama_weighted: boolean;
}

/** What pylibmc's `client.behaviors` says of a choice. */
export function reportBehaviors(choice: DistributionChoice): EffectiveBehaviors {
  const ketama = isContinuum(choice);
  const { hash, distribution, weighted } = choice;
  return { hash, distribution, ketama, ketama_weighted: ketama && weighted };
}

const continua: ReadonlySet<Distribution> = new Set<Distribution>([
  "consistent",
  "consistent ketama",
  "consistent ketama spy",
  "consistent weighted",
]);

function isContinuum({ distribution }: DistributionChoice): boolean {
  return continua.has(distribution);
}
