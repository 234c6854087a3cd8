import { type Client, ConnectionClosedError } from "tslibmc";
import type { MemcachedServer } from "tslibmc/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { Fleet, keyOn, keysOn } from "./fleet.js";

/** Operations whose own server is dead, is coming back, or has left. */

let fleet: Fleet;
let a: MemcachedServer;
let b: MemcachedServer;
let c: MemcachedServer;

beforeAll(async () => {
  fleet = await Fleet.start(3);
  [a, b, c] = fleet.servers as [MemcachedServer, MemcachedServer, MemcachedServer];
});
afterEach(() => fleet.reset());
afterAll(() => fleet[Symbol.asyncDispose]());

const ejecting = { failover: "next", behaviors: { failure_limit: 1 } } as const;

function leave(server: MemcachedServer): void {
  server.refuse();
  server.disconnectAll();
}

const stateOf = (client: Client, server: MemcachedServer) =>
  client.stats().get(server.address)?.state;

describe("what was not sent when its server died goes elsewhere", () => {
  const calls: [string, (client: Client, key: string) => Promise<unknown>, unknown][] = [
    ["add", (client, key) => client.add(key, "v"), true],
    ["incr", (client, key) => client.incr(key, 1, { initial: 7 }), 7],
    ["append", (client, key) => client.append(key, "v"), false],
    ["cas", (client, key) => client.cas(key, "v", 1n), false],
    ["get", (client, key) => client.get(key), undefined],
  ];
  test.each(calls)("%s", async (_name, call, result) => {
    const client = fleet.connect(ejecting);
    const key = keyOn(client, a);
    leave(a);
    expect(await call(client, key)).toBe(result);
    expect(stateOf(client, a)).toBe("dead");
    expect(b.log.requests.flatMap(({ keys }) => keys)).toContain(key);
  });
});

test("a call that is aborted elsewhere is not sent on from there", async () => {
  const client = fleet.connect({ ...ejecting, timeoutMs: 60_000 });
  const key = keyOn(client, a);
  leave(a);
  await client.get(key);
  b.pause();
  const controller = new AbortController();
  const error = errorOf(client.get(key, { signal: controller.signal }));
  const reason = new Error("not wanted any more");
  controller.abort(reason);
  expect(await error).toBe(reason);
  expect(c.log.requests.map(({ command }) => command)).not.toContain("get");
});

test("a server that is back has a tenth of its keys at first", async () => {
  const client = fleet.connect({ ...ejecting, rampUpMs: 3_600_000 });
  const keys = keysOn(client, a, 1000);
  leave(a);
  await client.get(keys[0]!);
  const returned = new Promise((resolve) => {
    client.on("health", ({ state }) => state === "returning" && resolve(state));
  });
  await a.listen();
  await returned;
  a.log.clear();
  await Promise.all(keys.map((key) => client.get(key)));
  const asked = a.log.requests.flatMap(({ command, keys }) => (command === "get" ? keys : []));
  const { state, remembered, rejoinFlushes, rejoinDeletions } = client.stats().get(a.address)!;
  expect([state, remembered, rejoinFlushes, rejoinDeletions]).toEqual(["returning", 0, 0, 0]);
  expect(asked.length).toBeGreaterThan(60);
  expect(asked.length).toBeLessThan(140);
});

describe("another list of servers", () => {
  test("is where the keys of a dead server go, too", async () => {
    const client = fleet.connect({
      failover: "rehash",
      behaviors: { ketama: true, failure_limit: 1 },
    });
    leave(a);
    const keys = keysOn(client, a, 50);
    for (const key of keys) expect(await client.set(key, "v")).toBe(true);
    expect(stateOf(client, a)).toBe("dead");
    client.setServers([a.address, c.address]);
    const moved = keys.filter((key) => client.serverFor(key).name === a.address);
    expect(moved.length).toBeGreaterThan(0);
    for (const key of moved) expect(await client.set(key, "again")).toBe(true);
    expect((await fleet.alone(c).getMulti(moved)).size).toBe(moved.length);
  });

  test("is not waited for by a server that left it, when the client is closed", async () => {
    const client = fleet.connect({ timeoutMs: 600_000 });
    const key = keyOn(client, a);
    await client.get(key);
    a.pause();
    const left = errorOf(client.get(key));
    await until(() => client.stats().get(a.address)?.inFlight === 1);
    client.setServers([b.address]);
    await client.close({ drainMs: 0 });
    expect(await left).toBeInstanceOf(ConnectionClosedError);
  });
});
