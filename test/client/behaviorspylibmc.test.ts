import { type BehaviorOptions, Client, type PlacementPreset } from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { vectors } from "../ring/vectors.js";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { runPython } from "../support/python.js";
import { provokes } from "../support/warnings.js";

/**
 * pylibmc and this library side by side on real servers: what one writes, the other finds,
 * for every configuration that was recorded.
 */

const OURS = Array.from({ length: 60 }, (_, i) => `ours:${i}:${i % 5 === 0 ? "é" : "e"}`);
const THEIRS = Array.from({ length: 60 }, (_, i) => `theirs:${i}:${i % 5 === 0 ? "ключ" : "key"}`);

/** What pylibmc is told. */
interface Side {
  readonly servers: readonly string[];
  readonly behaviors: BehaviorOptions;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

interface Found {
  /** How many of our keys pylibmc read, with their values. */
  readonly read: number;
  readonly placed: readonly number[];
  /** Its behaviors by its own account. */
  readonly behaviors: Readonly<Record<string, unknown>>;
}

const WRITE = `
import pylibmc
def client(side):
    behaviors = {k: v.encode() if k == "namespace" else v for k, v in side["behaviors"].items()}
    return pylibmc.Client(side["servers"], behaviors=behaviors)
output = []
for side in input:
    mc = client(side)
    for key in side["theirs"]:
        mc.set(key, key)
    output.append({
        "read": sum(mc.get(key) == key for key in side["ours"]),
        "placed": [mc.hash(key) for key in side["ours"] + side["theirs"]],
        "behaviors": {k: v for k, v in mc.behaviors.items()},
    })
`;

let plain: Memcached[];
let unix: Memcached[];

beforeAll(async () => {
  plain = await Promise.all(Array.from({ length: 5 }, () => startMemcached()));
  unix = await Promise.all(Array.from({ length: 3 }, () => startMemcached({ unix: true })));
});
afterAll(async () => {
  await Promise.all([...plain, ...unix].map((server) => server[Symbol.asyncDispose]()));
});

const serverLists: [string, () => string[]][] = [
  ["three servers", () => plain.slice(0, 3).map(({ address }) => address)],
  ["five servers of weights 1 to 5", () => plain.map(({ address }, i) => `${address}:${i + 1}`)],
  ["five servers, unsorted", () => [3, 0, 4, 1, 2].map((i) => plain[i]!.address)],
  ["three unix sockets", () => unix.map(({ address }) => address)],
];

/** Each recorded configuration once, and each hash on each of the rings. */
const configurations = new Map<string, BehaviorOptions>();
for (const { behaviors, behaviors_set_after_construction: later } of vectors.pylibmc_cases) {
  const given = { ...behaviors, ...later };
  configurations.set(JSON.stringify(given), given);
}
for (const hash of [
  ...(["default", "md5", "crc", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32"] as const),
  ...(["murmur", "jenkins"] as const),
]) {
  for (const distribution of [
    ...(["modula", "consistent", "consistent ketama"] as const),
    ...(["consistent ketama spy", "consistent weighted", "virtual bucket"] as const),
  ]) {
    const given = { hash, distribution };
    configurations.set(JSON.stringify(given), given);
  }
}

// pylibmc has behaviors that have no effect here, and tells of all of them.
provokes(/^The behavior /);

describe.each(serverLists)("with pylibmc on %s", (_, servers) => {
  test("each finds what the other wrote, in every configuration", async () => {
    const list = servers();
    const sides: Side[] = [];
    const clients: Client[] = [];
    let n = 0;
    for (const behaviors of configurations.values()) {
      const prefix = `${n++}:`; // keys of one configuration only
      const mine = { ours: OURS.map((k) => prefix + k), theirs: THEIRS.map((k) => prefix + k) };
      sides.push({ servers: list, behaviors, ...mine });
      const client = new Client(list, { timeoutMs: 10_000 });
      client.behaviors = behaviors; // live, which the constructor's own test does not cover
      expect(await client.setMulti(mine.ours.map((key) => [key, key] as const))).toEqual([]);
      clients.push(client);
    }
    const found = await runPython<Found[]>(WRITE, sides);
    for (const [i, { ours, theirs, behaviors }] of sides.entries()) {
      const client = clients[i]!;
      const configuration = JSON.stringify(behaviors);
      expect(found[i]!.read, configuration).toBe(ours.length);
      const read = await client.getMulti(theirs);
      expect(read, configuration).toEqual(new Map(theirs.map((key) => [key, key])));
      if (behaviors._sort_hosts !== true) {
        const placed = [...ours, ...theirs].map((key) => client.serverFor(key).index);
        expect(placed, configuration).toEqual(found[i]!.placed);
      }
      const { hash, distribution, ketama, ketama_weighted } = client.behaviors;
      expect({
        hash,
        distribution,
        ketama: Number(ketama),
        ketama_weighted: Number(ketama_weighted),
      }).toEqual(pick(found[i]!.behaviors, "hash", "distribution", "ketama", "ketama_weighted"));
      await client.close();
    }
    expect(sides.length).toBeGreaterThanOrEqual(80);
  });
});

const presets: [PlacementPreset, BehaviorOptions][] = [
  ["pylibmc", {}],
  ["pylibmc-ketama", { ketama: true }],
  ["php", {}],
  ["php-ketama", { ketama_weighted: true }],
];

test.each(presets)("the preset %s is pylibmc with %j", async (placement, behaviors) => {
  const servers = plain.map(({ address }) => address);
  await using client = new Client(servers, { placement });
  const [found] = await runPython<Found[]>(WRITE, [{ servers, behaviors, ours: OURS, theirs: [] }]);
  expect(OURS.map((key) => client.serverFor(key).index)).toEqual(found!.placed);
});

test.each<BehaviorOptions>([{}, { ketama: true }, { hash: "md5", distribution: "consistent" }])(
  "what pylibmc tells of its behaviors can be given here as it is: %j",
  async (given) => {
    const servers = plain.map(({ address }) => address);
    const sides = [{ servers, behaviors: given, ours: OURS, theirs: [] }];
    const [found] = await runPython<Found[]>(WRITE, sides);
    expect(found!.behaviors["ketama_hash"]).toBe(0);
    await using client = new Client(servers, { behaviors: found!.behaviors });
    expect(OURS.map((key) => client.serverFor(key).index)).toEqual(found!.placed);
  },
);

test("the names are pylibmc's, in its order, and namespace", async () => {
  const { behaviors } = new Client(["a", "b"]);
  const names = await runPython<string[]>(
    "import pylibmc\noutput = pylibmc.all_behaviors + pylibmc.all_callbacks",
  );
  expect(Object.keys(behaviors)).toEqual(names);
});

function pick(from: Readonly<Record<string, unknown>>, ...names: string[]) {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

const POOLED = `
import pylibmc
found = []
for side in input:
    mc = pylibmc.Client(side["servers"], behaviors=side["behaviors"])
    with pylibmc.ClientPool(mc, 1).reserve() as pooled:
        for key in side["theirs"]:
            pooled.set(key, key)
    found.append(sum(mc.get(key) == key for key in side["theirs"]))
output = found
`;

const pooled: [BehaviorOptions, BehaviorOptions][] = [
  [{ ketama_weighted: true }, { ketama: true, hash: "md5" }],
  [{ distribution: "consistent weighted" }, { ketama: true }],
];

test.each(pooled)("a pool of pylibmc's with %j is found with %j", async (behaviors, ours) => {
  const servers = plain.map(({ address }) => address);
  const theirs = THEIRS.map((key) => `pooled:${Object.keys(behaviors).join()}:${key}`);
  const [found] = await runPython<number[]>(POOLED, [{ servers, behaviors, theirs }]);
  expect(found).toBeLessThan(theirs.length); // not even by the client that the pool was made of
  await using client = new Client(servers, { behaviors: ours });
  expect((await client.getMulti(theirs)).size).toBe(theirs.length);
});
