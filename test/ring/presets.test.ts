import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { OptionError } from "../../src/errors.js";
import { Placement } from "../../src/ring/placement.js";
import { ketamaDigests } from "../../src/ring/points.js";
import type { PlacementPreset } from "../../src/ring/presets.js";
import type { RingServer } from "../../src/ring/ring.js";
import { keysOf, vectors } from "./vectors.js";

interface Recorded {
  readonly lists: Readonly<Record<string, readonly RingServer[]>>;
  readonly keys: readonly string[];
  readonly placement: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly prefixed: {
    readonly prefix: string;
    readonly servers: readonly RingServer[];
    readonly placement: Readonly<Record<string, readonly number[]>>;
  };
  readonly others: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
}

const recorded: Recorded = JSON.parse(
  readFileSync(new URL("../vectors/placement-clients.json", import.meta.url), "utf8"),
);

/** The recorded keys with a character for each byte, as a placement takes them. */
const wireKeys = recorded.keys.map((key) => Buffer.from(key).toString("latin1"));

const named = (preset: PlacementPreset, servers: readonly RingServer[]) =>
  new Placement({ preset }, servers);

const tcp = (host: string, port = 11211, weight = 1): RingServer => ({ host, port, weight });

describe("placement of other clients, recorded from their own code", () => {
  it.each(Object.keys(recorded.placement) as PlacementPreset[])("%s", (preset) => {
    let keys = 0;
    for (const [list, expected] of Object.entries(recorded.placement[preset]!)) {
      const placement = named(preset, recorded.lists[list]!);
      const ours = wireKeys.map((key) => placement.locate(key));
      expect(ours, list).toEqual(expected);
      keys += ours.length;
    }
    expect(keys).toBe(6 * 343);
  });

  it.each(Object.keys(recorded.prefixed.placement) as PlacementPreset[])(
    "%s, with a prefix",
    (preset) => {
      const { prefix, servers, placement } = recorded.prefixed;
      const ours = new Placement({ preset, behaviors: { namespace: prefix } }, servers);
      expect(wireKeys.map((key) => ours.locate(key))).toEqual(placement[preset]);
    },
  );

  it.each(["Cache::Memcached", "Cache::Memcached::Fast"])(
    "Perl's %s, by behaviors, where no server has a weight",
    (client) => {
      const even = Object.entries(recorded.lists).filter(([, servers]) =>
        servers.every(({ weight }) => weight === 1),
      );
      expect(even.length).toBe(4);
      for (const [list, servers] of even) {
        const placement = new Placement({ behaviors: { hash: "crc" } }, servers);
        const ours = wireKeys.map((key) => placement.locate(key));
        expect(ours, list).toEqual(recorded.others[client]?.[list]);
      }
    },
  );

  it("PHP's memcache with hash_strategy=standard, as python-memcached, with any weights", () => {
    const lists = Object.entries(recorded.others["memcache, hash_strategy=standard"]!);
    expect(lists.length).toBe(6);
    for (const [list, expected] of lists) {
      const placement = named("python-memcached", recorded.lists[list]!);
      expect(
        wireKeys.map((key) => placement.locate(key)),
        list,
      ).toEqual(expected);
    }
  });

  it("spymemcached's own test cases hold, among them those of libketama", () => {
    const five = [0, 1, 2, 3, 4].map((i) => tcp("127.0.0.1", 10000 + i));
    for (const preset of ["spymemcached", "libketama"] as const) {
      const placement = named(preset, five);
      expect(["36", "10037", "22051", "49044"].map((key) => placement.locate(key))).toEqual([
        2, 3, 1, 4,
      ]);
      const four = named(preset, five.slice(0, 4));
      expect(["dustin", "noelani", "some other key"].map((key) => four.locate(key))).toEqual([
        0, 2, 0,
      ]);
      // Past the last point, 4294887009.
      expect(["V5XS8C8N", "8KR2DKR2", "L9KH6X4X"].map((key) => four.locate(key))).toEqual([
        3, 3, 3,
      ]);
    }
  });
});

describe("libketama", () => {
  it("places keys as spymemcached, which was made after it, where no weight differs", () => {
    const equal = Object.entries(recorded.lists).filter(([, servers]) =>
      servers.every(({ weight }) => weight === servers[0]!.weight),
    );
    expect(equal.length).toBeGreaterThan(2);
    for (const [list, servers] of equal) {
      const placement = named("libketama", servers);
      const ours = wireKeys.map((key) => placement.locate(key));
      expect(ours, list).toEqual(recorded.placement["spymemcached"]![list]);
    }
  });

  it("gives each server its share of 40 digests a server, rounded down", () => {
    const digestsOf = (...weights: number[]) => {
      const group = { size: weights.length, weight: weights.reduce((sum, each) => sum + each) };
      return weights.map((weight) => ketamaDigests(tcp("a", 1, weight), group));
    };
    expect(digestsOf(7)).toEqual([40]);
    expect(digestsOf(1, 2, 3)).toEqual([20, 40, 60]);
    expect(digestsOf(2, 2, 3)).toEqual([34, 34, 51]); // of 120: 34.3, 34.3 and 51.4
    expect(digestsOf(1, 1000)).toEqual([0, 79]);
  });
});

describe("presets that are libmemcached with some behaviors", () => {
  it.each([
    ["pylibmc", "plain"],
    ["pylibmc-ketama", "ketama"],
    ["php-ketama", "ketama_weighted"],
  ] as const)("%s is pylibmc's %s", (preset, configuration) => {
    const cases = vectors.pylibmc_cases.filter(({ id }) =>
      id.startsWith(`pylibmc/${configuration}/`),
    );
    expect(cases.length).toBeGreaterThan(8);
    for (const each of cases) {
      const placement = named(preset, vectors.server_lists[each.servers]!);
      expect(
        keysOf(each).map((key) => placement.locate(key)),
        each.id,
      ).toEqual(each.placement);
    }
  });
});

describe("gomemcache", () => {
  it("is the CRC-32 modulo the number of servers", () => {
    const servers = ["a", "b", "c", "d", "e"].map((host) => tcp(host));
    // CRC-32 of "123456789", by its catalogue, is 0xcbf43926.
    expect(named("gomemcache", servers).locate("123456789")).toBe(0xcbf43926 % 5);
  });
});

describe("a preset", () => {
  it("refuses behaviors that choose a hash or a ring too", () => {
    expect(
      () => new Placement({ preset: "dalli", behaviors: { hash: "md5" } }, [tcp("a")]),
    ).toThrow(OptionError);
    expect(() => new Placement({ preset: "php", behaviors: { ketama: true } }, [tcp("a")])).toThrow(
      /"php" already chooses.*leave out the behavior ketama/,
    );
  });

  it("hashes the namespace where that client does", () => {
    const servers = recorded.lists["twenty"]!;
    const behaviors = { namespace: "app:" };
    for (const [preset, prefixed] of [
      ["dalli", true],
      ["python-memcached", true],
      ["spymemcached", false],
      ["gomemcache", false],
      ["pylibmc", false],
    ] as const) {
      const plain = named(preset, servers);
      const withNamespace = new Placement({ preset, behaviors }, servers);
      for (const key of recorded.keys.slice(0, 50)) {
        expect(withNamespace.locate(key)).toBe(plain.locate(prefixed ? `app:${key}` : key));
      }
    }
  });

  it("that is unknown is named with those there are", () => {
    expect(() => named("enyim" as PlacementPreset, [tcp("a"), tcp("b")])).toThrow(
      /placement must be .*"spymemcached".*not "enyim"/,
    );
  });

  it("spymemcached wants addresses", () => {
    expect(() => named("spymemcached", [tcp("10.0.0.1"), tcp("cache-b")])).toThrow(
      /"cache-b" as an IPv4 address/,
    );
  });
});
