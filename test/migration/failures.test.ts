import { Client, type MemcachedError, PartialError, TimeoutError } from "tslibmc";
import { Migration } from "tslibmc/migration";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { FaultProxy } from "../support/faultproxy.js";
import { startMemcached } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { Clusters } from "./clusters.js";

let clusters: Clusters;

beforeAll(async () => {
  clusters = await Clusters.start();
});
afterEach(() => clusters.reset());
afterAll(() => clusters[Symbol.asyncDispose]());

const KEYS = Array.from({ length: 20 }, (_, i) => `key:${i}`);

const kill = (which: "old" | "new") => Promise.all(clusters[which].map((server) => server.kill()));

/** The first of the old cluster's servers, and keys on it and on the other. */
const split = (migration: Migration) => {
  const [server] = clusters.old;
  const isOn = (key: string) => migration.from.serverFor(key).name === server!.address;
  return {
    server: server!,
    on: KEYS.filter((key) => isOn(key)),
    off: KEYS.filter((key) => !isOn(key)),
  };
};

describe("the old cluster is killed in the middle", () => {
  test("what the new one has is served, what it lacks is a miss, and failures are told", async () => {
    const migration = clusters.migrate();
    const told: string[] = [];
    migration.on("failure", ({ cluster, command }) => told.push(`${cluster} ${command}`));
    await clusters.plainOld().setMulti(KEYS.map((key) => [key, "old"] as const));
    expect((await migration.getMulti(KEYS.slice(0, 10))).size).toBe(10);
    await until(() => migration.progress().warmed === 10);
    await kill("old");
    expect((await migration.getMulti(KEYS)).size).toBe(10);
    expect(await migration.get(KEYS[19]!)).toBeUndefined();
    expect(await migration.set("k", 1)).toBe(true);
    expect(await migration.incr("k")).toBe(2);
    expect(await migration.incr("n", 1, { initial: 5 })).toBe(5);
    expect(await migration.setMulti({ a: 1, b: 2 })).toEqual([]);
    expect(await migration.get("k")).toBe(2);
    expect(await migration.add("k", 3)).toBe(false);
    expect(told).toContain("old getMulti");
    expect(migration.progress().failures).toBe(told.length);
    expect(migration.progress().owed).toBe(4);
  });

  test("a deletion fails, unless it is not to be so strict, and is made up for", async () => {
    const migration = clusters.migrate();
    await migration.set("k", 1);
    await kill("old");
    const error = await errorOf(migration.delete("k"));
    expect(error).toMatchObject({ code: "ERR_MEMCACHED_CONNECT" });
    expect(await errorOf(migration.deleteMulti(["k", "l"]))).toBeInstanceOf(PartialError);
    expect(await migration.get("k")).toBeUndefined();
    migration.strict = "none";
    await migration.set("l", 1);
    expect(await migration.delete("l")).toBe(true);
    expect(await migration.deleteMulti(["l"])).toEqual(["l"]);
    expect(migration.progress().owed).toBe(2);
    for (const server of clusters.old) await server.start();
    await until(() => migration.progress().owed === 0);
  });

  test("whoever wants to know is told", async () => {
    const migration = clusters.migrate({ strict: "writes" });
    await kill("old");
    const codes = async (calls: (() => Promise<unknown>)[]) =>
      Promise.all(calls.map(async (call) => ((await errorOf(call())) as MemcachedError)?.code));
    const writes = [
      () => migration.set("k", 1),
      () => migration.incr("k", 1, { initial: 1 }),
      () => migration.cas("k", 1, 1n),
    ];
    expect(await codes(writes)).toEqual(writes.map(() => "ERR_MEMCACHED_CONNECT"));
    expect(await migration.to.get("k")).toBeUndefined(); // nothing was stored
    expect(await migration.get("k")).toBeUndefined();
    migration.strict = "all";
    expect(await codes([() => migration.get("l"), () => migration.getMulti(["l"])])).toEqual([
      "ERR_MEMCACHED_CONNECT",
      "ERR_MEMCACHED_PARTIAL",
    ]);
  });
});

describe("a server of the old cluster hangs", () => {
  test("it costs its own keys one short time, and then none", async () => {
    const migration = clusters.migrate({ otherTimeoutMs: 500 });
    const { server, on, off } = split(migration);
    await clusters.plainOld().setMulti(KEYS.map((key) => [key, "old"] as const));
    await server.pause();
    const found = await migration.getMulti(KEYS);
    expect([...found.keys()].sort()).toEqual([...off].sort());
    // Time that the machine left this process without a processor is not the server's.
    await until(async () => {
      if (migration.from.stats().get(server.address)?.state !== "up") return true;
      await migration.getMulti(on);
      return false;
    });
    const failures = migration.progress().failures;
    expect(failures).toBeGreaterThan(0);
    for (const key of on) expect(await migration.get(key)).toBeUndefined();
    expect(migration.progress().failures).toBe(failures); // nobody was asked again
    server.resume();
    await until(async () => (await migration.get(on[0]!)) === "old");
  });

  test("what it was not told is not read there when it is back", async () => {
    const migration = clusters.migrate({ otherTimeoutMs: 500, strict: "none" });
    const { server, on } = split(migration);
    const old = clusters.plainOld();
    await old.setMulti(KEYS.map((key) => [key, "outdated"] as const));
    await server.pause();
    for (const key of on) expect(await migration.set(key, "new")).toBe(true);
    for (const key of on) expect(await migration.delete(key)).toBe(true);
    expect(migration.progress().owed).toBe(on.length);
    server.resume();
    const read: unknown[] = [];
    await until(async () => {
      read.push(...(await migration.getMulti(on)).values());
      return migration.progress().owed === 0;
    });
    expect(read).toEqual([]);
    expect((await old.getMulti(on)).size).toBe(0);
  });
});

describe("the new cluster", () => {
  test("decides: what it fails with the call fails with, and the rest is told", async () => {
    const migration = clusters.migrate();
    await clusters.plainOld().setMulti(KEYS.map((key) => [key, "old"] as const));
    await clusters.new[0]!.pause();
    const isOn = (key: string) => migration.to.serverFor(key).name === clusters.new[0]!.address;
    const error = await errorOf(migration.getMulti(KEYS, { timeoutMs: 6000 }));
    expect(error).toBeInstanceOf(PartialError);
    const { results, errors } = error as PartialError<Map<string, unknown>>;
    expect([...errors.keys()]).toEqual([clusters.new[0]!.address]);
    expect([...results.keys()].sort()).toEqual(KEYS.filter((key) => !isOn(key)).sort());
    const key = KEYS.find(isOn)!;
    const briefly = { timeoutMs: 500 };
    expect(await errorOf(migration.set(key, 1, briefly))).toBeInstanceOf(TimeoutError);
    expect(await errorOf(migration.get(key, briefly))).toBeInstanceOf(TimeoutError);
  });

  test("leaves time for the old one where one of its servers takes all that it may", async () => {
    await using slow = await FaultProxy.start(clusters.old[0]!, Math.random);
    await using migration = new Migration(
      {
        from: new Client(slow.address, { timeoutMs: 5000 }),
        to: new Client(clusters.new.map(({ address }) => address)),
      },
      { otherTimeoutMs: 10_000 },
    );
    await migration.from.setMulti(KEYS.map((key) => [key, "old"] as const));
    slow.delayMs = 100;
    await clusters.new[0]!.pause();
    const isOn = (key: string) => migration.to.serverFor(key).name === clusters.new[0]!.address;
    const error = await errorOf(migration.getMulti(KEYS, { timeoutMs: 8000 }));
    const { results } = error as PartialError<Map<string, unknown>>;
    expect([...results.keys()].sort()).toEqual(KEYS.filter((key) => !isOn(key)).sort());
  });

  test("does not hurt as long as the old one decides", async () => {
    const migration = clusters.migrate({ reads: "old" });
    await kill("new");
    expect(await migration.set("k", 1)).toBe(true);
    expect(await migration.setMulti({ k: 2 })).toEqual([]);
    expect(await migration.get("k")).toBe(2);
    expect(await errorOf(migration.delete("k"))).toMatchObject({ code: "ERR_MEMCACHED_CONNECT" });
    expect(await migration.get("k")).toBeUndefined();
  });

  test("without cas tokens nothing is brought over, and what is there is served", async () => {
    await using server = await startMemcached({ args: ["-C"] });
    await using migration = new Migration({
      from: new Client(
        clusters.old.map(({ address }) => address),
        { timeoutMs: 10_000 },
      ),
      to: new Client(server.address, { timeoutMs: 10_000 }),
    });
    await migration.from.set("k", "v");
    const told = new Promise((resolve) => migration.on("failure", resolve));
    expect(await migration.get("k")).toBe("v");
    expect(await told).toMatchObject({ error: { code: "ERR_MEMCACHED_NOT_SUPPORTED" } });
    expect(await errorOf(migration.incr("k"))).toMatchObject({
      code: "ERR_MEMCACHED_NOT_SUPPORTED",
    });
    expect(await migration.set("k", "w")).toBe(true);
    expect(await migration.get("k")).toBe("w");
  });
});
