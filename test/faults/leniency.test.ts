import { Client, ConnectError, KeyError, NoServerError, OptionError, TimeoutError } from "tslibmc";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Memcached } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { Cluster } from "./cluster.js";

let cluster: Cluster;
let b: Memcached;

beforeAll(async () => {
  cluster = await Cluster.start(2);
  b = cluster.servers[1]!;
});
afterEach(() => cluster.reset());
afterAll(() => cluster[Symbol.asyncDispose]());

test("what a lost server would have answered is a miss, with an event and a count", async () => {
  const witness = cluster.connect({ onError: "miss" });
  const { client } = witness;
  const masked: { command: string; error: unknown }[] = [];
  client.on("masked", (event) => masked.push(event));
  const keys = cluster.servers.flatMap((server) => witness.keysOn(server, 10));
  const key = witness.keyOn(b);
  await client.setMulti(keys.map((each) => [each, each] as const));
  expect(client.masked).toBe(0);
  await b.kill();

  expect(await client.get(key)).toBeUndefined();
  expect(await client.gets(key)).toBeUndefined();
  expect(await client.set(key, 1)).toBe(false);
  expect(await client.add(key, 1)).toBe(false);
  expect(await client.touch(key, 5)).toBe(false);
  expect(await client.has(key)).toBe(false);
  expect(masked.map(({ command }) => command)).toEqual([
    "get",
    "gets",
    "set",
    "add",
    "touch",
    "has",
  ]);
  for (const { error } of masked) expect(error).toBeInstanceOf(ConnectError);
  expect(client.masked).toBe(6);

  expect((await client.getMulti(keys)).size).toBe(10);
  expect((await client.setMulti(keys.map((each) => [each, 1] as const))).sort()).toEqual(
    witness.keysOn(b, 10).sort(),
  );
});

test("deleting, counting and calls to all servers still fail", async () => {
  const witness = cluster.connect({ onError: "miss" });
  const { client } = witness;
  const key = witness.keyOn(b);
  await b.kill();
  await client.get(key);
  expect(await errorOf(client.delete(key))).toBeInstanceOf(ConnectError);
  expect(await errorOf(client.incr(key))).toBeInstanceOf(ConnectError);
  expect(await errorOf(client.version())).toMatchObject({ code: "ERR_MEMCACHED_PARTIAL" });
});

test("a program's own mistakes, aborts and values that cannot be read still fail", async () => {
  const witness = cluster.connect({ onError: "miss" });
  const { client } = witness;
  const key = witness.keyOn(b);
  expect(await errorOf(client.get("a b"))).toBeInstanceOf(KeyError);
  await client.set(key, new Uint8Array([1, 2, 3]), { flags: 8 });
  expect(await errorOf(client.get(key))).toMatchObject({ code: "ERR_MEMCACHED_CODEC" });
  await b.pause();
  const controller = new AbortController();
  const aborted = errorOf(client.get(key, { signal: controller.signal }));
  controller.abort("enough");
  expect(await aborted).toBe("enough");
  const masked: unknown[] = [];
  client.on("masked", ({ error }) => masked.push(error));
  expect(await client.get(key, { timeoutMs: 100 })).toBeUndefined();
  expect(masked[0]).toBeInstanceOf(TimeoutError);
});

test("a failover goes first, and what even that cannot save is a miss", async () => {
  const witness = cluster.connect({
    onError: "miss",
    failover: "next",
    behaviors: { failure_limit: 1 },
  });
  const { client } = witness;
  const masked: unknown[] = [];
  client.on("masked", ({ error }) => masked.push(error));
  const key = witness.keyOn(b);
  await b.kill();
  expect(await client.set(key, 1)).toBe(true);
  expect(await client.get(key)).toBe(1);
  expect((await client.getMulti(witness.keysOn(b, 5))).size).toBe(1);
  expect(masked).toEqual([]);
  await cluster.servers[0]!.kill();
  expect(await client.get(key)).toBeUndefined();
  expect(await client.get(key)).toBeUndefined();
  expect(masked.at(-1)).toBeInstanceOf(NoServerError);
});

test("replicas go first too", async () => {
  const witness = cluster.connect({ onError: "miss", behaviors: { num_replicas: 1 } });
  const { client } = witness;
  await client.set("k", 1);
  await b.kill();
  expect(await client.get("k")).toBe(1);
  expect(client.masked).toBe(0);
  await cluster.servers[0]!.kill();
  expect(await client.get("k")).toBeUndefined();
  expect(client.masked).toBe(1);
});

test("other words are refused", () => {
  expect(() => new Client("h", { onError: "ignore" as "miss" })).toThrow(OptionError);
  expect(() => new Client("h", { readReplicas: "never" as "miss" })).toThrow(OptionError);
});
