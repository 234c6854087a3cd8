import fc from "fast-check";
import { Client, type ClientOptions, type Key, OptionError } from "tslibmc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { CALLS, type Call, Model, type Outcome } from "./cache.js";

/** Each run is a client of its own; FUZZ_RUNS=10000 is the long form. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 60);
const TIME_LIMIT_MS = 120_000 + numRuns * 500;

let servers: Memcached[];

beforeAll(async () => {
  servers = await startMemcacheds(3);
});
afterAll(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

/** So few that calls meet, and of each sort that placement and wires might treat differently. */
const KEYS: readonly Key[] = [
  "a",
  "user:17",
  "END",
  "schlüssel",
  "日本",
  Buffer.from("bytes"),
  "k".repeat(230),
];

const BYTES = fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes));

/** Values that every serializer gives back as they were. */
const VALUES = fc.oneof(
  fc.nat(100),
  fc.constantFrom(-5, 2n ** 60n, true, false, null, ""),
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.record({ list: fc.array(fc.nat(9), { maxLength: 5 }), text: fc.string({ unit: "grapheme" }) }),
  BYTES,
  // Past 64 KiB values are compressed on another thread, and may have a connection of their own.
  fc.nat(100_000).map((size) => Buffer.alloc(size, "lorem ipsum ")),
);

const CALL: fc.Arbitrary<Call> = fc.record({
  kind: fc.constantFrom(...(Object.keys(CALLS) as (keyof typeof CALLS)[])),
  key: fc.constantFrom(...KEYS),
  keys: fc.subarray([...KEYS]),
  value: VALUES,
  delta: fc.nat(5),
  silent: fc.boolean(),
});

const SECRET = Buffer.alloc(32, "secret");

/** Queues in which calls wait, so that none fails. */
const QUEUES = fc.constantFrom<ClientOptions>(
  {},
  { whenQueueFull: "wait", maxQueueLength: 1 },
  { whenQueueFull: "wait", maxQueueLength: 5 },
);

/** Options that change how a call goes its way, but not what it comes to. */
const OPTIONS: fc.Arbitrary<ClientOptions> = fc.record(
  {
    binary: fc.boolean(),
    connections: fc.constantFrom(1, 3),
    keyPrefix: fc.constantFrom("app:", "für:"),
    encodeKeys: fc.constant("base64" as const),
    hashLongKeys: fc.boolean(),
    serializer: fc.constantFrom("json" as const, "pickle" as const, "v8" as const),
    compress: fc.constantFrom(true, { minLength: 20 }, { algorithm: "brotli" as const }),
    encryption: fc.constant({ keys: [{ id: "1", secret: SECRET }] }),
    chunk: fc.constantFrom({ size: 2_000 }, { size: 100_000 }),
    failover: fc.constantFrom("rehash" as const, "next" as const),
    hedge: fc.boolean(),
    readRepair: fc.boolean(),
    readReplicas: fc.constantFrom("failure" as const, "miss" as const),
    randomizeReplicaRead: fc.boolean(),
    behaviors: fc.record(
      {
        ketama: fc.boolean(),
        hash: fc.constantFrom("md5" as const, "crc" as const, "fnv1a_32" as const),
        num_replicas: fc.constantFrom(0, 1, 2),
        buffer_requests: fc.boolean(),
        _noreply: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ["behaviors"] },
);

/** Makes the calls on a new client, and compares what comes of each with the model. */
async function follow(
  queue: ClientOptions,
  others: ClientOptions,
  calls: readonly Call[],
): Promise<void> {
  const options = { ...queue, ...others };
  const { behaviors = {}, chunk, compress, encryption } = options;
  const addresses = servers.map(({ address }) => address);
  await using client = clientOf(addresses, options);
  const model = new Model(
    encryption === undefined && compress === undefined && chunk === undefined,
  );
  const isQuiet = behaviors._noreply === true || behaviors.buffer_requests === true;
  // Copies are written one after the other, and so are the chunks of several keys.
  const inTurn = (behaviors.num_replicas ?? 0) > 0 || chunk !== undefined;
  const outcomes: Outcome[] = [];
  await client.flushAll({ noreply: false });
  for (const call of calls) {
    const outcome = CALLS[call.kind](client, model, call);
    outcome.got.catch(() => {}); // is looked at below
    outcomes.push(outcome);
    if (inTurn) await outcome.got;
    // What is buffered has not reached its own server, after which the copies follow.
    if (inTurn && behaviors.buffer_requests === true) await client.flush();
  }
  for (const { got, want, silent } of outcomes) {
    const result = await got;
    if (silent === undefined || !(silent || isQuiet)) expect(result).toEqual(want);
  }
  await client.flush();
  expect(await client.getMulti(KEYS)).toEqual(model.all(KEYS));
}

function clientOf(addresses: readonly string[], options: ClientOptions): Client {
  try {
    return new Client(addresses, { timeoutMs: 10_000, ...options });
  } catch (error) {
    fc.pre(!(error instanceof OptionError)); // options that do not go together
    throw error;
  }
}

test(
  "calls that are not awaited do what they would do to a map, whatever the options",
  () =>
    fc.assert(
      fc.asyncProperty(QUEUES, OPTIONS, fc.array(CALL, { maxLength: 60, size: "max" }), follow),
      { numRuns },
    ),
  TIME_LIMIT_MS,
);
