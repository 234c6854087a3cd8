import fc from "fast-check";
import { Client, ClientPool, ThreadMappedPool } from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Interpreter } from "../support/interpreter.js";
import { hasIPv6 } from "../support/ipv6.js";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { randomFrom } from "../support/random.js";
import { provokes } from "../support/warnings.js";
import { type ContestKeys, compete } from "./together/contest.js";
import { misfits, type Step } from "./together/history.js";
import { type Call, type Lend, play, type Score } from "./together/player.js";
import { PYTHON_PLAYER } from "./together/python.js";

provokes(/^The behavior hash stays |^failover: "rehash" .* moves no keys/);

/** Each run is some hundred calls of either language at once; FUZZ_RUNS=1000 is the long form. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 12);
const TIME_LIMIT_MS = 60_000 + numRuns * 1_000;
const THREADS = 4;
const WORKERS = 8;
const CALLS_OF_A_THREAD = 60;
const CALLS_OF_A_WORKER = 150;
const TIMES = 15;
/** Until then both have heard of the play. */
const BEFOREHAND_NS = 30_000_000n;

type Place = "tcp" | "ipv6" | "unix";
const PLACES: readonly Place[] = hasIPv6 ? ["tcp", "ipv6", "unix"] : ["tcp", "unix"];

let servers: Record<Place, Memcached[]>;
let python: Interpreter;

beforeAll(async () => {
  const [tcp, ipv6, unix] = await Promise.all([
    startMemcacheds(3, { args: ["-U", "-1"] }),
    hasIPv6 ? startMemcacheds(2, { host: "::1" }) : [],
    startMemcacheds(2, { unix: true }),
  ]);
  servers = { tcp, ipv6, unix };
  python = new Interpreter(PYTHON_PLAYER);
});
afterAll(() =>
  Promise.all(
    [python, ...Object.values(servers).flat()].map((process) => process[Symbol.asyncDispose]()),
  ),
);

const SETTING = fc.record({
  place: fc.constantFrom(...PLACES),
  behaviors: fc.record(
    { ketama: fc.boolean(), namespace: fc.constantFrom("app:") },
    { requiredKeys: ["ketama"] },
  ),
  binary: fc.record({ node: fc.boolean(), python: fc.boolean() }),
  connections: fc.constantFrom(1, 3),
  lends: fc.record({
    node: fc.constantFrom("one client", "ClientPool", "ThreadMappedPool"),
    python: fc.constantFrom("clones", "ClientPool", "ThreadMappedPool"),
  }),
  seed: fc.nat(),
});

type Setting = typeof SETTING extends fc.Arbitrary<infer Each> ? Each : never;

let runs = 0;

/** Both clients as they were drawn, with keys that no other run has. */
class Table implements AsyncDisposable {
  readonly prefix = `${runs++}:`;
  readonly client: Client;
  readonly lend: Lend;
  readonly question: object;
  readonly #pool: AsyncDisposable | undefined;

  constructor({ place, behaviors, binary, connections, lends }: Setting) {
    const list = servers[place].map(({ address }) => address);
    const options = { behaviors, timeoutMs: 15_000 };
    this.client = new Client(list, { ...options, connections, binary: binary.node });
    const common = { cas: true, tcp_nodelay: true, _poll_timeout: 15_000 };
    this.question = {
      servers: list,
      behaviors: { ...behaviors, ...common },
      binary: binary.python,
      lends: lends.python,
    };
    if (lends.node === "ClientPool") {
      const pool = new ClientPool(this.client, 3);
      this.lend = (use) => pool.reserve(use, { block: true });
      this.#pool = pool;
    } else if (lends.node === "ThreadMappedPool") {
      const pool = new ThreadMappedPool(this.client);
      this.lend = (use) => pool.reserve(use);
      this.#pool = pool;
    } else {
      this.lend = (use) => use(this.client);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.[Symbol.asyncDispose]();
    await this.client.close();
  }
}

const TEXTS = ["t0", "t1", "t2"];
const NUMBERS = ["n0", "n1"];
const OF_TEXTS = [
  ...(["get", "get", "get", "has", "getMulti", "getMulti", "swap", "swap", "swap"] as const),
  ...(["set", "setMulti", "add", "add", "replace", "append", "append", "prepend"] as const),
  "delete" as const,
];
const OF_NUMBERS = [
  ...(["get", "incr", "incr", "incr", "decr", "swap", "set", "add", "delete"] as const),
];
const READS = ["get", "get", "getMulti"] as const;

/** Calls at random, and no text is stored twice. */
function script(prefix: string, name: string, length: number, random: () => number): Call[] {
  const one = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
  return Array.from({ length }, (_, n): Call => {
    const isText = random() < 0.6;
    const kind = name === "reader" ? one(READS) : one(isText ? OF_TEXTS : OF_NUMBERS);
    const isMany = kind === "getMulti" || kind === "setMulti";
    const names = isMany ? TEXTS : [one(isText ? TEXTS : NUMBERS)];
    const value = isText ? `${name}.${n},` : 1 + Math.floor(random() * 9);
    return { kind, keys: names.map((each) => prefix + each), value };
  });
}

/** All play at once; those of this client until those of pylibmc are done. */
async function history(setting: Setting): Promise<Step[]> {
  await using table = new Table(setting);
  const { prefix, lend, question } = table;
  const random = randomFrom(setting.seed);
  await table.client.version(); // it has its connections, as pylibmc has at its first call
  const epoch = process.hrtime.bigint() + BEFOREHAND_NS;
  const scripts = Array.from({ length: THREADS }, (_, n) =>
    script(prefix, `p${n}`, CALLS_OF_A_THREAD, random),
  );
  let isEnough = false;
  const steps: Step[] = [];
  const playing: Promise<void>[] = [];
  const join = (by: string, lender: Lend) => {
    const score: Score = { by, epoch, steps };
    const calls = script(prefix, by, CALLS_OF_A_WORKER, random);
    playing.push(play(lender, calls, score, () => isEnough));
  };
  for (let n = 0; n < WORKERS; n++) join(`node${n}`, lend);
  await using reader = new Client(
    servers.tcp.map(({ host, udpPort }) => `udp:${host}:${udpPort}`),
    { behaviors: { ...setting.behaviors }, timeoutMs: 15_000 },
  );
  // Its ports are others, which only modula does not look at.
  if (setting.place === "tcp" && !setting.behaviors.ketama) {
    join("reader", (use) => use(reader));
  }
  const theirs = await python.ask<Step[]>({ ...question, epoch: String(epoch), scripts });
  isEnough = true;
  await Promise.all(playing);
  return [...steps, ...theirs];
}

/** Fails with the steps that have no place, where a key's have no order. */
function expectOrder(steps: readonly Step[]): void {
  for (const key of new Set(steps.map((step) => step.key))) {
    const stuck = misfits(steps.filter((step) => step.key === key));
    if (stuck === undefined) continue;
    throw new Error(`No order of ${key}'s calls explains:\n${stuck.map(inWords).join("\n")}`);
  }
}

function inWords(step: Step): string {
  const shorten = (_: string, value: unknown) =>
    typeof value === "string" && value.length > 100 ? `…${value.slice(-100)}` : value;
  return JSON.stringify(step, shorten);
}

/** Which calls of one side were under way while one of the other was. */
function overlaps(steps: readonly Step[]): number {
  const theirs = steps.filter(({ by }) => by.startsWith("python"));
  const ours = steps.filter(({ by }) => !by.startsWith("python"));
  return ours.filter((a) => theirs.some((b) => a.start < b.end && b.start < a.end)).length;
}

describe("calls of pylibmc and of this client that are under way at once", () => {
  test("are told by one clock when they are", async () => {
    const epoch = process.hrtime.bigint();
    const there = await python.ask<number>({ clock: String(epoch) });
    expect(there).toBeGreaterThan(0);
    expect(there).toBeLessThan(Number(process.hrtime.bigint() - epoch));
  });

  test(
    "leave each key as if one had come after the other",
    async () => {
      let together = 0;
      const property = fc.asyncProperty(SETTING, async (setting) => {
        const steps = await history(setting);
        together += overlaps(steps);
        expectOrder(steps);
      });
      // What has failed depends on the moment, and is not made smaller.
      await fc.assert(property, { numRuns, endOnFailure: true });
      expect(together).toBeGreaterThan(numRuns);
    },
    TIME_LIMIT_MS,
  );

  test.each(PLACES)("lose nothing (%s)", async (place) => {
    const setting: Setting = {
      place,
      behaviors: { ketama: true },
      binary: { node: place === "unix", python: place === "ipv6" },
      connections: place === "tcp" ? 3 : 1,
      lends: { node: "ThreadMappedPool", python: "ThreadMappedPool" },
      seed: 0,
    };
    await using table = new Table(setting);
    const { client, prefix, lend, question } = table;
    const keys: ContestKeys = {
      swap: `${prefix}swap`,
      count: `${prefix}count`,
      list: `${prefix}list`,
      held: `${prefix}held`,
      lock: `${prefix}lock`,
    };
    const { swap, count, list, held } = keys;
    await client.setMulti({ [swap]: 0, [count]: 0, [list]: "", [held]: 0 });
    const names = Array.from({ length: WORKERS }, (_, n) => `node${n}`);
    const scripts = Array<number>(THREADS).fill(TIMES);
    await Promise.all([
      ...names.map((by) => compete(lend, by, keys, TIMES)),
      python.ask({ ...question, keys, scripts }),
    ]);
    const all = (WORKERS + THREADS) * TIMES;
    expect(await client.getMulti([swap, count, held])).toEqual(
      new Map([swap, count, held].map((key) => [key, all])),
    );
    const appended = ((await client.get<string>(list)) ?? "").split(",").slice(0, -1);
    const everybody = [...names, ...scripts.map((_, n) => `python${n}`)];
    for (const by of everybody) {
      expect(appended.filter((each) => each.startsWith(`${by}.`))).toEqual(
        Array.from({ length: TIMES }, (_, n) => `${by}.${n}`),
      );
    }
    expect(appended).toHaveLength(all);
  });
});

describe("the order that a history has", () => {
  /** A call from one time to another. */
  const step = (start: number, end: number, kind: Step["kind"], rest: Partial<Step>): Step => ({
    ...{ by: "somebody", key: "k", start, end, kind },
    ...{ result: true, ...rest },
  });
  const set = (start: number, end: number, value: string) => step(start, end, "set", { value });
  const get = (start: number, end: number, result: string | null) =>
    step(start, end, "get", { result });

  test.each<[string, boolean, Step[]]>([
    ["a value that is read", true, [set(0, 1, "a"), get(2, 3, "a")]],
    ["a value that is overlooked", false, [set(0, 1, "a"), get(2, 3, null)]],
    ["either, while it is written", true, [set(0, 5, "a"), get(1, 2, null), get(3, 4, "a")]],
    ["a value that is gone again", false, [set(0, 5, "a"), get(1, 2, "a"), get(3, 4, null)]],
    ["one value after the other", true, [set(0, 9, "a"), set(0, 9, "b"), get(1, 2, "b")]],
    [
      "a value that comes back",
      false,
      [set(0, 9, "a"), set(0, 9, "b"), get(1, 2, "b"), get(3, 4, "a"), get(5, 6, "b")],
    ],
    [
      "two that have one lock",
      false,
      [step(0, 3, "add", { value: "a" }), step(1, 4, "add", { value: "b" })],
    ],
    [
      "a token that is used twice",
      false,
      [
        set(0, 1, "a"),
        step(2, 3, "gets", { result: "a", token: "7" }),
        step(4, 6, "cas", { value: "b", token: "7" }),
        step(4, 6, "cas", { value: "c", token: "7" }),
      ],
    ],
    [
      "a token that should have been good",
      false,
      [
        set(0, 1, "a"),
        step(2, 3, "gets", { result: "a", token: "7" }),
        step(4, 6, "cas", { value: "b", token: "7", result: false }),
      ],
    ],
    [
      "a token of two values",
      false,
      [
        set(0, 1, "a"),
        step(2, 3, "gets", { result: "a", token: "7" }),
        set(4, 5, "b"),
        step(6, 7, "gets", { result: "b", token: "7" }),
      ],
    ],
    [
      "a count that is lost",
      false,
      [
        step(0, 1, "set", { value: 1 }),
        step(2, 4, "incr", { value: 1, result: 2 }),
        step(2, 4, "incr", { value: 1, result: 2 }),
      ],
    ],
    [
      "counts in any order",
      true,
      [
        step(0, 1, "set", { value: 1 }),
        step(2, 4, "incr", { value: 1, result: 3 }),
        step(2, 4, "incr", { value: 1, result: 2 }),
        step(5, 6, "decr", { value: 9, result: 0 }),
      ],
    ],
    [
      "a piece that is lost",
      false,
      [set(0, 1, "a"), step(2, 3, "append", { value: "b" }), get(4, 5, "a")],
    ],
  ])("%s: %s", (_, hasOne, steps) => {
    expect(misfits(steps) === undefined).toBe(hasOne);
  });
});
