import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { Client, type ClientOptions, MemcachedError } from "tslibmc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FaultProxy } from "../support/faultproxy.js";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { randomFrom } from "../support/random.js";
import { provokes } from "../support/warnings.js";
import { OPTIONS, POINTLESS } from "./options.js";

/** Each run is a client of its own and takes two seconds; FUZZ_RUNS=100 is the long form. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 5);
const RUN_MS = 2_000;
const WORKERS = 40;
const KEYS = Array.from({ length: 150 }, (_, i) => `key:${i}`);

let servers: Memcached[];

beforeAll(async () => {
  servers = await startMemcacheds(3);
});
afterAll(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

/** What a key holds from the beginning to the end: some take several chunks, or are compressed. */
function valueAt(key: string): string {
  const n = Number(key.slice(4));
  return `${key} `.repeat(n % 10 === 7 ? 3_000 : 1 + (n % 30));
}

/** With a failover a miss is what is meant, and a copy whose chunks were not all written is one. */
const READABLE = OPTIONS.filter(
  ({ failover, chunk, behaviors }) =>
    failover === undefined && (chunk === undefined || !behaviors?.num_replicas),
);

/** Reads and writes for a while, and returns what was wrong with the results. */
async function work(client: Client, random: () => number, until: number): Promise<string[]> {
  const wrong: string[] = [];
  const compare = (key: string, value: unknown) => {
    if (value !== valueAt(key)) wrong.push(`${key} was ${String(value).slice(0, 60)}`);
  };
  const calls = [
    async (key: string) => compare(key, await client.get(key)),
    async (key: string) => compare(key, (await client.gets(key))?.value),
    async (key: string) => compare(key, await client.getAndTouch(key, 1000)),
    async (key: string) => {
      if (!(await client.has(key))) wrong.push(`${key} was not there`);
    },
    async (key: string) => {
      if (await client.add(key, "added", { noreply: false })) wrong.push(`${key} was added`);
    },
    async (key: string) => void (await client.set(key, valueAt(key))),
    async (key: string) => {
      const keys = KEYS.slice(KEYS.indexOf(key)).slice(0, 40);
      const values = await client.getMulti(keys);
      for (const each of keys) compare(each, values.get(each));
    },
  ];
  while (performance.now() < until) {
    const call = calls[Math.floor(random() * calls.length)]!;
    try {
      await call(KEYS[Math.floor(random() * KEYS.length)]!);
    } catch (error) {
      if (!(error instanceof MemcachedError)) wrong.push(String(error));
    }
  }
  return wrong;
}

async function upset(proxies: readonly FaultProxy[], random: () => number, until: number) {
  while (performance.now() < until) {
    await delay(50 + random() * 300);
    const at = Math.floor(random() * proxies.length);
    const dice = random();
    if (dice < 0.4) {
      proxies[at]!.cutAll();
    } else if (dice < 0.7) {
      proxies[at]!.hold();
      await delay(random() * 400);
      proxies[at]!.release();
    } else {
      await servers[at]!.pause();
      await delay(random() * 400);
      servers[at]!.resume();
    }
  }
}

async function survive(options: ClientOptions, seed: number): Promise<void> {
  const random = randomFrom(seed);
  // No wire could know a value from one with garbage in it, but text has an end to each.
  const isMarked = options.binary !== true && options.chunk === undefined;
  const fate = () => random() * (isMarked ? 1 : 0.9);
  const proxies = await Promise.all(servers.map((server) => FaultProxy.start(server, fate)));
  const addresses = proxies.map(({ address }) => address);
  const times = { timeoutMs: 150, connectTimeoutMs: 150, stallTimeoutMs: 400 };
  const client = new Client(addresses, { ...options, ...times });
  try {
    const patient = { timeoutMs: 10_000 };
    await client.flushAll({ ...patient, noreply: false });
    await client.setMulti(
      KEYS.map((key) => [key, valueAt(key)] as const),
      patient,
    );
    await client.flush(patient);
    expect((await client.getMulti(KEYS, patient)).size).toBe(KEYS.length);
    for (const proxy of proxies) proxy.faultRate = 0.03;
    const until = performance.now() + RUN_MS;
    const working = Array.from({ length: WORKERS }, () => work(client, random, until));
    await upset(proxies, random, until);
    expect((await Promise.all(working)).flat()).toEqual([]);
  } finally {
    await client.close({ drainMs: 0 });
    await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
  }
}

provokes(POINTLESS);

test(
  "what is there is read as it is or not at all, and never missed, whatever the options",
  () => fc.assert(fc.asyncProperty(READABLE, fc.nat(), survive), { numRuns, endOnFailure: true }),
  60_000 + numRuns * RUN_MS * 5,
);
