import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import { type HashName, hashers } from "../../src/hash/algorithms.js";
import { distributions, type LibmemcachedDistribution } from "../../src/ring/distribution.js";
import {
  Placement,
  type PlacementBehaviors,
  type PlacementOptions,
} from "../../src/ring/placement.js";
import type { RingServer } from "../../src/ring/ring.js";

/** What `distribution.json` records, as far as the tests read it. */
export interface RecordedCase {
  readonly id: string;
  readonly servers: string;
  readonly keyset: string;
  readonly sorted_to_input: readonly number[];
  readonly placement: readonly number[];
  readonly ring?: RecordedRing;
}

export interface RecordedRing {
  readonly points: number;
  readonly first: readonly (readonly [number, number])[];
  readonly last: readonly [number, number];
  readonly sha256: string;
}

export interface LibmemcachedCase extends RecordedCase {
  readonly order: "behaviors-then-servers" | "servers-then-behaviors";
  readonly behaviors: readonly Call[];
  readonly behaviors_after_servers?: readonly Call[];
  readonly namespace_hex?: string;
  readonly bucket_map?: readonly number[];
}

/** A call of `memcached_behavior_set`. */
export type Call = readonly [name: string, value: number];

export interface PylibmcCase extends RecordedCase {
  readonly behaviors: PlacementBehaviors | null;
  readonly behaviors_set_after_construction: PlacementBehaviors | null;
  readonly effective: {
    readonly hash: HashName;
    readonly distribution: LibmemcachedDistribution;
    readonly ketama: number;
    readonly ketama_weighted: number;
  };
}

export interface EjectCase {
  readonly id: string;
  readonly servers: string;
  readonly keyset: string;
  readonly behaviors: PlacementBehaviors;
  readonly placement_before: readonly number[];
  readonly steps: readonly {
    readonly ejected_so_far: readonly number[];
    readonly placement: readonly number[];
  }[];
}

interface Vectors {
  readonly server_lists: Readonly<Record<string, readonly RingServer[]>>;
  readonly keysets: Readonly<Record<string, readonly { readonly hex: string }[]>>;
  readonly libmemcached_cases: readonly LibmemcachedCase[];
  readonly pylibmc_cases: readonly PylibmcCase[];
  readonly eject_cases: readonly EjectCase[];
}

export const vectors: Vectors = JSON.parse(
  readFileSync(new URL("../vectors/distribution.json", import.meta.url), "utf8"),
);

const wireKeys = new Map(
  Object.entries(vectors.keysets).map(([name, keys]) => [
    name,
    keys.map(({ hex }) => Buffer.from(hex, "hex").toString("latin1")),
  ]),
);

/** The keys of a keyset in wire form. */
export function keysOf({ keyset }: { readonly keyset: string }): readonly string[] {
  return wireKeys.get(keyset)!;
}

export function serversOf({ servers }: { readonly servers: string }): readonly RingServer[] {
  return vectors.server_lists[servers]!;
}

export const hashNamed: (number: number) => HashName = inverse(hashers);
export const distributionNamed: (number: number) => LibmemcachedDistribution =
  inverse(distributions);

function inverse<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
): (number: number) => Name {
  const names = new Map(Object.entries<number>(numbers).map(([name, n]) => [n, name as Name]));
  return (number) => names.get(number)!;
}

/** What gets from this library what libmemcached does in another order of calls. */
const otherWays: Readonly<Record<string, (config: Config) => Config>> = {
  "without weights": withoutWeights,
  'with pointHash: "default"': withDefaultPoints,
  'without weights, with pointHash: "default"': (config) =>
    withDefaultPoints(withoutWeights(config)),
};

export interface Config {
  readonly options: PlacementOptions;
  readonly servers: readonly RingServer[];
}

function withoutWeights({ options, servers }: Config): Config {
  return { options, servers: servers.map((server) => ({ ...server, weight: 1 })) };
}

function withDefaultPoints({ options, servers }: Config): Config {
  return { options: { ...options, pointHash: "default" }, servers };
}

/** Where a configuration puts the keys of a case. */
export function place({ options, servers }: Config, each: RecordedCase): number[] {
  const placement = new Placement(options, servers);
  return keysOf(each).map((key) => placement.locate(key));
}

/** Which of the other ways gives what was recorded. */
function otherWay(config: Config, each: RecordedCase): string | undefined {
  return Object.entries(otherWays).find(([, change]) =>
    isDeepStrictEqual(place(change(config), each), each.placement),
  )?.[0];
}

/**
 * Holds cases whose calls came in another order against the same configuration given at once, and
 * says how to get what the real library did in those `others` where that is something else.
 * @param atOnce - the recorded case of the same configuration, if there is one
 */
export function compareLate<Case extends RecordedCase>(
  late: readonly Case[],
  configOf: (each: Case) => Config,
  atOnce: (each: Case) => Case | undefined,
): { readonly cases: number; readonly others: readonly string[] } {
  const others: string[] = [];
  for (const each of late) {
    const config = configOf(each);
    const ours = place(config, each);
    const first = atOnce(each);
    if (first !== undefined) expect(ours, each.id).toEqual(first.placement);
    if (isDeepStrictEqual(ours, each.placement)) continue;
    const way = otherWay(config, each);
    expect(way, each.id).toBeDefined();
    others.push(`${each.id}: the same ${way}`);
  }
  return { cases: late.length, others };
}

/** A ring in the form in which it was recorded. */
export function recorded(entries: Iterable<readonly [number, number]>): RecordedRing {
  const points = [...entries];
  const text = points.map(([value, server]) => `${value}:${server}\n`).join("");
  return {
    points: points.length,
    first: points.slice(0, 4),
    last: points.at(-1)!,
    sha256: createHash("sha256").update(text).digest("hex"),
  };
}
