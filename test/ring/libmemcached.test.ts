import { describe, expect, it } from "vitest";
import {
  addServers,
  initialChoice,
  setDistribution,
  setHash,
  setKetama,
  setKetamaWeighted,
} from "../../src/ring/behaviors.js";
import { Continuum } from "../../src/ring/continuum.js";
import { type DistributionChoice, ringBuilder } from "../../src/ring/distribution.js";
import type { PlacementOptions } from "../../src/ring/placement.js";
import type { RingServer } from "../../src/ring/ring.js";
import {
  type Call,
  type Config,
  compareLate,
  distributionNamed,
  hashNamed,
  type LibmemcachedCase,
  place,
  type RecordedCase,
  recorded,
  serversOf,
  vectors,
} from "./vectors.js";

/** The state after the calls, in the order in which they were made. */
function stateAfter(calls: readonly Call[]): DistributionChoice {
  return calls.reduce((state, [name, value]) => {
    switch (name) {
      case "HASH":
        return setHash(state, hashNamed(value));
      case "KETAMA":
        return setKetama(state, value !== 0);
      case "KETAMA_WEIGHTED":
        return setKetamaWeighted(state, value !== 0);
      case "DISTRIBUTION":
        return setDistribution(state, distributionNamed(value));
      default:
        return state;
    }
  }, initialChoice);
}

const isSet = (calls: readonly Call[], behavior: string) =>
  calls.some(([name, value]) => name === behavior && value !== 0);

/** A recorded case as one configuration. */
function optionsOf(recordedCase: LibmemcachedCase): PlacementOptions {
  const calls = [...recordedCase.behaviors, ...(recordedCase.behaviors_after_servers ?? [])];
  const { hash, distribution } = stateAfter(calls);
  const { bucket_map: buckets, namespace_hex: namespace } = recordedCase;
  return {
    buckets,
    behaviors: {
      hash,
      distribution: buckets === undefined ? distribution : "virtual bucket",
      _sort_hosts: isSet(calls, "SORT_HOSTS"),
      _hash_with_prefix_key: isSet(calls, "HASH_WITH_PREFIX_KEY"),
      namespace: namespace === undefined ? "" : Buffer.from(namespace, "hex").toString("latin1"),
    },
  };
}

const configOf = (each: LibmemcachedCase): Config => ({
  options: optionsOf(each),
  servers: serversOf(each),
});

/** libmemcached's own order, as it was recorded. */
function membersOf(recordedCase: RecordedCase) {
  const servers = serversOf(recordedCase);
  return recordedCase.sorted_to_input.map((position) => {
    const { host, port, weight }: RingServer = servers[position]!;
    return { host, port, weight: Math.max(1, weight), position, live: true };
  });
}

const isAtConstruction = (each: LibmemcachedCase) =>
  each.order === "behaviors-then-servers" && each.behaviors_after_servers === undefined;

describe("libmemcached 1.1.4, configured before the servers are added", () => {
  const cases = vectors.libmemcached_cases.filter(isAtConstruction);

  it("puts every key where it did", () => {
    for (const each of cases) {
      expect(place(configOf(each), each), each.id).toEqual(each.placement);
    }
    expect(cases).toHaveLength(1006);
  });

  it("has the same rings, point for point", () => {
    let compared = 0;
    for (const each of cases) {
      if (each.ring === undefined) continue;
      const state = addServers(stateAfter(each.behaviors), serversOf(each));
      const ring = ringBuilder(state, {})(membersOf(each));
      if (!(ring instanceof Continuum)) throw new Error(`${each.id} is no continuum`);
      expect(
        recorded([...ring.points].map((point, i) => [point, ring.owners[i]!] as const)),
        each.id,
      ).toEqual(each.ring);
      compared++;
    }
    expect(compared).toBe(716);
  });
});

describe("libmemcached 1.1.4, configured after the servers were added", () => {
  const late = vectors.libmemcached_cases.filter((each) => !isAtConstruction(each));

  it("is as if it had been given at construction, and there is a way to what it did", () => {
    const atOnce = (each: LibmemcachedCase) =>
      vectors.libmemcached_cases.find(
        (other) => isAtConstruction(other) && sameConfiguration(other, each),
      );
    const { cases, others } = compareLate(late, configOf, atOnce);
    expect(cases).toBe(78);
    expect(others).toEqual([
      'servers-first/DISTRIBUTION=1+HASH=1/three_default_port: the same with pointHash: "default"',
      "servers-first/KETAMA=1/weights_odd: the same without weights",
      "servers-first/HASH=1+DISTRIBUTION=1/weights_odd: the same without weights",
      'servers-first/DISTRIBUTION=1+HASH=1/weights_odd: the same without weights, with pointHash: "default"',
      'servers-first/DISTRIBUTION=1+HASH=1/five_mixed_ports: the same with pointHash: "default"',
    ]);
  });
});

function sameConfiguration(a: LibmemcachedCase, b: LibmemcachedCase): boolean {
  return (
    a.servers === b.servers &&
    a.keyset === b.keyset &&
    JSON.stringify(optionsOf(a)) === JSON.stringify(optionsOf(b))
  );
}
