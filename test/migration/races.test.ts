import { Client, type Serializer } from "tslibmc";
import type { Migration, MigrationReads } from "tslibmc/migration";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { randomFrom } from "../support/random.js";
import { until } from "../support/until.js";
import { Clusters } from "./clusters.js";

let clusters: Clusters;

beforeAll(async () => {
  clusters = await Clusters.start(2);
});
afterEach(() => clusters.reset());
afterAll(() => clusters[Symbol.asyncDispose]());

describe("a value on its way over", () => {
  /** Holds the second value that it decodes, which is the transfer's, until it is released. */
  class Holding implements Serializer {
    release: () => void = () => {};
    #holds: () => void = () => {};
    readonly held = new Promise<void>((resolve) => {
      this.#holds = resolve;
    });
    readonly #released = new Promise<void>((resolve) => {
      this.release = resolve;
    });
    #count = 0;

    serialize(value: unknown) {
      return { data: String(value), flags: 0 };
    }

    async deserialize(data: Uint8Array) {
      if (++this.#count === 2) {
        this.#holds();
        await this.#released;
      }
      return Buffer.from(data).toString();
    }
  }

  /** What is found after a process interfered that did not know of the transfer, nor it of that. */
  async function whileFetching(
    interfere: (other: Migration) => Promise<unknown>,
    reads: MigrationReads,
  ): Promise<{ found: unknown; migration: Migration }> {
    const holding = new Holding();
    const migration = clusters.migrate({}, { serializer: holding });
    const other = clusters.migrate({ reads }, { serializer: new Holding() });
    await other.from.set("k", "old");
    // The old server's version is known from here on, so that the transfer asks for the ttl together
    // with the value, and both have come before anybody interferes. Asked or answered later, it could
    // be told that there is no item, and would not try at all.
    await migration.from.has("k");
    expect(await migration.get("k")).toBe("old");
    await holding.held;
    await until(() => isIdle(migration.from));
    await interfere(other);
    holding.release();
    await until(() => migration.progress().warmed + migration.progress().overtaken === 1);
    return { found: await migration.get("k"), migration };
  }

  const modes: MigrationReads[] = ["old", "both", "new"];

  test.each(modes)("does not come back after it was deleted by a process in %s", async (reads) => {
    const { found, migration } = await whileFetching((other) => other.delete("k"), reads);
    expect(found).toBeUndefined();
    expect(migration.progress()).toMatchObject({ warmed: 0, overtaken: 1 });
  });

  test.each(modes)("does not hide what a process in %s has set meanwhile", async (reads) => {
    const { found, migration } = await whileFetching((other) => other.set("k", "new"), reads);
    expect(found).toBe("new");
    expect(migration.progress()).toMatchObject({ overtaken: 1 });
  });

  test.each(modes)(
    "does not come back after a value that has gone by itself, in %s",
    async (reads) => {
      const { found } = await whileFetching((other) => other.set("k", "short", { ttl: -1 }), reads);
      expect(found).toBeUndefined();
    },
  );
});

/** Whether every request was answered. */
function isIdle(client: Client): boolean {
  const servers = [...client.stats().values()];
  return servers.every(({ waiting, inFlight }) => waiting + inFlight === 0);
}

describe("a process that died while it brought a value over", () => {
  /** What it left behind, as other processes find it. */
  const abandon = async () => {
    const fresh = clusters.plainNew();
    await fresh.set("k", Buffer.from("tslibmc:migration"), { flags: 2056, ttl: 5 });
    return clusters.plainOld();
  };

  test("keeps nobody from reading", async () => {
    const old = await abandon();
    const migration = clusters.migrate();
    expect(await migration.get("k")).toBeUndefined();
    expect(await migration.getMulti(["k"])).toEqual(new Map());
    expect(await migration.has("k")).toBe(false);
    await old.set("k", 1);
    expect(await migration.has("k")).toBe(true);
    expect(await migration.get("k")).toBe(1);
    await until(() => migration.progress().warmed === 1);
    expect(await clusters.plainNew().get("k")).toBe(1);
  });

  test.each(["both", "new"] as const)("keeps nobody from writing, in %s", async (reads) => {
    const migration = clusters.migrate({ reads });
    await abandon();
    expect(await migration.replace("k", 1)).toBe(false);
    await abandon();
    expect(await migration.add("k", 1)).toBe(true);
    await abandon();
    expect(await migration.incr("k")).toBeUndefined();
    await abandon();
    expect(await migration.incr("k", 1, { initial: 5 })).toBe(5);
    await abandon();
    expect(await migration.append("k", "x")).toBe(false);
    await abandon();
    expect(await migration.touch("k", 1000)).toBe(false);
    await abandon();
    expect(await migration.getAndTouch("k", 1000)).toBeUndefined();
    await abandon();
    expect(await migration.gets("k")).toBeUndefined();
    expect(await migration.set("k", "value")).toBe(true);
    expect(await migration.get("k")).toBe("value");
  });

  test.each(["append", "prepend"] as const)("is none the wiser after an %s", async (join) => {
    await abandon();
    expect(await clusters.plainNew()[join]("k", "x")).toBe(true);
    const migration = clusters.migrate();
    expect(await migration.get("k")).toBeUndefined();
    expect(await migration.add("k", 1)).toBe(true);
    expect(await clusters.plainNew().get("k")).toBe(1);
  });

  test("does not keep a value from its place that it took while this was added", async () => {
    const migration = clusters.migrate({ reads: "new" });
    const { to } = migration;
    let adds = 0;
    to.add = async (...args) => {
      if (adds++ === 0) await abandon();
      return Client.prototype.add.apply(to, args);
    };
    expect(await migration.add("k", 1)).toBe(true);
    expect(adds).toBe(1);
    expect(await clusters.plainNew().get("k")).toBe(1);
  });
});

describe("values that many read at once", () => {
  test("are each brought over once", async () => {
    const migration = clusters.migrate();
    await migration.from.set("k", "v");
    expect(await Promise.all([1, 2, 3].map(() => migration.get("k")))).toEqual(["v", "v", "v"]);
    await until(() => migration.progress().warmed === 1 && isIdle(migration.to));
    const stats = await migration.to.getStats();
    const sets = [...stats.values()].map((each) => Number(each["cmd_set"]));
    expect(sets.reduce((a, b) => a + b)).toBe(2); // the placeholder, and the value in its place
  });

  test("are brought over up to a thousand at once, and the others at their next read", async () => {
    const migration = clusters.migrate();
    const keys = Array.from({ length: 1_200 }, (_, i) => `key:${i}`);
    await migration.from.setMulti(keys.map((key) => [key, key] as const));
    expect((await migration.getMulti(keys)).size).toBe(keys.length);
    await until(() => migration.progress().warmed >= 1_000 && isIdle(migration.to));
    expect(migration.progress().warmed).toBe(1_000);
    expect((await migration.getMulti(keys)).size).toBe(keys.length);
    await until(() => migration.progress().warmed === keys.length);
  });
});

/**
 * Processes that change and read the same few keys at random, while items vanish from either
 * cluster as if they were evicted. Changes of one key follow each other and are numbered: a
 * read that began after one was finished must find nothing older.
 */
describe("nobody reads what was overwritten or deleted", () => {
  /** Of each key; a long run takes some thousand. */
  const CHANGES = Number(process.env["MIGRATION_CHANGES"] ?? 150);

  const KEYS = Array.from({ length: 6 }, (_, i) => `key:${i}`);

  /** The number of the last change that is finished, by key. */
  class Truth {
    readonly done = new Map<string, number>(KEYS.map((key) => [key, 0]));
    readonly stale: string[] = [];
    checked = 0;

    check(key: string, since: number, value: unknown, reader: string): void {
      this.checked++;
      if (typeof value === "number" && value < since) {
        this.stale.push(`${reader}: ${key} was ${value} after change ${since}`);
      }
    }
  }

  async function change(truth: Truth, key: string, by: Migration, dice: () => number) {
    const number = truth.done.get(key)! + 1;
    const kind = dice();
    if (kind < 0.45) await by.set(key, number);
    else if (kind < 0.6) await by.setMulti({ [key]: number });
    else if (kind < 0.85) await by.delete(key);
    else if (kind < 0.95) await by.deleteMulti([key]);
    else if (!(await by.replace(key, number))) return; // nothing there: nothing was changed
    truth.done.set(key, number);
  }

  async function read(truth: Truth, by: Migration, dice: () => number) {
    const since = new Map(truth.done);
    const key = KEYS[Math.floor(dice() * KEYS.length)]!;
    const kind = dice();
    if (kind < 0.6) {
      truth.check(key, since.get(key)!, await by.get(key), by.reads);
    } else if (kind < 0.75) {
      truth.check(key, since.get(key)!, (await by.gets(key))?.value, by.reads);
    } else {
      for (const [found, value] of await by.getMulti(KEYS)) {
        truth.check(found, since.get(found)!, value, by.reads);
      }
    }
  }

  test.each([
    { modes: ["old", "both", "both", "old"], seed: 1 },
    { modes: ["both", "both", "both"], seed: 2 },
    { modes: ["both", "new", "both", "new"], seed: 3 },
  ] as const)("with processes in $modes", { timeout: 60_000 }, async ({ modes, seed }) => {
    const dice = randomFrom(seed);
    const truth = new Truth();
    const processes = modes.map((reads) => clusters.migrate({ reads }));
    const some = () => processes[Math.floor(dice() * processes.length)]!;
    const evicting = [clusters.plainOld(), clusters.plainNew()];
    let changing = true;
    const writers = KEYS.map(async (key) => {
      for (let i = 0; i < CHANGES; i++) await change(truth, key, some(), dice);
    });
    const readers = Array.from({ length: 8 }, async () => {
      while (changing) await read(truth, some(), dice);
    });
    const eviction = evicting.map(async (client) => {
      while (changing) await client.delete(KEYS[Math.floor(dice() * KEYS.length)]!);
    });
    await Promise.all(writers);
    changing = false;
    await Promise.all([...readers, ...eviction]);
    expect(truth.stale).toEqual([]);
    expect(truth.checked).toBeGreaterThan(500);
    const failures = processes.map((each) => each.progress().failures);
    expect(failures).toEqual(modes.map(() => 0));
    if (modes.some((mode) => mode === ("old" as MigrationReads))) {
      const moved = processes.map((each) => each.progress().warmed);
      expect(Math.max(...moved)).toBeGreaterThan(0);
    }
  });

  test("two writers who do not agree leave one value at most", { timeout: 60_000 }, async () => {
    const processes = [clusters.migrate({ reads: "old" }), clusters.migrate({ reads: "both" })];
    const [old, fresh] = [clusters.plainOld(), clusters.plainNew()];
    for (let round = 0; round < 300; round++) {
      await Promise.all(processes.map((each, i) => each.set("k", `${round}:${i}`)));
      await Promise.all(processes.map(settled));
      const [a, b] = await Promise.all([old.get("k"), fresh.get("k")]);
      expect([a, b]).toContain(undefined);
    }
  });

  test("nothing is counted twice or lost, and one of many adds", async () => {
    const processes = [1, 2, 3].map(() => clusters.migrate());
    const old = clusters.plainOld();
    for (let round = 0; round < 20; round++) {
      await old.setMulti({ [`n:${round}`]: 1000, [`text:${round}`]: "" });
      const each = Array.from({ length: 30 }, (_, i) => processes[i % 3]!);
      const counted = await Promise.all(each.map((by) => by.incr(`n:${round}`)));
      expect(new Set(counted).size).toBe(30);
      expect(Math.max(...counted.map(Number))).toBe(1030);
      await Promise.all(each.map((by) => by.append(`text:${round}`, "x")));
      expect(await each[0]!.get(`text:${round}`)).toBe("x".repeat(30));
      const added = await Promise.all(each.map((by, i) => by.add(`lock:${round}`, i)));
      expect(added.filter(Boolean)).toHaveLength(1);
      const taken = await Promise.all(each.map((by, i) => by.add(`n:${round}`, i)));
      expect(taken).not.toContain(true);
    }
  });

  /** What a process sends without waiting for it has arrived when this has been answered. */
  const settled = (migration: Migration) =>
    Promise.all([migration.from.version(), migration.to.version()]);
});
