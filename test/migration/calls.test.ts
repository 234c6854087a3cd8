import { ArgumentError, Client, NotSupportedError, OptionError } from "tslibmc";
import { Migration, type MigrationOptions } from "tslibmc/migration";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { Clusters } from "./clusters.js";

let clusters: Clusters;

beforeAll(async () => {
  clusters = await Clusters.start();
});
afterEach(() => clusters.reset());
afterAll(() => clusters[Symbol.asyncDispose]());

describe("reading", () => {
  test("finds what only the old cluster has, and brings it over", async () => {
    const [old, fresh, migration] = [
      clusters.plainOld(),
      clusters.plainNew(),
      clusters.migrate({ reads: "both" }),
    ];
    await old.set("k", { a: [1] });
    expect(await migration.get("k")).toEqual({ a: [1] });
    await until(() => migration.progress().warmed === 1);
    expect(await fresh.get("k")).toEqual({ a: [1] });
    expect(await old.get("k")).toEqual({ a: [1] }); // for the way back
    await old.delete("k");
    expect(await migration.get("k")).toEqual({ a: [1] });
    expect(await migration.get("none")).toBeUndefined();
    expect(migration.progress()).toMatchObject({ new: 1, old: 1, missed: 1, failures: 0 });
    expect(migration.progress().lastMinute).toMatchObject({ new: 1, old: 1, share: 0.5 });
  });

  test("what is brought over lives as long as it would have", async () => {
    const [old, fresh, migration] = [
      clusters.plainOld(),
      clusters.plainNew(),
      clusters.migrate({ ttl: 7 }),
    ];
    await old.set("minute", 1, { ttl: 600 });
    await old.set("ever", 1);
    await migration.getMulti(["minute", "ever"]);
    await until(() => migration.progress().warmed === 2);
    const item = async (key: string) => (await fresh.metaGet(key, { returnTtl: true }))?.ttl;
    expect(await item("minute")).toBeGreaterThan(590);
    expect(await item("minute")).toBeLessThanOrEqual(600);
    expect(await item("ever")).toBe(-1);
  });

  test("a cluster that cannot tell has the option's ttl", async () => {
    const binary = { binary: true };
    const migration = clusters.migrate({ ttl: 7 }, binary);
    await clusters.plainOld().set("k", "v");
    expect(await migration.get("k")).toBe("v");
    await until(() => migration.progress().warmed === 1);
    const ttl = (await clusters.plainNew().metaGet("k", { returnTtl: true }))?.ttl;
    expect(ttl).toBeGreaterThan(4);
    expect(ttl).toBeLessThanOrEqual(7);
  });

  test("many keys come from both", async () => {
    const [old, migration] = [clusters.plainOld(), clusters.migrate()];
    await migration.setMulti({ a: 1, b: 2 });
    await old.setMulti({ c: 3, d: 4 });
    const found = await migration.getMulti(["a", "c", "x", "b", "d", "a"]);
    expect(found).toEqual(new Map(Object.entries({ a: 1, b: 2, c: 3, d: 4 })));
    expect(migration.progress()).toMatchObject({ new: 2, old: 2, missed: 1 });
    await until(() => migration.progress().warmed === 2);
    expect(await migration.getMulti(["c", "d"])).toHaveLength(2);
    expect(migration.progress()).toMatchObject({ new: 4, old: 2 });
  });

  test("by the server of their group in both", async () => {
    const [old, fresh] = [clusters.plainOld(), clusters.plainNew()];
    const migration = clusters.migrate({ reads: "both" });
    const groups = Array.from({ length: 8 }, (_, i) => `group:${i}`);
    for (const groupKey of groups) await old.set(`${groupKey}k`, groupKey, { groupKey });
    for (const groupKey of groups) {
      expect(await migration.get(`${groupKey}k`, { groupKey })).toBe(groupKey);
    }
    await until(() => migration.progress().warmed === groups.length);
    for (const groupKey of groups) {
      expect(await fresh.get(`${groupKey}k`, { groupKey })).toBe(groupKey);
    }
  });

  test("from another namespace, codec, wire and compression", async () => {
    const from = {
      keyPrefix: "v1:",
      codec: "python-memcached",
      placement: "python-memcached",
    } as const;
    const to = { binary: true, keyPrefix: "v2:", codec: "pylibmc", compress: true } as const;
    const migration = clusters.migrate({}, from, to);
    const values = { text: "é".repeat(5000), bytes: new Uint8Array([0, 255]), n: 5 };
    const [old, fresh] = [clusters.plainOld(from), clusters.plainNew(to)];
    await old.setMulti(values);
    const found = await migration.getMulti(Object.keys(values));
    await until(() => migration.progress().warmed === 3);
    for (const [key, value] of found) expect(await fresh.get(key)).toEqual(value);
    expect(found.get("text")).toBe(values.text);
    expect(found.get("n")).toBe(5);
  });

  test("big values, in chunks too", async () => {
    const chunk = { chunk: { maxSize: 8_000_000 } };
    const migration = clusters.migrate({}, chunk, chunk);
    const value = Buffer.alloc(3_000_000, "tslibmc ");
    await clusters.plainOld(chunk).set("big", value);
    expect(value.equals((await migration.get<Buffer>("big"))!)).toBe(true);
    await until(() => migration.progress().warmed === 1);
    expect(value.equals((await clusters.plainNew(chunk).get<Buffer>("big"))!)).toBe(true);
  });

  test("a value that the new cluster does not take is still read, and counted", async () => {
    const migration = clusters.migrate({}, {}, { maxValueSize: 100 });
    const failures: string[] = [];
    migration.on("failure", ({ cluster, error }) => failures.push(`${cluster} ${error.code}`));
    await clusters.plainOld().set("k", "x".repeat(500));
    expect(await migration.get("k")).toBe("x".repeat(500));
    await until(() => failures.length > 0);
    expect(failures).toEqual(["new ERR_MEMCACHED_VALUE_TOO_LARGE"]);
    expect(await migration.get("k")).toBe("x".repeat(500));
  });
});

describe.each(["old", "both", "new"] as const)("with reads: %s", (reads) => {
  const begin = () => clusters.migrate({ reads });
  const holder = () => (reads === "old" ? clusters.plainOld() : clusters.plainNew());
  const loser = () => (reads === "old" ? clusters.plainNew() : clusters.plainOld());

  test("set stores in one cluster and deletes in the other", async () => {
    const migration = begin();
    await loser().set("k", "before");
    expect(await migration.set("k", "after", 60)).toBe(true);
    expect(await holder().get("k")).toBe("after");
    expect(await loser().get("k")).toBeUndefined();
    expect(await migration.get("k")).toBe("after");
    expect(await migration.setMulti([["k", 1] as const, ["l", 2] as const])).toEqual([]);
    expect(await migration.getMulti(["k", "l"])).toEqual(new Map(Object.entries({ k: 1, l: 2 })));
  });

  test("delete tells both", async () => {
    const migration = begin();
    const [old, fresh] = [clusters.plainOld(), clusters.plainNew()];
    await old.setMulti({ a: 1, b: 1 });
    await fresh.setMulti({ b: 1, c: 1 });
    expect(await migration.delete("a")).toBe(true);
    expect(await migration.deleteMulti(["b", "c", "d"])).toEqual(["d"]);
    expect(await migration.delete("a")).toBe(false);
    expect(await old.getMulti(["a", "b", "c"])).toEqual(new Map());
    expect(await fresh.getMulti(["a", "b", "c"])).toEqual(new Map());
  });

  test("the calls that depend on an item", async () => {
    const migration = begin();
    expect(await migration.replace("k", "no")).toBe(false);
    expect(await migration.append("k", "no")).toBe(false);
    expect(await migration.touch("k", 60)).toBe(false);
    expect(await migration.incr("n")).toBeUndefined();
    expect(await migration.getAndTouch("k", 60)).toBeUndefined();
    expect(await migration.gets("k")).toBeUndefined();
    expect(await migration.has("k")).toBe(false);

    expect(await migration.add("k", "b")).toBe(true);
    expect(await migration.add("k", "c")).toBe(false);
    expect(await migration.append("k", "c")).toBe(true);
    expect(await migration.prepend("k", "a")).toBe(true);
    expect(await migration.get("k")).toBe("abc");
    expect(await migration.has("k")).toBe(true);
    expect(await migration.replace("k", "d", 100)).toBe(true);
    const item = await migration.gets("k");
    expect(item?.value).toBe("d");
    expect(await migration.cas("k", "e", item?.cas ?? 0n)).toBe(true);
    expect(await migration.cas("k", "f", item?.cas ?? 0n)).toBe(false);
    expect(await migration.getAndTouch("k", 100)).toBe("e");
    expect((await migration.getsAndTouch("k", 100))?.value).toBe("e");
    expect(await migration.touchMulti(["k", "none"], 200)).toEqual(["none"]);

    expect(await migration.incr("n", 2, { initial: 40 })).toBe(40);
    expect(await migration.incr("n", 2n)).toBe(42n);
    expect(await migration.decr("n")).toBe(41);
    expect(await migration.incrMulti(["n", "m"])).toEqual(new Map([["n", 42]]));
    expect(await migration.decrMulti(new Map([["n", 2]]))).toEqual(new Map([["n", 40]]));
    expect(await migration.addMulti({ n: 1, o: 2 })).toEqual(["n"]);
    expect((await migration.getsMulti(["n", "o"])).size).toBe(2);
    expect((await errorOf(migration.incr("k"))) as Error).toMatchObject({
      code: "ERR_MEMCACHED_CLIENT_ERROR",
    });
    expect(await loser().getMulti(["k", "n", "o"])).toEqual(new Map());
    expect(await migration.flushAll()).toBe(true);
    expect(await migration.get("k")).toBeUndefined();
  });
});

describe("what the old cluster has is carried on", () => {
  const counts: [string, (migration: Migration) => Promise<unknown>, unknown][] = [
    ["incr", (migration) => migration.incr("n", 1, { initial: 1 }), 8],
    ["decr", (migration) => migration.decr("n"), 6],
    ["append", (migration) => migration.append("n", "0"), 70],
    ["prepend", (migration) => migration.prepend("n", "1"), 17],
    ["replace", (migration) => migration.replace("n", 5), 5],
    ["touch", (migration) => migration.touch("n", 100), 7],
    ["getAndTouch", (migration) => migration.getAndTouch("n", 100), 7],
    ["gets and cas", (migration) => casOf(migration), 9],
  ];
  const casOf = async (migration: Migration) => {
    const item = await migration.gets("n");
    return migration.cas("n", 9, item!.cas);
  };

  test.each(counts)("by %s", async (name, act, result) => {
    const [old, fresh, migration] = [clusters.plainOld(), clusters.plainNew(), clusters.migrate()];
    await old.set("n", 7, 500);
    expect([true, result]).toContain(await act(migration));
    expect(await fresh.get("n")).toBe(result);
    await migration.close();
    expect(await old.get("n"), name).toBeUndefined();
  });

  test("add finds it taken, and gets of many finds all", async () => {
    const [old, migration] = [clusters.plainOld(), clusters.migrate()];
    await old.setMulti({ a: 1, b: 2 });
    expect(await migration.add("a", 3)).toBe(false);
    expect(await migration.get("a")).toBe(1);
    const found = await migration.getsMulti(["a", "b", "c"]);
    expect([...found].map(([key, { value }]) => [key, value])).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
  });
});

test("there is a way back at any time", async () => {
  const [old, migration] = [clusters.plainOld(), clusters.migrate({ reads: "old" })];
  await migration.setMulti({ a: 1, b: 1, c: 1, d: 1 });
  migration.reads = "both";
  expect((await migration.getMulti(["a", "b", "c", "d"])).size).toBe(4);
  await migration.set("b", 2);
  await migration.delete("c");
  await migration.incr("d");
  migration.reads = "old";
  expect(await migration.getMulti(["a", "b", "c", "d"])).toEqual(new Map([["a", 1]]));
  await migration.setMulti({ a: 3, b: 3 });
  migration.reads = "both";
  expect(await migration.getMulti(["a", "b", "c"])).toEqual(
    new Map(Object.entries({ a: 3, b: 3 })),
  );
  migration.reads = "new";
  await until(async () => (await migration.getMulti(["a", "b"])).size === 2);
  await migration.close();
  expect(await old.get("c")).toBeUndefined();
});

test("progress is told, and nothing keeps the process alive", async () => {
  const migration = clusters.migrate({ progressIntervalMs: 5 });
  const told = await new Promise((resolve) => migration.on("progress", resolve));
  expect(told).toEqual(migration.progress());
  expect(told).toMatchObject({ reads: "both", owed: 0, trusted: true });
});

test("wrong arguments are refused before anything is sent", async () => {
  const { old } = clusters;
  const client = (index: number, keyPrefix = "") => new Client(old[index]!.address, { keyPrefix });
  const refused: [MigrationOptions | object, RegExp][] = [
    [{ reads: "everything" }, /"old", "both" or "new"/],
    [{ strict: true }, /"none", "deletes", "writes" or "all"/],
    [{ ttl: -1 }, /ttl/],
    [{ otherTimeoutMs: 0 }, /otherTimeoutMs/],
    [{ progressIntervalMs: "1" }, /progressIntervalMs/],
    [{ read: "old" }, /did you mean "reads"/],
  ];
  for (const [options, message] of refused) {
    expect(() => new Migration({ from: client(0), to: client(1) }, options)).toThrow(message);
  }
  expect(() => new Migration({ from: client(0), to: client(0) })).toThrow(/keyPrefix/);
  for (const no of [undefined, {}] as unknown as Client[]) {
    expect(() => new Migration({ from: client(0), to: no })).toThrow(ArgumentError);
    expect(() => new Migration({ from: no, to: client(0) })).toThrow(ArgumentError);
  }
  await new Migration({ from: client(0), to: client(0, "new:") }).close();

  const migration = clusters.migrate();
  await migration.from.set("k", 1);
  const wrong = { ttl: 5, tll: 5 };
  const error = (await errorOf(migration.set("k", 2, wrong))) as OptionError;
  expect(error.message).toMatch(/did you mean "ttl"/);
  expect(await errorOf(migration.get("a b"))).toMatchObject({ code: "ERR_MEMCACHED_KEY" });
  expect(await errorOf(migration.metaGet())).toBeInstanceOf(NotSupportedError);
  for (const call of ["metaSet", "metaDelete", "metaArithmetic", "metaDebug"] as const) {
    expect(await errorOf(migration[call]())).toMatchObject({ command: call });
  }
  expect(() => Object.assign(migration, { reads: "nowhere" })).toThrow(/reads/);
  expect(() => Object.assign(migration, { strict: "a bit" })).toThrow(/strict/);
  expect(await migration.get("k")).toBe(1);
});

test.each(["old", "both", "new"] as const)(
  "wrong options of what stores end the key nowhere, at the step %s",
  async (reads) => {
    const migration = clusters.migrate({ reads });
    for (const client of [migration.from, migration.to]) await client.set("k", 1);
    for (const wrong of [{ ttl: 1.5 }, { flags: -1 }, { compress: 5 as never }]) {
      const calls = [
        migration.set("k", 2, wrong),
        migration.setMulti({ k: 2 }, wrong),
        migration.cas("k", 2, 1n, wrong),
        migration.add("k", 2, wrong),
        migration.replace("k", 2, wrong),
      ];
      for (const call of calls) expect(await errorOf(call)).toBeInstanceOf(OptionError);
    }
    for (const client of [migration.from, migration.to]) expect(await client.get("k")).toBe(1);
  },
);

test("wrong arguments of a call on many keys are no server's failure, and change no key", async () => {
  const migration = clusters.migrate();
  await migration.to.set("n", 1);
  const wrong = { bogus: 1 } as object;
  const calls = [
    () => migration.addMulti({ "a b": 1, free: 2 }),
    () => migration.addMulti({ free: 2 }, wrong),
    () => migration.addMulti({}, wrong),
    () => migration.addMulti({ free: 2 }, { ttl: Number.NaN }),
    () => migration.touchMulti(["n"], Number.NaN),
    () => migration.touchMulti([], 1, wrong),
    () => migration.incrMulti(["n"], -1),
    () => migration.decrMulti([], 1, wrong),
  ];
  for (const call of calls) expect(await errorOf(call())).toBeInstanceOf(ArgumentError);
  expect(await migration.getMulti(["n", "free"])).toEqual(new Map([["n", 1]]));
});

test("silent calls are answered, those that touch as well", async () => {
  const migration = clusters.migrate();
  await migration.set("k", 1, { noreply: true });
  expect(await migration.touch("k", 100, { noreply: true })).toBe(true);
  expect(await migration.touchMulti(["k", "none"], 100, { noreply: true })).toEqual(["none"]);
});

test("options of close that are none close nothing", async () => {
  const migration = clusters.migrate();
  const drain = { drain: 5 } as object;
  expect(await errorOf(migration.close(drain))).toBeInstanceOf(OptionError);
  expect(migration.closed).toBe(false);
  expect(await migration.set("k", 1)).toBe(true);
});

test("a single key in the place of many is refused, and does nothing to its characters", async () => {
  const migration = clusters.migrate({ reads: "both" });
  await migration.set("a", 1);
  const one: Iterable<string> & object = "ab" as never;
  const calls = [
    migration.deleteMulti(one),
    migration.touchMulti(one, 60),
    migration.incrMulti(one),
    migration.decrMulti(one),
    migration.getMulti(one),
    migration.getsMulti(one),
  ];
  for (const call of calls) expect(await errorOf(call)).toBeInstanceOf(ArgumentError);
  expect(await migration.get("a")).toBe(1);
});

test("a key that is given twice counts once, as in a client", async () => {
  const migration = clusters.migrate({ reads: "both" });
  const client = clusters.plainOld();
  const twice = ["n", Buffer.from("n")];
  for (const each of [migration, client]) {
    await each.set("n", 1);
    expect(await each.incrMulti(twice)).toEqual(new Map([["n", 2]]));
    expect(await each.touchMulti(["none", Buffer.from("none")], 60)).toEqual(["none"]);
    expect(await each.deleteMulti(twice)).toEqual([]);
    expect(await each.deleteMulti(twice)).toEqual(["n"]);
  }
});

test("a key that the old cluster cannot hold is not there", async () => {
  const migration = clusters.migrate({ strict: "all" }, { keyPrefix: "p".repeat(100) });
  const long = "k".repeat(200);
  await migration.from.set("short", 1);
  expect(await migration.get(long)).toBeUndefined();
  expect(await migration.getMulti([long, "short"])).toEqual(new Map([["short", 1]]));
  expect(await migration.set(long, 2)).toBe(true);
  expect(await migration.setMulti([[long, 3] as const, ["short", 3] as const])).toEqual([]);
  expect(await migration.incr(long)).toBe(4);
  expect(await migration.deleteMulti([long, "short", "none"])).toEqual(["none"]);
  expect(migration.progress()).toMatchObject({ failures: 0, owed: 0 });
});

test("what was not changed at step 1 stays as it is in the new cluster", async () => {
  const [fresh, migration] = [clusters.plainNew(), clusters.migrate({ reads: "old" })];
  await fresh.set("n", 57);
  expect(await migration.incr("n")).toBeUndefined();
  expect(await migration.replace("n", 1)).toBe(false);
  expect(await migration.touch("n", 1)).toBe(false);
  expect(await fresh.get("n")).toBe(57);
});

test("closing waits for what is under way, and takes nothing more", async () => {
  const migration = clusters.migrate();
  await migration.from.setMulti({ a: 1, n: 1 });
  const calls = [migration.get("a"), migration.set("b", 2), migration.incr("n")];
  const closed = migration.close();
  expect(await errorOf(migration.get("a"))).toMatchObject({
    code: "ERR_MEMCACHED_CONNECTION_CLOSED",
    command: "get",
  });
  expect(await Promise.all(calls)).toEqual([1, true, 2]);
  await closed;
  expect(migration.closed).toBe(true);
  const found = await clusters.plainNew().getMulti(["a", "b", "n"]);
  expect(found).toEqual(new Map(Object.entries({ a: 1, b: 2, n: 2 })));
  await migration.close();
});

test("closing waits until both clusters are empty, and takes no longer than it may", async () => {
  const migration = clusters.migrate();
  await migration.from.set("a", 1);
  await migration.to.set("b", 1);
  const flushed = migration.flushAll();
  const closed = migration.close();
  expect(await errorOf(migration.flushAll())).toMatchObject({ command: "flushAll", sent: false });
  expect(await flushed).toBe(true);
  await closed;
  expect(await clusters.plainOld().get("a")).toBeUndefined();
  expect(await clusters.plainNew().get("b")).toBeUndefined();

  const stalled = clusters.migrate();
  for (const server of clusters.old) await server.pause();
  const calls = [errorOf(stalled.get("c")), errorOf(stalled.from.get("c"))];
  const closing = vi.spyOn(stalled.from, "close");
  await stalled.close({ drainMs: 400 });
  // The time had passed before the clusters were closed, who have what is left of it.
  expect(closing.mock.calls[0]?.[0]?.drainMs).toBeLessThan(100);
  await Promise.all(calls);
});

test("a signal ends a call, wherever it is", async () => {
  const migration = clusters.migrate();
  for (const server of clusters.old) await server.pause();
  const abort = new AbortController();
  const call = errorOf(migration.get("k", { signal: abort.signal }));
  const writing = errorOf(migration.set("k", 1, { signal: abort.signal }));
  abort.abort(new Error("enough"));
  expect(await call).toMatchObject({ message: "enough" });
  expect(await writing).toMatchObject({ message: "enough" });
});
