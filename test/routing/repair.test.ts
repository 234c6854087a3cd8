import { type Client, OptionError } from "tslibmc";
import type { Fault, MemcachedServer } from "tslibmc/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Operation } from "../../src/operation.js";
import { MISS } from "../../src/protocol/reply.js";
import type { Question } from "../../src/routing/copyread.js";
import { Repairs } from "../../src/routing/repair.js";
import type { Server } from "../../src/routing/server.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { Fleet, keyOn, keysOn } from "./fleet.js";

/** Items that are given back to servers which lost them. */

let fleet: Fleet;
let a: MemcachedServer;
let b: MemcachedServer;

beforeAll(async () => {
  fleet = await Fleet.start(3);
  [a, b] = fleet.servers as [MemcachedServer, MemcachedServer, MemcachedServer];
});
afterEach(() => fleet.reset());
afterAll(() => fleet[Symbol.asyncDispose]());

const connect = (options = {}): Client =>
  fleet.connect({ behaviors: { num_replicas: 1 }, readRepair: true, ...options });

const repaired = (client: Client, count: number) =>
  until(() => client.copyReads.repaired === count);

/** Seconds that an item has left at a server, -1 for ever; undefined if it is not there. */
const ttlAt = async (server: MemcachedServer, key: string) =>
  (await fleet.alone(server).metaGet(key, { returnTtl: true }))?.ttl;

/** What was begun because of an answer has come to its servers when another two were given. */
async function settles(client: Client): Promise<void> {
  for (let i = 0; i < 2; i++) await errorOf(client.version());
}

const late = (command: string): Fault => ({ on: { command }, do: { kind: "delay", ms: 100 } });

test.each([
  ["a ttl", 1000],
  ["one past 30 days", 100 * 24 * 3600],
  ["none", 0],
])("an item is given back with what is left of its time: %s", async (_, ttl) => {
  const client = connect();
  const key = keyOn(client, a);
  await client.set(key, { some: "value" }, ttl);
  a.clear();
  expect(await client.get(key)).toEqual({ some: "value" });
  await repaired(client, 1);
  expect(await fleet.alone(a).get(key)).toEqual({ some: "value" });
  const left = await ttlAt(a, key);
  if (ttl === 0) expect(left).toBe(-1);
  else expect(Math.abs((left ?? 0) - ttl)).toBeLessThan(30);
});

test("all ways of reading one item and many give it back, and keys in base64 too", async () => {
  const client = connect({ encodeKeys: "base64" });
  const strange = Array.from({ length: 50 }, (_, i) => `a key ${i}`).find(
    (key) => client.serverFor(key).name === a.address,
  )!;
  const keys = [...keysOn(client, a, 10), strange];
  await client.setMulti(keys.map((key) => [key, key] as const));
  a.clear();
  expect(await client.has(keys[0]!)).toBe(true);
  expect(await client.getAndTouch(keys[1]!, 500)).toBe(keys[1]);
  expect((await client.getMulti(keys)).size).toBe(keys.length);
  const plain = fleet.connect({ encodeKeys: "base64" }, [a.address]);
  await until(async () => (await plain.getMulti(keys)).size === keys.length);
});

test("copies that were lost are made again where reads begin at random", async () => {
  const client = connect({ randomizeReplicaRead: true });
  const key = keyOn(client, a);
  await client.set(key, "v", 1000);
  b.clear();
  await until(async () => {
    expect(await client.get(key)).toBe("v");
    return client.copyReads.repaired === 1;
  });
  expect(await fleet.alone(b).get(key)).toBe("v");
});

test("what was stored meanwhile stays", async () => {
  const client = connect();
  const key = keyOn(client, a);
  await client.set(key, "old");
  a.clear();
  b.faults.add(late("mg"));
  const read = b.log.next("mg");
  const added = a.log.next("add");
  expect(await client.get(key)).toBe("old");
  await read;
  await fleet.alone(a).set(key, "new");
  await added;
  expect(await fleet.alone(a).get(key)).toBe("new");
  expect(client.copyReads.repaired).toBe(0);
});

test.each<[string, Fault[]]>([
  ["", []],
  [
    ", also where the copy's answer was lost",
    [{ on: { command: "add", times: 1 }, do: { kind: "cut", bytes: 0, ending: "close" } }],
  ],
])("what was deleted meanwhile does not come back%s", async (_, faults) => {
  const client = connect();
  a.faults.add(...faults);
  const key = keyOn(client, a);
  await client.set(key, "old");
  a.clear();
  b.faults.add(late("mg"));
  const [read, added, removed] = [b.log.next("mg"), a.log.next("add"), a.log.next("delete")];
  expect(await client.get(key)).toBe("old");
  await read;
  await fleet.alone(b).delete(key);
  await added;
  await removed;
  expect(await fleet.alone(a).get(key)).toBeUndefined();
  expect(client.copyReads.repaired).toBe(0);
});

test("a counter that went on meanwhile leaves no old copy", async () => {
  const client = connect({ randomizeReplicaRead: true });
  const key = keyOn(client, a);
  await fleet.alone(a).set(key, 5);
  a.faults.add(late("mg"));
  const [added, removed] = [b.log.next("add"), b.log.next("delete")];
  const read = a.log.next("mg");
  while (!(await Promise.race([read.then(() => true), client.get(key).then(() => false)])));
  await fleet.alone(a).incr(key);
  await added;
  await removed;
  expect(await fleet.everywhere(key)).toEqual([6, undefined, undefined]);
});

test("a stale item is not copied, and the right to recache it is left to the program", async () => {
  const client = connect();
  const key = keyOn(client, a);
  const there = fleet.alone(b);
  await there.set(key, "v");
  await there.metaDelete(key, { invalidate: true, ttl: 60 });
  const given = b.log.next("md");
  expect(await client.get(key)).toBe("v");
  await given;
  expect(await there.metaGet(key)).toMatchObject({ stale: true, won: true });
  await settles(client);
  expect(a.log.requests.map(({ command }) => command)).not.toContain("add");
});

test("an item that is still to be filled is not copied", async () => {
  const client = connect({ randomizeReplicaRead: true });
  const key = keyOn(client, a);
  expect(await client.metaGet(key, { vivify: 60 })).toMatchObject({ won: true });
  a.log.clear();
  await until(async () => {
    await client.get(key);
    return a.log.requests.some(({ command }) => command === "mg");
  });
  await settles(client);
  expect(b.log.requests.map(({ command }) => command)).not.toContain("add");
});

test("a failure is no miss, and gives nothing back", async () => {
  const client = connect();
  const key = keyOn(client, a);
  await client.set(key, "v");
  a.refuse();
  a.disconnectAll();
  expect(await client.get(key)).toBe("v");
  await settles(client);
  expect(b.log.requests.map(({ command }) => command)).not.toContain("mg");
});

test("an item with no second left is not copied", async () => {
  const client = connect();
  const key = keyOn(client, a);
  await client.set(key, "v");
  a.clear();
  const item = "VA 1 t0 f16 c5\r\nv\r\n";
  b.faults.add({ on: { command: "mg" }, do: { kind: "answer", bytes: item } });
  const asked = b.log.next("mg");
  expect(await client.get(key)).toBe("v");
  await asked;
  await settles(client);
  expect(a.log.requests.map(({ command }) => command)).not.toContain("add");
});

test("a server that does not tell how long an item lives is read all the same", async () => {
  const client = connect();
  const key = keyOn(client, a);
  await client.set(key, "v");
  a.clear();
  b.faults.add({ on: { command: "mg" }, do: { kind: "answer", bytes: "ERROR\r\n" } });
  const asked = b.log.next("mg");
  expect(await client.get(key)).toBe("v");
  await asked;
  expect(await client.get(key)).toBe("v");
  await settles(client);
  expect(a.log.requests.map(({ command }) => command)).not.toContain("add");
});

test("options that contradict each other, or are out of range, are refused", () => {
  const refused: [object, RegExp][] = [
    [{ readRepair: true, readReplicas: "failure" }, /readRepair needs readReplicas: "miss"/],
    [{ readRepair: true, binary: true }, /readRepair needs the text protocol/],
    [{ readRepair: 1 }, /readRepair must be true or false/],
    [{ randomizeReplicaRead: "yes" }, /randomizeReplicaRead must be true or false/],
    [{ readReplicas: "never" }, /readReplicas must be/],
    [{ hedge: "yes" }, /hedge must be true, false or an object/],
    [{ hedge: null }, /hedge must be true, false or an object/],
    [{ hedge: { percentil: 9 } }, /did you mean "percentile"/],
    [{ hedge: { percentile: 100 } }, /hedge.percentile must be a number from 1 to 99.99/],
    [{ hedge: { minDelayMs: 0 } }, /hedge.minDelayMs must be a number from 1/],
    [{ hedge: { maxShare: Number.NaN } }, /hedge.maxShare must be a number from 0.001 to 1/],
  ];
  for (const [options, message] of refused) {
    expect(() => fleet.connect(options)).toThrow(OptionError);
    expect(() => fleet.connect(options)).toThrow(message);
  }
});

test("no more than 64 are looked at at once, and others when those are done", async () => {
  const asked: Operation[] = [];
  const silent = { execute: (operation: Operation) => asked.push(operation) } as unknown as Server;
  const request = { verb: "get", key: "k", meta: undefined };
  const question = { operation: { route: "k" }, request } as unknown as Question;
  const repairs = new Repairs();
  for (let i = 0; i < 100; i++) repairs.start(question, silent, []);
  expect(asked).toHaveLength(64);
  for (const operation of asked.splice(0, 2)) operation.settle(MISS);
  await new Promise(setImmediate);
  for (let i = 0; i < 100; i++) repairs.start(question, silent, []);
  expect(asked).toHaveLength(64);
});
