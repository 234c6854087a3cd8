import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  continuum,
  continuumBefore,
  earlierFirst,
  laterFirst,
  type PointRule,
} from "../../src/ring/circle.js";
import { Continuum } from "../../src/ring/continuum.js";
import { ringBuilder } from "../../src/ring/distribution.js";
import { presets } from "../../src/ring/presets.js";
import type { Member, Ring, RingBuilder } from "../../src/ring/ring.js";

/** Members of some weights, and two choices of who of them is live. */
const memberships = (maxLength: number) =>
  fc
    .array(
      fc.record({ weight: fc.integer({ min: 1, max: 6 }), was: fc.boolean(), is: fc.boolean() }),
      { minLength: 1, maxLength },
    )
    .filter((members) => members.some(({ was }) => was) && members.some(({ is }) => is));

type Membership = { readonly weight: number; readonly was: boolean; readonly is: boolean };

const membersOf = (memberships: readonly Membership[], when: "was" | "is" | "all"): Member[] =>
  memberships.map((each, position) => ({
    host: `10.1.0.${position}`,
    port: position % 3 === 0 ? 11211 : 11300,
    weight: each.weight,
    position,
    live: when === "all" || each[when],
  }));

function pointsOf(ring: Ring | undefined): [point: number, position: number][] {
  if (!(ring instanceof Continuum)) throw new Error("The ring has no points");
  return [...ring.points].map((point, i) => [point, ring.owners[i]!]);
}

/** Points that collide, at both ends of the circle too, as many as the weights say. */
const crowded: PointRule = {
  draws: ({ weight }, group) => Math.floor((group.size * 4 * weight) / group.weight),
  pointsPerDraw: 2,
  draw: ({ position }, from, to) =>
    Array.from({ length: 2 * (to - from) }, (_, i) => {
      const n = (position * 7 + (2 * from + i) * 5) % 13;
      return n === 12 ? 2 ** 32 - 1 : n;
    }),
};

const weighted = { hash: "md5", distribution: "consistent weighted", weighted: true } as const;
const unweighted = { hash: "default", distribution: "consistent ketama", weighted: false } as const;

const presetRing = (name: "libketama" | "spymemcached" | "dalli"): RingBuilder => {
  const preset = presets[name];
  if (!("ring" in preset)) throw new Error(`${name} has no ring of its own`);
  return preset.ring;
};

describe.each<[name: string, build: RingBuilder, maxLength: number]>([
  ["ketama", ringBuilder(unweighted, {}), 30],
  ["spy", ringBuilder({ ...unweighted, distribution: "consistent ketama spy" }, {}), 30],
  ["ketama_weighted", ringBuilder(weighted, {}), 30],
  ["libketama", presetRing("libketama"), 20],
  ["spymemcached", presetRing("spymemcached"), 20],
  ["dalli", presetRing("dalli"), 10],
  ["points that collide, the earlier first", continuum(crowded, earlierFirst), 12],
  ["points that collide, the later first", continuum(crowded, laterFirst), 12],
  ["points that collide, each with what is before it", continuumBefore(crowded), 12],
])("%s", (_, build, maxLength) => {
  test("is, with other members live, point for point what it were if it was made anew", () => {
    fc.assert(
      fc.property(memberships(maxLength), (memberships) => {
        const now = membersOf(memberships, "is");
        const anew = pointsOf(build(now));
        expect(pointsOf(build(membersOf(memberships, "all")).withLive?.(now))).toEqual(anew);
        expect(pointsOf(build(membersOf(memberships, "was")).withLive?.(now))).toEqual(anew);
      }),
      { numRuns: 60 },
    );
  });
});

test("a death changes nothing about what others drew, but by weight a draw at most", () => {
  const counts = (members: Member[]) => {
    const owners = pointsOf(ringBuilder(weighted, {})(members)).map(([, owner]) => owner);
    return members.map(({ position }) => owners.filter((owner) => owner === position).length);
  };
  const servers = Array.from({ length: 60 }, (_, i) => ({ weight: 1, was: true, is: i !== 10 }));
  const before = counts(membersOf(servers, "was"));
  const after = counts(membersOf(servers, "is"));
  expect(after[10]).toBe(0);
  const others = after.filter((_, position) => position !== 10);
  for (const count of others) expect(Math.abs(count - before[0]!)).toBeLessThanOrEqual(4);
});
