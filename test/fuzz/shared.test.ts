import fc from "fast-check";
import { type BehaviorOptions, Client, type Key } from "tslibmc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Interpreter } from "../support/interpreter.js";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { provokes } from "../support/warnings.js";
import { DESCRIBE } from "../value/python.js";
import { CALLS, type Call, type Perform } from "./shared/calls.js";
import { type Item, Model } from "./shared/model.js";
import { NodeSide, PythonSide, type Side } from "./shared/sides.js";
import { isJson, LARGE_VALUE, PYTHON_SIDE, type Recipe, VALUE } from "./shared/value.js";

provokes(/^The behavior hash stays |^failover: "rehash" .* moves no keys/);

/** Each run is a client of either language; FUZZ_RUNS=5000 is the long form. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 40);
const TIME_LIMIT_MS = 120_000 + numRuns * 100;
const SERVERS = 7;
const SOCKETS = 4;

let servers: Memcached[];
let sockets: Memcached[];
let python: Interpreter;

beforeAll(async () => {
  const args = ["-m", "256"];
  servers = await startMemcacheds(SERVERS, { args });
  sockets = await startMemcacheds(SOCKETS, { args, unix: true });
  python = new Interpreter(`${DESCRIBE}\n${PYTHON_SIDE}`);
});
afterAll(() =>
  Promise.all([python, ...servers, ...sockets].map((process) => process[Symbol.asyncDispose]())),
);

const HASHES = [
  ...(["default", "md5", "crc", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", "murmur"] as const),
  "jenkins" as const,
];
const DISTRIBUTIONS = [
  ...(["modula", "consistent", "consistent ketama", "consistent ketama spy"] as const),
  ...(["consistent weighted", "virtual bucket"] as const),
];

type Behaviors = BehaviorOptions & { readonly namespace?: string };

/** Behaviors that both know by one name and value. */
const BEHAVIORS: fc.Arbitrary<Behaviors> = fc.record(
  {
    hash: fc.constantFrom(...HASHES),
    distribution: fc.constantFrom(...DISTRIBUTIONS),
    ketama: fc.boolean(),
    ketama_weighted: fc.boolean(),
    remove_failed: fc.boolean(),
    auto_eject: fc.boolean(),
    tcp_nodelay: fc.boolean(),
    tcp_keepalive: fc.boolean(),
    no_block: fc.constant(true),
    verify_keys: fc.constant(true),
    failure_limit: fc.constantFrom(1, 5),
    retry_timeout: fc.constantFrom(1, 30),
    dead_timeout: fc.constantFrom(1, 30),
    namespace: fc.constantFrom("app:", "a", "ns".repeat(20)),
    _hash_with_prefix_key: fc.boolean(),
    _sort_hosts: fc.boolean(),
    _poll_timeout: fc.constant(10_000),
    cas: fc.constant(true),
  },
  { requiredKeys: ["_poll_timeout", "cas"] },
);

interface Pair {
  /** Which of the servers, in this order; pylibmc wants them all of one kind. */
  readonly list:
    | readonly { readonly at: number; readonly host: string; readonly weight: number }[]
    | readonly { readonly socket: number }[];
  readonly behaviors: Behaviors;
  readonly binary: { readonly node: boolean; readonly python: boolean };
  readonly serializer: "json" | "pickle";
  readonly nodeProtocol: 2 | 3 | 4 | 5;
  readonly pythonProtocol: number;
  readonly connections: 1 | 3;
  readonly words: readonly string[];
}

const GRAPHIC = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((word) => Buffer.from(word).every((byte) => byte > 0x20 && byte !== 0x7f));

const HOSTS = fc.uniqueArray(
  fc.record({
    at: fc.nat(SERVERS - 1),
    host: fc.constantFrom("127.0.0.1", "localhost"),
    weight: fc.constantFrom(1, 1, 1, 2, 3, 10),
  }),
  { minLength: 3, maxLength: SERVERS, selector: ({ at }) => at },
);
const PATHS = fc.shuffledSubarray(
  Array.from({ length: SOCKETS }, (_, socket) => ({ socket })),
  { minLength: 2 },
);

const PAIR: fc.Arbitrary<Pair> = fc
  .record({
    list: fc.oneof({ weight: 4, arbitrary: HOSTS }, PATHS),
    behaviors: BEHAVIORS,
    binary: fc.record({ node: fc.boolean(), python: fc.boolean() }),
    serializer: fc.constantFrom("json" as const, "pickle" as const, "pickle" as const),
    nodeProtocol: fc.constantFrom(2, 3, 4, 5),
    pythonProtocol: fc.constantFrom(-1, 0, 1, 2, 3, 4, 5),
    connections: fc.constantFrom(1, 3),
    words: fc.array(GRAPHIC, { maxLength: 3 }),
  })
  // libmemcached has no check of keys over the binary protocol, and says so.
  .filter(({ binary, behaviors }) => !(binary.python && behaviors.verify_keys === true));

/** So few that calls meet. Its check takes no key that is not ASCII; and ours counts the namespace. */
function keysOf({ behaviors, words }: Pair): Key[] {
  const limit = 250 - (behaviors.namespace?.length ?? 0);
  const ascii: Key[] = ["a", "user:17", "END", "x".repeat(limit), "x".repeat(limit - 1)];
  if (behaviors.verify_keys === true) return ascii;
  return [...ascii, "schlüssel", "日本".repeat(20), Buffer.from([0xff, 0x80, 0x41]), ...words];
}

const CALL = fc.record({
  kind: fc.constantFrom(...(Object.keys(CALLS) as (keyof typeof CALLS)[])),
  side: fc.constantFrom("node" as const, "python" as const),
  at: fc.nat(10),
  some: fc.uniqueArray(fc.nat(10), { maxLength: 9 }),
  asBytes: fc.boolean(),
  prefix: fc.constantFrom("", "p:", "a"),
  value: fc.oneof({ weight: 12, arbitrary: VALUE }, LARGE_VALUE),
  values: fc.array(VALUE, { minLength: 1, maxLength: 4 }),
  how: fc.record({
    ttl: fc.constantFrom(0, 0, 0, 1000, 2_592_000, 2_592_001, -1),
    minLength: fc.constantFrom(0, 0, 1, 20, 1000),
    level: fc.constantFrom(-1, 1, 9),
  }),
  delta: fc.constantFrom(0, 1, 9, 2 ** 31 - 1),
});

type Drawn = typeof CALL extends fc.Arbitrary<infer Each> ? Each : never;

/** A key is its bytes: either form of it names the item. */
function callOf({ at, some, asBytes, ...drawn }: Drawn, pair: Pair, keys: readonly Key[]): Call {
  const needsJson = pair.serializer === "json" && drawn.side === "node";
  const storable = (value: Recipe): Recipe =>
    !needsJson || isJson(value) ? value : { l: [{ s: "what JSON has" }] };
  const inForm = (key: Key): Key => (asBytes ? Buffer.from(key as string) : key);
  const short = keys.filter((key) => Buffer.from(key as string).length <= 200);
  const several = new Set(some.map((i) => short[i % short.length] as Key));
  return {
    ...drawn,
    value: storable(drawn.value),
    values: drawn.values.map(storable),
    key: inForm(keys[at % keys.length] as Key),
    keys: [...several].map(inForm),
  };
}

/** Deals the calls out to both clients, and compares what comes of each with the model. */
async function follow(pair: Pair, drawn: readonly Drawn[]): Promise<void> {
  const { behaviors, binary, serializer } = pair;
  const list = pair.list.map((each) =>
    "socket" in each
      ? sockets[each.socket]!.address
      : `${each.host}:${servers[each.at]?.port}:${each.weight}`,
  );
  const options = { behaviors, serializer, connections: pair.connections } as const;
  const pickle = { protocol: pair.nodeProtocol };
  await using client = new Client(list, { ...options, pickle, binary: binary.node });
  // Tells what no call of both tells, by commands that only the text protocol has.
  await using witness = new Client(list, options);
  await client.flushAll();
  await python.ask({
    open: {
      servers: list,
      behaviors: { ...behaviors, pickle_protocol: pair.pythonProtocol },
      binary: binary.python,
    },
  });
  const sides = { node: new NodeSide(client), python: new PythonSide(python) };
  const model = new Model();
  const keys = keysOf(pair);
  const setting = { model, serializer, namespace: behaviors.namespace ?? "" };
  for (const each of drawn) {
    const call = callOf(each, pair, keys);
    const perform: Perform = CALLS[call.kind];
    const side: Side = sides[call.side];
    const { got, want } = await perform(side, { ...setting, binary: binary[call.side] }, call);
    expect(got).toEqual(want);
  }
  const all = [...keys, ...model.keys()];
  for (const side of Object.values(sides)) {
    expect(await side.getMulti(all, "")).toEqual(model.readAll(side, all, ""));
  }
  for (const key of model.keys()) await compareItem(witness, model, key);
  // Where hosts are sorted, pylibmc counts the servers in their new order.
  if (behaviors._sort_hosts === true) return;
  for (const key of all)
    expect(await sides.node.placeOf(key)).toBe(await sides.python.placeOf(key));
}

const COMPRESSED = 8;

async function compareItem(witness: Client, model: Model, key: Key): Promise<void> {
  const { flags, ttl, isPacked } = model.item(key) as Item;
  const found = await witness.metaGet(key, { value: false, returnFlags: true, returnTtl: true });
  expect((found?.flags ?? 0) & ~(isPacked ? COMPRESSED : 0)).toBe(flags);
  if (ttl === 0) expect(found?.ttl).toBe(-1);
  else if (ttl !== undefined) {
    // A ttl of more than a month is sent as a date, and the server's clock may be a tick behind.
    expect(found?.ttl).toBeLessThanOrEqual(ttl + 2);
    expect(found?.ttl).toBeGreaterThan(ttl / 2);
  }
}

test(
  "calls dealt out to pylibmc and to this client do what they would do to one map",
  () =>
    fc.assert(fc.asyncProperty(PAIR, fc.array(CALL, { maxLength: 60, size: "max" }), follow), {
      numRuns,
      // What has failed is told before the time is up, however far it has been made smaller.
      interruptAfterTimeLimit: TIME_LIMIT_MS - 60_000,
    }),
  TIME_LIMIT_MS,
);
