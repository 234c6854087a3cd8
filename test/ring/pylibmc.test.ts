import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { Placement } from "../../src/ring/placement.js";
import {
  type Config,
  compareLate,
  keysOf,
  type PylibmcCase,
  place,
  serversOf,
  vectors,
} from "./vectors.js";

const configOf = (each: PylibmcCase): Config => ({
  options: { behaviors: { ...each.behaviors, ...each.behaviors_set_after_construction } },
  servers: serversOf(each),
});

const sameConfiguration = (a: PylibmcCase, b: PylibmcCase) =>
  a.servers === b.servers && isDeepStrictEqual(placing(a), placing(b));

/** The behaviors that have a say in placement, without those that have not. */
function placing(each: PylibmcCase) {
  const { hash, ketama, ketama_weighted, distribution, _sort_hosts, namespace } =
    configOf(each).options.behaviors ?? {};
  return { hash, ketama, ketama_weighted, distribution, _sort_hosts, namespace };
}

const atConstruction = vectors.pylibmc_cases.filter(
  (each) => each.behaviors_set_after_construction === null,
);

describe("pylibmc 1.6.3, behaviors given to the constructor", () => {
  it("puts every key where it did, and reports the same behaviors", () => {
    for (const each of atConstruction) {
      const { options, servers } = configOf(each);
      expect(place({ options, servers }, each), each.id).toEqual(each.placement);
      const { ketama, ketama_weighted, ...names } = each.effective;
      expect(new Placement(options, servers).behaviors, each.id).toEqual({
        ...names,
        ketama: ketama === 1,
        ketama_weighted: ketama_weighted === 1,
      });
    }
    expect(atConstruction).toHaveLength(215);
  });
});

describe("pylibmc 1.6.3, behaviors set on a client", () => {
  const late = vectors.pylibmc_cases.filter(
    (each) => each.behaviors_set_after_construction !== null,
  );

  it("is as if they had been given to the constructor, and there is a way to what it did", () => {
    const atOnce = (each: PylibmcCase) =>
      atConstruction.find((other) => sameConfiguration(other, each));
    const { cases, others } = compareLate(late, configOf, atOnce);
    expect(cases).toBe(45);
    const lists = "three_default_port five_mixed_ports hostnames unix_sockets ipv6 ten".split(" ");
    expect(others).toEqual([
      "pylibmc/late-ketama/weights_1_to_5: the same without weights",
      "pylibmc/late-ketama/weights_odd: the same without weights",
      "pylibmc/late-hash-md5+consistent/weights_1_to_5: the same without weights",
      "pylibmc/late-hash-md5+consistent/weights_odd: the same without weights",
      ...lists.map(
        (each) => `pylibmc/late-hash-only-after-ketama/${each}: the same with pointHash: "default"`,
      ),
    ]);
  });
});

describe("ejected servers", () => {
  it("have their keys where pylibmc 1.6.3 moved them", () => {
    let steps = 0;
    for (const each of vectors.eject_cases) {
      const servers = serversOf(each);
      const keys = keysOf(each);
      const placement = new Placement({ behaviors: each.behaviors }, servers);
      expect(
        keys.map((key) => placement.locate(key)),
        each.id,
      ).toEqual(each.placement_before);
      for (const { ejected_so_far: ejected, placement: expected } of each.steps) {
        const live = servers.map((_, position) => !ejected.includes(position));
        const after = placement.withLive(live);
        expect(
          keys.map((key) => after.locate(key)),
          `${each.id} without ${ejected}`,
        ).toEqual(expected);
        steps++;
      }
    }
    expect(steps).toBe(45);
  });
});
