import { ConnectError, type PartialError, TimeoutError } from "tslibmc";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Memcached } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { Cluster, type Witness } from "./cluster.js";
import { timeline } from "./recorded.js";

let cluster: Cluster;
let b: Memcached;
let c: Memcached;

beforeAll(async () => {
  cluster = await Cluster.start(3);
  [, b, c] = cluster.servers as [Memcached, Memcached, Memcached];
});
afterEach(() => cluster.reset());
afterAll(() => cluster[Symbol.asyncDispose]());

/** What each server holds for a key, in their order. */
const everywhere = (key: string) =>
  Promise.all(cluster.servers.map((server) => cluster.held(server, key)));

describe.each(["text", "binary"] as const)("num_replicas over %s", (protocol) => {
  const replicated = (copies: number, options = {}): Witness =>
    cluster.connect({
      binary: protocol === "binary",
      behaviors: { num_replicas: copies },
      ...options,
    });

  test("set has written every copy when it resolves, and delete has ended every one", async () => {
    const witness = replicated(1);
    const { client } = witness;
    const key = witness.keyOn(b);
    expect(await client.set(key, "v")).toBe(true);
    expect(await everywhere(key)).toEqual([undefined, "v", "v"]);
    expect(await client.delete(key)).toBe(true);
    expect(await everywhere(key)).toEqual([undefined, undefined, undefined]);
    expect(await client.delete(key)).toBe(false);
    const last = witness.keyOn(c);
    await client.set(last, "around");
    expect(await everywhere(last)).toEqual(["around", undefined, "around"]);
  });

  test("more copies than servers are a copy on each", async () => {
    const witness = replicated(7);
    await witness.client.set("k", 1);
    expect(await everywhere("k")).toEqual([1, 1, 1]);
  });

  test("what depends on the item is decided by its own server, and the copies follow", async () => {
    const witness = replicated(1);
    const { client } = witness;
    const key = witness.keyOn(b);
    expect(await client.add(key, 1)).toBe(true);
    expect(await everywhere(key)).toEqual([undefined, 1, 1]);
    expect(await client.add(key, 2)).toBe(false);
    expect(await client.replace(key, 3)).toBe(true);
    expect(await everywhere(key)).toEqual([undefined, 3, 3]);
    const token = (await client.gets(key))?.cas ?? 0n;
    expect(await client.cas(key, 4, token)).toBe(true);
    expect(await client.cas(key, 5, token)).toBe(false);
    expect(await everywhere(key)).toEqual([undefined, 4, 4]);
    expect(await client.incr(key)).toBe(5);
    expect(await everywhere(key)).toEqual([undefined, 5, undefined]);
    await client.set(key, "a");
    expect(await client.append(key, "b")).toBe(true);
    expect(await everywhere(key)).toEqual([undefined, "ab", undefined]);
    await client.set(key, "b");
    expect(await client.prepend(key, "a")).toBe(true);
    expect(await everywhere(key)).toEqual([undefined, "ab", undefined]);
  });

  test("a read whose server is gone is answered by the next, and so are many", async () => {
    const witness = replicated(1);
    const { client } = witness;
    const keys = cluster.servers.flatMap((server) => witness.keysOn(server, 20));
    expect(await client.setMulti(keys.map((key) => [key, key] as const))).toEqual([]);
    await b.kill();
    for (const key of witness.keysOn(b, 20)) expect(await client.get(key)).toBe(key);
    const found = await client.getMulti(keys);
    expect(found.size).toBe(60);
    for (const [key, value] of found) expect(value).toBe(key);
    expect(await errorOf(client.gets(witness.keyOn(b)))).toBeInstanceOf(ConnectError);
    await c.kill();
    expect(await errorOf(client.get(witness.keyOn(b)))).toMatchObject({ server: c.address });
    const partial = await errorOf(client.getMulti(keys));
    expect((partial as PartialError<Map<string, string>>).results.size).toBe(40);
  });

  test("a value is stored as long as one server takes it; a deletion needs all", async () => {
    const witness = replicated(1);
    const { client } = witness;
    const key = witness.keyOn(b);
    await b.kill();
    expect(await client.set(key, "copy")).toBe(true);
    expect(await client.get(key)).toBe("copy");
    expect(await errorOf(client.delete(key))).toMatchObject({ server: b.address });
    expect(await errorOf(client.incr(key))).toMatchObject({ server: b.address });
    await c.kill();
    expect(await errorOf(client.set(key, "none"))).toMatchObject({ server: b.address });
  });

  test("a server that hangs costs a read its share of the time, and the next answers", async () => {
    const witness = replicated(1);
    const { client } = witness;
    const key = witness.keyOn(b);
    await client.set(key, "v");
    await b.pause();
    expect(await client.get(key, { timeoutMs: 4_000 })).toBe("v");
    await c.pause();
    expect(await errorOf(client.get(key, { timeoutMs: 600 }))).toBeInstanceOf(TimeoutError);
  });

  test("silent writes reach every copy", async () => {
    const witness = replicated(2);
    const { client } = witness;
    await client.set("silent", 1, { noreply: true });
    await client.flush();
    expect(await everywhere("silent")).toEqual([1, 1, 1]);
    await client.delete("silent", { noreply: true });
    await client.flush();
    expect(await everywhere("silent")).toEqual([undefined, undefined, undefined]);
  });

  test("a silent change that its own server refuses changes no copy", async () => {
    const witness = replicated(2);
    const { client } = witness;
    const silent = { noreply: true };
    await client.set("held", "v");
    const { cas = 0n } = (await client.gets("held")) ?? {};
    expect(await client.add("held", "added", silent)).toBe(true);
    expect(await client.replace("absent", "replaced", silent)).toBe(true);
    expect(await client.cas("held", "compared", cas + 99n, silent)).toBe(true);
    await client.flush();
    expect(await everywhere("held")).toEqual(["v", "v", "v"]);
    expect(await everywhere("absent")).toEqual([undefined, undefined, undefined]);

    expect(await client.add("absent", "added", silent)).toBe(true);
    expect(await client.replace("held", "replaced", silent)).toBe(true);
    await client.flush();
    expect(await everywhere("absent")).toEqual(["added", "added", "added"]);
    expect(await everywhere("held")).toEqual(["replaced", "replaced", "replaced"]);
  });

  test("a copy never gets back what was overwritten before its own server had decided", async () => {
    const { client } = replicated(2);
    await Promise.all([client.add("gone", "added"), client.delete("gone")]);
    expect(await everywhere("gone")).toEqual([undefined, undefined, undefined]);

    await client.set("kept", 0);
    await Promise.all([client.replace("kept", 1), client.set("kept", 2)]);
    expect(await everywhere("kept")).toEqual([2, 2, 2]);
    await Promise.all([client.replace("kept", 3), client.replace("kept", 4)]);
    expect(await everywhere("kept")).toEqual([4, 4, 4]);
    await Promise.all([client.replace("kept", 5), client.add("kept", 6)]);
    expect(await everywhere("kept")).toEqual([5, 5, 5]);
  });

  test("an aborted change leaves nothing behind that another would wait for", async () => {
    const { client } = replicated(1);
    const abort = new AbortController();
    const aborted = client.add("aborted", 1, { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toThrow("aborted");
    expect(await client.add("aborted", 2)).toBe(true);
    expect(await client.replace("aborted", 3)).toBe(true);
    const held = (await everywhere("aborted")).filter((value) => value !== undefined);
    expect(held).toEqual([3, 3]);
  });

  test("a miss is looked for among the copies only if that is asked for", async () => {
    const witness = replicated(1);
    const seeking = replicated(1, { readReplicas: "miss" }).client;
    const keys = witness.keysOn(b, 5);
    await witness.client.setMulti(keys.map((key) => [key, key] as const));
    await b.restart();
    const [key = ""] = keys;
    expect(await witness.client.get(key)).toBeUndefined();
    expect((await witness.client.getMulti(keys)).size).toBe(0);
    expect(await seeking.get(key)).toBe(key);
    expect((await seeking.getMulti([...keys, "none"])).size).toBe(5);
    expect(await seeking.get("none")).toBeUndefined();
  });
});

test("a touch lengthens the life of every copy", async () => {
  const witness = cluster.connect({ behaviors: { num_replicas: 2 } });
  const { client } = witness;
  const ttls = async () => {
    const all = cluster.servers.map(async ({ address }) => {
      const own = cluster.connect({}, [address]).client;
      return (await own.metaGet("k", { returnTtl: true }))?.ttl ?? 0;
    });
    return Promise.all(all);
  };
  await client.set("k", 1, 50);
  expect(await client.touch("k", 5000)).toBe(true);
  for (const ttl of await ttls()) expect(ttl).toBeGreaterThan(4000);
  expect(await client.getAndTouch("k", 50)).toBe(1);
  await until(async () => (await ttls()).every((ttl) => ttl <= 50));
  expect(await client.touch("none", 5)).toBe(false);
});

test("an item is given back to a server that restarted, with what is left of its time", async () => {
  const witness = cluster.connect({ behaviors: { num_replicas: 1 }, readRepair: true });
  const { client } = witness;
  const keys = witness.keysOn(b, 30);
  await client.setMulti(
    keys.map((key) => [key, { key }] as const),
    5000,
  );
  await b.restart();
  for (const key of keys) expect(await client.get(key)).toEqual({ key });
  await until(() => client.copyReads.repaired === keys.length);
  const own = cluster.connect({}, [b.address]).client;
  for (const key of keys) {
    const item = await own.metaGet(key, { returnTtl: true });
    expect(item?.value).toEqual({ key });
    expect(item?.ttl).toBeGreaterThan(4900);
    expect(item?.ttl).toBeLessThanOrEqual(5000);
  }
});

test("reads go on while one server after the other freezes, asked twice where that helps", async () => {
  const witness = cluster.connect({
    behaviors: { num_replicas: 1, failure_limit: 3 },
    hedge: { minDelayMs: 20, maxShare: 1 },
  });
  const { client } = witness;
  const keys = cluster.servers.flatMap((server) => witness.keysOn(server, 20));
  await client.setMulti(keys.map((key) => [key, key] as const));
  for (let i = 0; i < 3; i++) for (const key of keys) await client.get(key);
  for (const server of cluster.servers) {
    await server.pause();
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
    expect((await client.getMulti(keys)).size).toBe(60);
    server.resume();
    await witness.sees(server, "up");
    await client.version();
  }
  expect(client.copyReads.hedgesWon).toBeGreaterThan(0);
});

test("a value that its own server refuses is refused", async () => {
  const witness = cluster.connect({ behaviors: { num_replicas: 1 }, maxValueSize: 1e8 });
  const error = await errorOf(witness.client.set("k", "x".repeat(2 << 20), { compress: false }));
  expect(error).toMatchObject({ code: "ERR_MEMCACHED_VALUE_TOO_LARGE" });
});

test("copies are where libmemcached reads them", async () => {
  const { keys, home, victim, steps } = timeline("replicas/binary/killed");
  const read = steps[2]?.ops.find(
    ({ op, key }) => op === "get" && home[keys.indexOf(key)] === victim,
  );
  if (read === undefined) throw new Error("Nothing was read from a copy");
  const witness = cluster.connect({ behaviors: { num_replicas: 1 } });
  await witness.client.set(read.key, "v");
  const holders = (await everywhere(read.key)).flatMap((value, i) => (value === "v" ? [i] : []));
  expect(holders).toEqual([victim, ...read.received_by]);
});
