import {
  type ClientOptions,
  ConnectError,
  OptionError,
  type RejoinEvent,
  TimeoutError,
} from "tslibmc";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { Cluster, EJECTING, type Witness } from "./cluster.js";

let cluster: Cluster;
let b: Memcached;

beforeAll(async () => {
  // Of several threads one may carry out what was sent before an outage when another has already
  // deleted it (docs/failover.md), and so may one that turns from a connection to the next.
  cluster = await Cluster.start(3, { args: ["-t", "1", "-R", "1000"] });
  b = cluster.servers[1]!;
});
afterEach(() => cluster.reset());
afterAll(() => cluster[Symbol.asyncDispose]());

/** A client, and what it told of servers that came back. */
function connect(options: ClientOptions) {
  const witness = cluster.connect({ behaviors: EJECTING, ...options });
  const rejoins: RejoinEvent[] = [];
  witness.client.on("rejoin", (event) => rejoins.push(event));
  return { witness, client: witness.client, rejoins };
}

/** Cuts b off with all that it holds, until the client holds it for dead. */
async function freeze(witness: Witness): Promise<void> {
  await b.pause();
  await witness.loses(b);
}

async function thaw(witness: Witness): Promise<void> {
  b.resume();
  await witness.sees(b, "up");
}

describe("what a server still has from before an outage", () => {
  /** Reads every key once b is back; old ones were written again while it was cut off. */
  async function outage(options: ClientOptions) {
    const { witness, client, rejoins } = connect({ rampUpMs: 0, ...options });
    const keys = witness.keysOn(b, 40);
    const [rewritten, deleted, counted, kept] = [0, 10, 20, 30].map((at) =>
      keys.slice(at, at + 10),
    );
    await client.setMulti(keys.map((key) => [key, 1] as const));
    await freeze(witness);
    await client.setMulti(rewritten!.map((key) => [key, 2] as const));
    await client.deleteMulti(deleted!);
    for (const key of counted!) expect(await client.incr(key, 1, { initial: 2 })).toBe(2);
    await thaw(witness);
    const changed = await client.getMulti([...rewritten!, ...deleted!, ...counted!]);
    const stale = [...changed.values()].filter((value) => value === 1).length;
    return { stale, kept: (await client.getMulti(kept!)).size, rejoins, client };
  }

  test("is read again by default, as old as it is", async () => {
    const { stale, kept, rejoins } = await outage({});
    expect([stale, kept]).toEqual([30, 10]);
    expect(rejoins).toEqual([]);
  });

  test("is gone with rejoin: flush", async () => {
    const { stale, kept, rejoins, client } = await outage({ rejoin: "flush" });
    expect([stale, kept]).toEqual([0, 0]);
    expect(rejoins).toEqual([{ server: b.address, action: "flush", keys: 0, error: undefined }]);
    expect(client.stats().get(b.address)).toMatchObject({ rejoinFlushes: 1, rejoinDeletions: 0 });
  });

  test("is gone with rejoin: delete where it was changed meanwhile, and kept elsewhere", async () => {
    const { stale, kept, rejoins, client } = await outage({ rejoin: "delete" });
    expect([stale, kept]).toEqual([0, 10]);
    expect(rejoins).toEqual([{ server: b.address, action: "delete", keys: 30, error: undefined }]);
    expect(client.stats().get(b.address)).toMatchObject({ remembered: 0, rejoinDeletions: 30 });
  });

  test("is gone whichever of several connections had stored it", async () => {
    const { witness, client } = connect({ rampUpMs: 0, rejoin: "delete", connections: 3 });
    const keys = witness.keysOn(b, 12);
    const text = (version: string, i: number) => version.repeat(i % 2 === 0 ? 10 : 70_000);
    const setAll = (version: string) =>
      Promise.all(keys.map((key, i) => client.set(key, text(version, i))));
    await setAll("a");
    await client.getMulti(keys); // large ones are known as such by now
    await freeze(witness);
    await setAll("b");
    await thaw(witness);
    expect([...(await client.getMulti(keys)).values()]).toEqual([]);
  });

  test("is gone altogether when more was missed than is remembered", async () => {
    const { stale, kept, rejoins } = await outage({ rejoin: "delete", maxRemembered: 29 });
    expect([stale, kept]).toEqual([0, 0]);
    expect(rejoins.map(({ action }) => action)).toEqual(["flush"]);
  });

  test("is gone in as many steps as the queue has room for", async () => {
    const { stale, kept, rejoins } = await outage({
      rejoin: "delete",
      maxQueueLength: 10,
      whenQueueFull: "wait",
    });
    expect([stale, kept]).toEqual([0, 10]);
    expect(rejoins.map(({ keys }) => keys)).toEqual([30]);
  });
});

describe("traffic through an outage", () => {
  /**
   * Counts reads of a value older than the last that was stored: through an outage, the
   * return and after it, while everything is stored again and again.
   */
  async function staleReads(options: ClientOptions): Promise<number> {
    const { witness, client } = connect({ rampUpMs: 800, ...options });
    const keys = witness.keysOn(b, 60);
    const stored = new Map<string, number>();
    let version = 0;
    let stale = 0;
    let rounds = 0;
    const traffic = async () => {
      rounds++;
      for (const [i, key] of keys.entries()) {
        if (i % 3 === rounds % 3 && (await client.set(key, ++version))) stored.set(key, version);
      }
      for (const [key, value] of await client.getMulti(keys)) {
        if ((value as number) < stored.get(key)!) stale++;
      }
      for (const key of keys) {
        const value = await client.get(key);
        if (value !== undefined && (value as number) < stored.get(key)!) stale++;
      }
    };
    for (let n = 0; n < 3; n++) await traffic();
    await b.pause();
    // Sent, and not answered: it may be carried out when b wakes up. What still has time when b
    // is held for dead is stored elsewhere.
    const lost = keys.map(async (key) => {
      const error = await errorOf(client.set(key, -1, { timeoutMs: 50 }));
      if (error === undefined) stored.set(key, -1);
    });
    await Promise.all(lost);
    await witness.loses(b);
    for (let n = 0; n < 5; n++) await traffic();
    b.resume();
    while (witness.statesOf(b).at(-1) !== "up") await traffic();
    for (let n = 0; n < 3; n++) await traffic();
    expect(witness.statesOf(b)).toEqual(["dead", "returning", "up"]);
    return stale;
  }

  test("reads stale values by default", async () => {
    expect(await staleReads({})).toBeGreaterThan(0);
  });

  test.each(["flush", "delete"] as const)("reads none with rejoin: %s", async (rejoin) => {
    expect(await staleReads({ rejoin })).toBe(0);
  });
});

describe("changes that failed", () => {
  test("are made up for without failover, too", async () => {
    const { witness, client } = connect({ rejoin: "delete", behaviors: { failure_limit: 1 } });
    const [dropped = "", other = ""] = witness.keysOn(b, 2);
    await client.setMulti([
      [dropped, "old"],
      [other, "kept"],
    ]);
    await freeze(witness);
    expect(await errorOf(client.delete(dropped))).toBeInstanceOf(ConnectError);
    expect(client.stats().get(b.address)?.remembered).toBe(1);
    await thaw(witness);
    expect(await client.get(dropped)).toBeUndefined();
    expect(await client.get(other)).toBe("kept");
  });

  test("are made up for by a server that merely failed", async () => {
    const { witness, client, rejoins } = connect({ rejoin: "delete", behaviors: {} });
    const key = witness.keyOn(b);
    await client.set(key, "old");
    await b.pause();
    // One that passed while the machine left this process without a processor does not count.
    await until(async () => {
      expect(await errorOf(client.delete(key, { timeoutMs: 50 }))).toBeInstanceOf(TimeoutError);
      return witness.statesOf(b).includes("failing");
    });
    await thaw(witness);
    await until(() => rejoins.length > 0);
    expect(rejoins).toMatchObject([{ action: "delete", keys: 1, error: undefined }]);
    expect(await client.get(key)).toBeUndefined();
    expect(witness.statesOf(b)).not.toContain("dead");
  });

  test("are made up for on copies", async () => {
    const { witness, client } = connect({
      rejoin: "delete",
      behaviors: { num_replicas: 1, failure_limit: 1 },
    });
    const key = witness.keysOn(cluster.servers[0]!)[0]!; // its copy is on b
    await client.set(key, "old");
    expect(await cluster.held(b, key)).toBe("old");
    await freeze(witness);
    expect(await client.set(key, "new")).toBe(true);
    await thaw(witness);
    expect(await cluster.held(b, key)).toBeUndefined();
    expect(await client.get(key)).toBe("new");
  });

  test("are made up for under keys of any bytes", async () => {
    const { witness, client } = connect({ rejoin: "delete", encodeKeys: "base64", rampUpMs: 0 });
    const own = witness.keysOn(b, 20, "with blank ");
    await client.setMulti(own.map((key) => [key, 1] as const));
    await freeze(witness);
    await client.deleteMulti(own);
    await thaw(witness);
    expect(await client.getMulti(own)).toEqual(new Map());
  });
});

describe("a server that cannot be flushed", () => {
  test("stays dead, and says why", async () => {
    await using server = await startMemcached({ args: ["-F"] });
    const witness = cluster.connect(
      { rejoin: "flush", behaviors: { failure_limit: 1, retry_timeout: 1 } },
      [server.address],
    );
    const { client } = witness;
    const rejoins: RejoinEvent[] = [];
    client.on("rejoin", (event) => rejoins.push(event));
    await client.set("key", 1);
    await server.kill();
    expect(await errorOf(client.get("key"))).toBeInstanceOf(ConnectError);
    await server.start();
    await until(() => rejoins.length >= 2);
    expect(rejoins[0]).toMatchObject({ action: "flush", keys: 0, server: server.address });
    expect(rejoins[0]?.error?.message).toMatch(/flush_all not allowed/);
    expect(witness.statesOf(server)).toEqual(["dead"]);
    expect(String(await errorOf(client.get("key")))).toMatch(/flush_all not allowed/);
  });
});

test.each([
  [{ rejoin: "clear" as "flush" }, /rejoin must be "keep", "flush" or "delete", not "clear"/],
  [{ maxRemembered: -1 }, /maxRemembered must be a whole number/],
  [{ rejoin: "flush", proxy: "twemproxy" }, /rejoin needs flush_all/],
] satisfies [ClientOptions, RegExp][])("%j is refused", (options, says) => {
  expect(() => cluster.connect(options)).toThrow(says);
  if ("rejoin" in options) expect(() => cluster.connect(options)).toThrow(OptionError);
});
