import { type Client, type PartialError, TimeoutError } from "tslibmc";
import type { MemcachedServer } from "tslibmc/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Fleet } from "../routing/fleet.js";
import { errorOf } from "../support/outcome.js";

/** Calls on many keys over a hundred servers, one of which may have frozen. */

const SERVERS = 100;

let fleet: Fleet;
let frozen: MemcachedServer;
const keys = Array.from({ length: 2000 }, (_, i) => `key:${i}`);
const values = new Map(keys.map((key) => [key, key]));

beforeAll(async () => {
  fleet = await Fleet.start(SERVERS);
  frozen = fleet.servers[42]!;
});
afterEach(() => fleet.reset());
afterAll(() => fleet[Symbol.asyncDispose]());

async function filled(options = {}): Promise<Client> {
  const client = fleet.connect({ timeoutMs: 30_000, ...options });
  expect(await client.setMulti(values)).toEqual([]);
  for (const server of fleet.servers) server.log.clear();
  return client;
}

const isOnFrozen = (client: Client, key: string) => client.serverFor(key).name === frozen.address;

test("getMulti asks each server once, and all before any has answered", async () => {
  const client = await filled();
  for (const server of fleet.servers) {
    server.faults.add({ on: { command: "get" }, do: { kind: "delay", ms: 100 } });
  }
  let isOver = false;
  const asked = Promise.all(fleet.servers.map(({ log }) => log.next("get")));
  const found = client.getMulti(keys).finally(() => {
    isOver = true;
  });
  await asked;
  expect(isOver).toBe(false);
  expect(await found).toEqual(values);
  for (const server of fleet.servers) {
    expect(server.log.requests.map(({ command }) => command)).toEqual(["get"]);
  }
});

test("a frozen server costs its own keys alone, and other calls nothing", async () => {
  const client = await filled({ stallTimeoutMs: 60_000 });
  frozen.pause();
  let isOver = false;
  const controller = new AbortController();
  const stuck = errorOf(client.getMulti(keys, { signal: controller.signal })).finally(() => {
    isOver = true;
  });
  const others = keys.filter((key) => !isOnFrozen(client, key));
  const found = await client.getMulti(others);
  for (const key of others.slice(0, 50)) expect(await client.get(key)).toBe(key);
  expect(isOver).toBe(false);
  expect(found.size).toBe(others.length);
  controller.abort();
  await stuck;
  const error = (await errorOf(client.getMulti(keys, { timeoutMs: 2000 }))) as PartialError<
    Map<string, string>
  >;
  expect(error.results).toEqual(found);
  expect([...error.errors.keys()]).toEqual([frozen.address]);
  expect(error.errors.get(frozen.address)).toBeInstanceOf(TimeoutError);
  expect(error.sent).toBe(true);
});

test("writes that lost a server name its keys, and the others are done", async () => {
  const client = await filled();
  frozen.pause();
  const lost = keys.filter((key) => isOnFrozen(client, key));
  const error = (await errorOf(client.deleteMulti(keys, { timeoutMs: 1000 }))) as PartialError<
    string[]
  >;
  expect([...error.errors.keys()]).toEqual([frozen.address]);
  expect([...error.results].sort()).toEqual([...lost].sort());
  for (const server of fleet.servers) if (server !== frozen) expect(server.size).toBe(0);
});

test("with copies and hedged reads everything is found while a server is frozen", async () => {
  const client = await filled({
    behaviors: { num_replicas: 1 },
    // On a busy machine other servers are late, too, and would use up a smaller share.
    hedge: { minDelayMs: 30, maxShare: 1 },
    timeoutMs: 60_000,
  });
  for (let i = 0; i < 2; i++) expect((await client.getMulti(keys)).size).toBe(keys.length);
  frozen.pause();
  expect(await client.getMulti(keys)).toEqual(values);
  expect(client.copyReads.hedgesWon).toBeGreaterThan(0);
});
