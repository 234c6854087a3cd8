import type { Client } from "tslibmc";
import type { Fault, MemcachedServer } from "tslibmc/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.js";
import { provoking } from "../support/warnings.js";
import { Fleet, keyOn, keysOn } from "./fleet.js";

/** Reads that are asked at a second server, since the first is slow. */

let fleet: Fleet;
let a: MemcachedServer;
let b: MemcachedServer;

beforeAll(async () => {
  fleet = await Fleet.start(3);
  [a, b] = fleet.servers as [MemcachedServer, MemcachedServer, MemcachedServer];
});
afterEach(() => fleet.reset());
afterAll(() => fleet[Symbol.asyncDispose]());

/** Has the client learn what is usual. */
async function learn(client: Client): Promise<void> {
  await client.set("usual", 1);
  for (let i = 0; i < 120; i++) await client.get("usual");
}

/** Later than what is usual, so that a busy machine is not taken for a slow server. */
const hedge = { minDelayMs: 40 };

/** Lets `server` answer what `call` asks only when a second one was asked, and has answered. */
async function secondFirst<Result>(
  client: Client,
  server: MemcachedServer,
  call: () => Promise<Result>,
): Promise<Result> {
  const { hedged } = client.copyReads;
  server.pause();
  const result = call();
  await until(() => client.copyReads.hedged > hedged && answered(client, b));
  server.resume();
  return result;
}

function answered(client: Client, server: MemcachedServer): boolean {
  return client.stats().get(server.address)?.inFlight === 0;
}

const late = (ms: number): Fault => ({ on: { command: "get" }, do: { kind: "delay", ms } });

test("a read whose server says nothing is answered by the next one", async () => {
  const client = fleet.connect({ behaviors: { num_replicas: 1 }, hedge, timeoutMs: 60_000 });
  const keys = keysOn(client, a, 30);
  await client.setMulti(keys.map((key) => [key, key] as const));
  await learn(client);
  const before = client.copyReads;
  a.pause();
  expect(await client.get(keys[0]!)).toBe(keys[0]);
  expect([...(await client.getMulti(keys))]).toEqual(keys.map((key) => [key, key]));
  expect(await client.has(keys[1]!)).toBe(true);
  const { hedged, hedgesWon, hedgesWithheld } = client.copyReads;
  expect(hedged - before.hedged).toBeGreaterThanOrEqual(3);
  expect(hedgesWon - before.hedgesWon).toBeGreaterThanOrEqual(3);
  expect(hedgesWithheld).toBe(0);
});

test("a slow server that was not sent the read yet never is, once another has answered", async () => {
  const client = fleet.connect({
    behaviors: { num_replicas: 1 },
    hedge,
    timeoutMs: 60_000,
    maxQueueLength: 1,
    whenQueueFull: "wait",
  });
  const [first = "", second = ""] = keysOn(client, a, 2);
  await client.setMulti({ [first]: 1, [second]: 2 });
  await learn(client);
  a.pause();
  fleet.servers.forEach(({ log }) => void log.clear());
  expect(await Promise.all([client.get(first), client.get(second)])).toEqual([1, 2]);
  a.resume();
  await until(() => answered(client, a));
  expect(a.log.requests.map(({ keys }) => keys)).toEqual([[first]]);
});

test("a late answer is eaten, and each caller has its own", async () => {
  const client = fleet.connect({
    behaviors: { num_replicas: 1 },
    hedge: { percentile: 50, minDelayMs: 1, maxShare: 1 },
  });
  const keys = fleet.servers.flatMap((server) => keysOn(client, server, 40));
  await client.setMulti(keys.map((key) => [key, key] as const));
  await learn(client);
  a.faults.add({ on: { command: "get", every: 3 }, do: { kind: "delay", ms: 25 } });
  b.faults.add({ on: { command: "get", every: 5 }, do: { kind: "delay", ms: 15 } });
  for (let round = 0; round < 10; round++) {
    const values = await Promise.all(keys.map((key) => client.get(key)));
    expect(values).toEqual(keys);
    expect((await client.getMulti(keys)).size).toBe(keys.length);
  }
  expect(client.copyReads.hedged).toBeGreaterThan(0);
  await until(() => [...client.stats().values()].every(({ inFlight }) => inFlight === 0));
  for (const { errors } of client.stats().values()) expect(errors).toBe(0);
});

test("a copy that lacks an item is not believed, and the item's own server is waited for", async () => {
  const client = fleet.connect({ behaviors: { num_replicas: 1 }, hedge, timeoutMs: 60_000 });
  const [none = "", ...keys] = keysOn(client, a, 4);
  const [count = ""] = keys;
  await client.setMulti(keys.map((key) => [key, 1] as const));
  await client.incr(count); // its copy is deleted
  await learn(client);
  expect(await secondFirst(client, a, () => client.get(count))).toBe(2);
  expect(await secondFirst(client, a, () => client.getMulti(keys))).toEqual(
    new Map(keys.map((key) => [key, key === count ? 2 : 1])),
  );
  expect(await secondFirst(client, a, () => client.get(none))).toBeUndefined();
});

test("asking twice is limited to a share of the reads", async () => {
  const maxShare = 0.05;
  const client = fleet.connect({
    behaviors: { num_replicas: 2 },
    hedge: { ...hedge, maxShare },
    timeoutMs: 60_000,
  });
  const key = keyOn(client, a);
  await client.set(key, "v");
  await learn(client);
  let reads = 120;
  for (let i = 0; i < 4; i++) {
    const { hedged, hedgesWithheld } = client.copyReads;
    for (const server of fleet.servers) server.pause();
    const slow = Array.from({ length: 24 }, () => client.get(key));
    const looked = hedged + hedgesWithheld + slow.length;
    await until(() => client.copyReads.hedged + client.copyReads.hedgesWithheld === looked);
    for (const server of fleet.servers) server.resume();
    expect(new Set(await Promise.all(slow))).toEqual(new Set(["v"]));
    reads += slow.length;
  }
  const { hedged, hedgesWithheld } = client.copyReads;
  expect(hedged).toBeGreaterThan(0);
  expect(hedged).toBeLessThanOrEqual(reads * maxShare);
  expect(hedgesWithheld).toBeGreaterThan(0);
});

test("nothing is asked twice without copies, nor before it is known what is usual", async () => {
  using _ = provoking(/^Reading copies .* without the behavior num_replicas/);
  const without = fleet.connect({ hedge: true });
  await learn(without);
  a.faults.add(late(100));
  await without.get(keyOn(without, a));
  expect(without.copyReads).toEqual({ hedged: 0, hedgesWon: 0, hedgesWithheld: 0, repaired: 0 });
  const fresh = fleet.connect({ behaviors: { num_replicas: 1 }, hedge: true });
  await fresh.get(keyOn(fresh, a));
  expect(fresh.copyReads.hedged).toBe(0);
});

test("a server that is silent is found out, although its reads are answered elsewhere", async () => {
  const client = fleet.connect({
    behaviors: { num_replicas: 1, failure_limit: 1 },
    hedge: { ...hedge, maxShare: 1 },
    timeoutMs: 400,
  });
  const key = keyOn(client, a);
  await client.set(key, "v");
  await learn(client);
  a.pause();
  await until(async () => {
    expect(await client.get(key)).toBe("v");
    return client.stats().get(a.address)?.state === "dead";
  });
});

test("a read that went on to its last server, or was given up, is asked for no more", async () => {
  const client = fleet.connect({
    behaviors: { num_replicas: 1 },
    hedge: { minDelayMs: 40, maxShare: 1 },
  });
  const key = keyOn(client, a);
  await client.set(key, "v");
  await learn(client);
  const before = client.copyReads.hedged;
  b.pause();
  const controller = new AbortController();
  const aborted = client.get(keyOn(client, b), { signal: controller.signal });
  controller.abort();
  await expect(aborted).rejects.toThrow();
  b.resume();
  a.refuse();
  a.disconnectAll();
  b.faults.add(late(200));
  expect(await client.get(key)).toBe("v");
  expect(client.copyReads.hedged).toBe(before);
});

test("a second server that answers after the first has not won", async () => {
  const client = fleet.connect({
    behaviors: { num_replicas: 1 },
    hedge: { minDelayMs: 40, maxShare: 1 },
    timeoutMs: 60_000,
  });
  const key = keyOn(client, a);
  await client.set(key, "v");
  await learn(client);
  const before = client.copyReads;
  for (const server of [a, b]) server.pause();
  const value = client.get(key);
  await until(() => client.copyReads.hedged > before.hedged);
  a.resume();
  expect(await value).toBe("v");
  b.resume();
  await until(() => [a, b].every((server) => answered(client, server)));
  const { hedged, hedgesWon } = client.copyReads;
  expect([hedged - before.hedged, hedgesWon - before.hedgesWon]).toEqual([1, 0]);
});
