import fc from "fast-check";
import { Client, type ClientOptions, type Key } from "tslibmc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { provokes } from "../support/warnings.js";
import { CALLS, type Call, Model, type Outcome } from "./cache.js";
import { OPTIONS, POINTLESS } from "./options.js";

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

/** Makes the calls on a new client, and compares what comes of each with the model. */
async function follow(options: ClientOptions, calls: readonly Call[]): Promise<void> {
  const { behaviors = {}, chunk, compress, encryption } = options;
  const addresses = servers.map(({ address }) => address);
  await using client = new Client(addresses, { timeoutMs: 10_000, ...options });
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

provokes(POINTLESS);

test(
  "calls that are not awaited do what they would do to a map, whatever the options",
  () =>
    fc.assert(fc.asyncProperty(OPTIONS, fc.array(CALL, { maxLength: 60, size: "max" }), follow), {
      numRuns,
      // A machine that takes several times as long does fewer.
      interruptAfterTimeLimit: TIME_LIMIT_MS / 2,
    }),
  TIME_LIMIT_MS,
);
