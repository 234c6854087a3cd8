import { ClientErrorReply } from "tslibmc";
import type { MemcachedServer } from "tslibmc/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { Fleet, keyOn } from "./fleet.js";

/** Changes to items that are on several servers: whose answer counts. */

let fleet: Fleet;
let a: MemcachedServer;
let b: MemcachedServer;

beforeAll(async () => {
  fleet = await Fleet.start(2);
  [a, b] = fleet.servers as [MemcachedServer, MemcachedServer];
});
afterEach(() => fleet.reset());
afterAll(() => fleet[Symbol.asyncDispose]());

const copied = { behaviors: { num_replicas: 1 } };

test("what a meta command asks for is told by the item's own server, and the copies follow", async () => {
  const client = fleet.connect(copied);
  const key = keyOn(client, a);
  await fleet.alone(a).set("another", "makes its tokens differ");
  const stored = await client.metaSet(key, "v", { returnCas: true });
  expect(stored.status).toBe("stored");
  expect(stored.cas).toBe((await fleet.alone(a).gets(key))?.cas);
  expect(await fleet.everywhere(key)).toEqual(["v", "v"]);
  const touched = await client.metaGet(key, { value: false, touch: 100, returnTtl: true });
  expect(touched?.ttl).toBeGreaterThan(90);
  expect(await client.metaDelete(key, { invalidate: true })).toEqual({ status: "deleted" });
  expect((await fleet.alone(a).metaGet(key))?.stale).toBe(true);
  expect((await fleet.everywhere(key))[1]).toBeUndefined();
});

test("what its own server refuses is refused, although the copy was written", async () => {
  const client = fleet.connect(copied);
  const key = keyOn(client, a);
  a.faults.add({ on: { command: "set" }, do: { kind: "answer", bytes: "CLIENT_ERROR no\r\n" } });
  expect(await errorOf(client.set(key, "v"))).toBeInstanceOf(ClientErrorReply);
});

test("an item that only its own server has is the one that is looked into", async () => {
  const client = fleet.connect(copied);
  const key = keyOn(client, a);
  await fleet.alone(a).set(key, "v");
  expect(await client.metaDebug(key)).toBeDefined();
});

test.each(["add", "replace", "cas"] as const)(
  "flush waits until the copies have followed a silent %s that nobody awaited",
  async (call) => {
    const client = fleet.connect(copied);
    const key = keyOn(client, a);
    if (call !== "add") await client.set(key, 1);
    const { cas = 0n } = (await client.gets(key)) ?? {};
    await client.version();
    a.pause();
    const silent = { noreply: true };
    void (call === "cas" ? client.cas(key, 2, cas, silent) : client[call](key, 2, silent));
    let isFlushed = false;
    const flushed = client.flush().then(() => {
      isFlushed = true;
    });
    const underWay = (server: MemcachedServer) => client.stats().get(server.address)?.inFlight;
    await until(() => underWay(a) === 2 && underWay(b) === 0);
    b.pause();
    a.resume();
    await until(() => isFlushed || underWay(b) === 1);
    expect(isFlushed).toBe(false);
    b.resume();
    await flushed;
    expect(await fleet.everywhere(key)).toEqual([2, 2]);
  },
);
