import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OptionError } from "../../src/errors.js";
import type { Distribution } from "../../src/ring/distribution.js";
import { jumpHash } from "../../src/ring/jump.js";
import { Placement, type PlacementOptions } from "../../src/ring/placement.js";
import type { RingServer } from "../../src/ring/ring.js";

const KEYS = Array.from({ length: 20_000 }, (_, i) => `user:${i}:profile`);

const serversNamed = (count: number): RingServer[] =>
  Array.from({ length: count }, (_, i) => ({
    host: `10.3.${i >> 8}.${i & 255}`,
    port: 11211,
    weight: 1,
  }));

const withDistribution = (distribution: Distribution): PlacementOptions => ({
  behaviors: { hash: "md5", distribution },
});

/** How many keys another placement has elsewhere, of those and of how many servers. */
function moved(
  before: Placement,
  after: Placement,
): { from: Set<number>; to: Set<number>; share: number } {
  const from = new Set<number>();
  const to = new Set<number>();
  let count = 0;
  for (const key of KEYS) {
    const [was, is] = [before.locate(key), after.locate(key)];
    if (was === is) continue;
    from.add(was);
    to.add(is);
    count++;
  }
  return { from, to, share: count / KEYS.length };
}

const consistent: Distribution[] = [
  "consistent",
  "consistent ketama",
  "consistent weighted",
  "consistent ketama spy",
  "rendezvous",
  "jump",
];

describe.each(consistent)("%s", (distribution) => {
  const options = withDistribution(distribution);

  it("gives a server added at the end about its share, and moves nothing else", () => {
    // Not 25 or 50: at those libmemcached's rounding of weights gives every server fewer points.
    for (const count of [2, 5, 10, 40]) {
      const before = new Placement(options, serversNamed(count));
      const after = new Placement(options, serversNamed(count + 1));
      const { to, share } = moved(before, after);
      expect([...to]).toEqual([count]);
      expect(share * (count + 1)).toBeGreaterThan(0.6);
      expect(share * (count + 1)).toBeLessThan(1.5);
    }
  });

  it("shares an ejected server's keys among the others, and moves no other key", () => {
    const before = new Placement(options, serversNamed(10));
    for (const dead of [0, 4, 9]) {
      const after = before.withLive(Array.from({ length: 10 }, (_, i) => i !== dead));
      const { from, to } = moved(before, after);
      expect([...from]).toEqual([dead]);
      expect(to.size).toBe(9);
      expect(KEYS.some((key) => after.locate(key) === dead)).toBe(false);
    }
  });

  it("keeps every key in its place when no server is live", () => {
    const before = new Placement(options, serversNamed(4));
    expect(moved(before, before.withLive([false, false, false, false])).share).toBe(0);
  });
});

describe("rendezvous", () => {
  const options = withDistribution("rendezvous");

  it("moves only a removed server's keys, wherever it stood", () => {
    const servers = serversNamed(8);
    const before = new Placement(options, servers);
    const after = new Placement(options, servers.toSpliced(3, 1));
    const elsewhere = KEYS.filter((key) => {
      const was = before.locate(key);
      return was !== 3 && after.locate(key) !== (was > 3 ? was - 1 : was);
    });
    expect(elsewhere).toEqual([]);
  });

  it("gives shares by weight", () => {
    const servers = serversNamed(4).map((server, i) => ({ ...server, weight: i + 1 }));
    const placement = new Placement(options, servers);
    const counts = [0, 0, 0, 0];
    for (const key of KEYS) counts[placement.locate(key)]!++;
    for (const [i, count] of counts.entries()) {
      expect(count / KEYS.length).toBeCloseTo((i + 1) / 10, 1.5);
    }
  });
});

describe("jump", () => {
  const inBigInts = (hash: number, buckets: number) => {
    let key = BigInt(hash);
    let bucket = -1;
    for (let next = 0; next < buckets; ) {
      bucket = next;
      key = BigInt.asUintN(64, key * 2862933555777941757n + 1n);
      next = Math.floor((bucket + 1) * (2 ** 31 / (Number(key >> 33n) + 1)));
    }
    return bucket;
  };

  it("carries into the upper word, which one hash of all does at its first step", () => {
    const word = 2n ** 32n;
    const factor = 2862933555777941757n % word;
    let inverse = factor; // right in its last three bits, and in twice as many each time
    for (let bits = 3; bits < 32; bits *= 2) inverse = (inverse * (2n - factor * inverse)) % word;
    const hash = Number((word - (((inverse % word) + word) % word)) % word);
    expect(Number((BigInt(hash) * factor + 1n) % word)).toBe(0);
    for (const buckets of [2, 10, 1000, 1_000_000]) {
      expect(jumpHash(hash, buckets)).toBe(inBigInts(hash, buckets));
    }
  });

  it("is the paper's, by the published results of its C++ code", () => {
    const buckets = (key: number) => Array.from({ length: 19 }, (_, i) => jumpHash(key, i + 1));
    expect(buckets(0)).toEqual(new Array(19).fill(0));
    expect(buckets(1)).toEqual([0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 17, 17]);
    expect(buckets(0xdeadbeef)).toEqual([
      0, 1, 2, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 16, 16, 16,
    ]);
  });

  it("is the paper's in 64-bit arithmetic, for any hash", () => {
    const hashes = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(hashes, fc.integer({ min: 1, max: 100_000 }), (hash, buckets) => {
        expect(jumpHash(hash, buckets)).toBe(inBigInts(hash, buckets));
      }),
      { numRuns: 500 },
    );
  });
});

describe("virtual bucket", () => {
  it("refuses a map that names no server", () => {
    const behaviors = { distribution: "virtual bucket" } as const;
    expect(() => new Placement({ behaviors, buckets: [0, 1, 2, 1] }, serversNamed(2))).toThrow(
      /Virtual bucket 2 is mapped to server 2, but the servers are 0 to 1/,
    );
    expect(() => new Placement({ behaviors, buckets: [] }, serversNamed(2))).toThrow(OptionError);
  });
});

describe("random", () => {
  it("follows its source of chance, not the key", () => {
    const draws = [0, 0.34, 0.99, 0.5];
    const options = { ...withDistribution("random"), chance: () => draws.shift()! };
    const placement = new Placement(options, serversNamed(3));
    expect(["k", "k", "k", "k"].map((key) => placement.locate(key))).toEqual([0, 1, 2, 1]);
  });
});

describe("Placement", () => {
  const distributions: Distribution[] = [...consistent, "modula", "virtual bucket", "random"];

  it("finds a server of the list for any key, servers and ejections", () => {
    const server = fc.record({
      host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.constantFrom("/run/é.sock")),
      port: fc.integer({ min: 0, max: 65535 }),
      weight: fc.integer({ min: 0, max: 1000 }),
    });
    const lists = fc.array(fc.tuple(server, fc.boolean()), { minLength: 1, maxLength: 12 });
    const keys = fc.uint8Array({ minLength: 1, maxLength: 250 });
    fc.assert(
      fc.property(
        fc.constantFrom(...distributions),
        lists,
        keys,
        fc.boolean(),
        (distribution, list, key, sorted) => {
          const servers = list.map(([each]) => each);
          const live = list.map(([, each]) => each);
          const behaviors = { distribution, _sort_hosts: sorted };
          const placement = new Placement({ behaviors }, servers, live);
          const position = placement.locate(Buffer.from(key).toString("latin1"));
          expect(servers[position]).toBeDefined();
          const moves = !["modula", "virtual bucket"].includes(distribution);
          if (moves && live.includes(true)) expect(live[position]).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("hashes nothing for one server", () => {
    const hash = () => {
      throw new Error("hashed");
    };
    const placement = new Placement(
      { behaviors: { hash, distribution: "modula" } },
      serversNamed(1),
    );
    expect(placement.locate("k")).toBe(0);
    expect(placement.explain("k")).toEqual({ hash: 0, point: undefined, position: 0 });
  });

  it("finds replicas on the servers that follow in libmemcached's order", () => {
    const servers = ["c", "a", "b"].map((host) => ({ host, port: 11211, weight: 1 }));
    const sorted = new Placement({ behaviors: { _sort_hosts: true } }, servers);
    const asGiven = new Placement({}, servers);
    for (const key of KEYS.slice(0, 20)) {
      const own = sorted.locate(key);
      const following = { 0: [0, 1, 2], 1: [1, 2, 0], 2: [2, 0, 1] }[own]!;
      expect(sorted.locateReplicas(key, 1)).toEqual(following.slice(0, 2));
      expect(sorted.locateReplicas(key, 9)).toEqual(following);
      const first = asGiven.locate(key);
      expect(asGiven.locateReplicas(key, 1)).toEqual([first, (first + 1) % 3]);
    }
  });

  it("explains a key by its hash, the point and the server", () => {
    // A case of libmemcached's own tests: the hash is past the last point, and goes to the first.
    const weights = [600, 300, 200, 350, 1000, 800, 950, 100];
    const servers = weights.map((weight, i) => ({ host: `10.0.1.${i + 1}`, port: 11211, weight }));
    const placement = new Placement({ behaviors: { ketama_weighted: true } }, servers);
    expect(placement.explain("VDEAAAAA")).toEqual({
      hash: 0xfffcd1b5,
      point: 2148620,
      position: 2,
    });
  });

  it("refuses an empty list and an unknown distribution", () => {
    expect(() => new Placement({}, [])).toThrow(/no server/);
    const behaviors = { distribution: "consistent max" as Distribution };
    expect(() => new Placement({ behaviors }, serversNamed(2))).toThrow(
      /distribution must be .*"rendezvous" or "jump", not "consistent max"/,
    );
  });
});
