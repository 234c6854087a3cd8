import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { Client, type ClientOptions, MemcachedError, PartialError } from "tslibmc";
import { expect, test } from "vitest";
import { within } from "../../src/util/ready.js";
import { startMemcached } from "../support/memcached.js";
import { randomFrom } from "../support/random.js";
import { PATIENT } from "../support/use.js";

/** Each run takes a fifth of a second; FUZZ_RUNS=1000 is the long form. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 15);
const CALLS = 60;

/** What a key may hold, as far as the calls before have told. */
type Held = ReadonlySet<unknown>;

interface Step {
  readonly call: (client: Client, keys: string[], value: string, options: object) => unknown;
  /** What a key may hold after it, where it succeeded. */
  readonly after: (held: Held, value: string, result: never, key: string) => Held;
  /** The same where nobody knows whether it was carried out. @defaultValue what it held before */
  readonly left?: (value: string) => unknown;
  readonly many?: true;
}

const read = (held: Held, value: unknown): Held => {
  expect(held).toContain(value);
  return new Set([value]);
};

const STEPS: readonly Step[] = [
  {
    call: (client, [key], value, options) => client.set(key!, value, options),
    after: (_, value) => new Set([value]),
    left: (value) => value,
  },
  {
    call: (client, keys, value, options) =>
      client.setMulti(
        keys.map((key) => [key, value] as const),
        options,
      ),
    after: (_, value) => new Set([value]),
    left: (value) => value,
    many: true,
  },
  {
    call: (client, [key], _, options) => client.delete(key!, options),
    after: (held, _, was: boolean) => {
      expect([...held].some((value) => (value !== undefined) === was)).toBe(true);
      return new Set([undefined]);
    },
    left: () => undefined,
  },
  {
    call: (client, [key], _, options) => client.get(key!, options),
    after: (held, _, got) => read(held, got),
  },
  {
    call: (client, keys, _, options) => client.getMulti(keys, options),
    after: (held, _, got: Map<string, unknown>, key) => read(held, got.get(key)),
    many: true,
  },
];

const SHAPES: readonly ClientOptions[] = [{}, { binary: true }, { chunk: { size: 256 } }];

/** Encodes at once, later, never or not at all, and knows what it has encoded. */
function codecOf(random: () => number) {
  const encoded = new Set<unknown>();
  const serialize = (value: unknown) => {
    encoded.add(value);
    return { data: String(value), flags: 0 };
  };
  return {
    encoded,
    serializer: {
      serialize(value: unknown) {
        const fate = random();
        if (fate < 0.3) return serialize(value);
        if (fate < 0.4) return new Promise<never>(() => {});
        return delay(random() * 20).then(() => {
          if (fate < 0.5) throw new Error("cannot be encoded");
          return serialize(value);
        });
      },
      deserialize: (data: Uint8Array) =>
        random() < 0.5 ? String(data) : delay(random() * 10).then(() => String(data)),
    },
  };
}

/** Options of a call that may run out of time, or be aborted. */
function optionsOf(random: () => number): object {
  if (random() < 0.5) return random() < 0.5 ? {} : { timeoutMs: 1 + random() * 30 };
  const controller = new AbortController();
  setTimeout(() => controller.abort("aborted"), random() * 30);
  return { signal: controller.signal };
}

/** What a key may hold after a call that failed. */
function afterFailure(held: Held, step: Step, value: string, error: unknown, key: string): Held {
  const left = () => (step.left === undefined ? held : new Set([...held, step.left(value)]));
  if (error instanceof PartialError) {
    if (Array.isArray(error.results) && !error.results.includes(key)) return new Set([value]);
  } else if (!(error instanceof MemcachedError)) {
    expect(error).toBe("aborted");
    return left();
  }
  return error.sent ? left() : held;
}

let plays = 0;

async function play(address: string, shape: ClientOptions, seed: number): Promise<void> {
  const random = randomFrom(seed);
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
  const keys = [`a:${++plays}`, `b:${plays}`];
  const { encoded, serializer } = codecOf(random);
  const client = new Client(address, { ...shape, serializer, timeoutMs: 80 });
  const held = new Map<string, Held>(keys.map((key) => [key, new Set([undefined])]));
  const closesAt = random() * CALLS * 2;
  const closings: Promise<void>[] = [];
  /** What each call has left under a key, in their order. */
  const calls: Promise<(held: Held, key: string) => Held>[] = [];
  const concerned: (readonly string[])[] = [];
  for (let i = 0; i < CALLS; i++) {
    if (i >= closesAt) closings.push(client.close({ drainMs: pick([0, 5, 80]) }));
    const step = pick(STEPS);
    const own = step.many ? keys : [pick(keys)];
    const value = `${i}:`.padEnd(pick([0, 600]), "x");
    const called = step.call(client, own, value, optionsOf(random)) as Promise<never>;
    concerned.push(own);
    calls.push(
      called.then(
        (result) => (before, key) => step.after(before, value, result, key),
        (error) => {
          // What was not encoded by now never may be stored.
          const isMade = step.left?.(value) !== value || encoded.has(value);
          return (before, key) => (isMade ? afterFailure(before, step, value, error, key) : before);
        },
      ),
    );
    if (random() < 0.4) await delay(random() * 10);
  }
  const ends = await within(10_000, Promise.all(calls));
  expect(await within(10_000, Promise.all(closings)), "close() ends").toBeDefined();
  for (const [i, after] of ends?.entries() ?? expect.fail("a call never ended")) {
    for (const key of concerned[i]!) held.set(key, after(held.get(key)!, key));
  }
  await client.close();
  const plain = { serialize: String, deserialize: String } as never;
  await using reader = new Client(address, { ...shape, serializer: plain, ...PATIENT });
  for (const key of keys) read(held.get(key)!, await reader.get(key));
}

test(
  "calls on a key keep their order, and what fails unsent is never stored, whatever its codec does",
  async () => {
    await using memcached = await startMemcached();
    const plays = fc.asyncProperty(fc.constantFrom(...SHAPES), fc.nat(), (shape, seed) =>
      play(memcached.address, shape, seed),
    );
    await fc.assert(plays, { numRuns, endOnFailure: true });
  },
  60_000 + numRuns * 2_000,
);
