import { ClientErrorReply, type ClientOptions, ConnectError, TimeoutError } from "tslibmc";
import type { MemcachedServer } from "tslibmc/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { busy } from "../support/busy.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { Fleet, keyOn, keysOn } from "./fleet.js";

/** Reads of items that are on several servers: who is asked, and whose word counts. */

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

const gets = (server: MemcachedServer) =>
  server.log.requests.filter(({ command }) => command === "get").length;

describe("a miss", () => {
  test("that is its own server's word is one, although a copy could not be asked", async () => {
    const client = fleet.connect({ behaviors: { num_replicas: 1 }, readReplicas: "miss" });
    const key = keyOn(client, a);
    b.refuse();
    b.disconnectAll();
    expect(await client.get(key)).toBeUndefined();
    expect(gets(a)).toBe(1);
  });

  test("that is a copy's word counts where its own server says nothing", async () => {
    const client = fleet.connect({ behaviors: { num_replicas: 2 } });
    const key = keyOn(client, a);
    await fleet.alone(c).set(key, "kept");
    a.refuse();
    a.disconnectAll();
    expect(await client.get(key)).toBe("kept");
    expect(gets(b)).toBe(1);
    expect(await client.get(`${key}:none`)).toBeUndefined();
  });

  test("costs no further request where keys of a many-key read were found", async () => {
    const client = fleet.connect({ behaviors: { num_replicas: 1 }, readReplicas: "miss" });
    const keys = keysOn(client, a, 20);
    await client.setMulti(keys.map((key) => [key, key] as const));
    expect((await client.getMulti(keys)).size).toBe(20);
    expect(gets(b)).toBe(0);
  });
});

type State = "has" | "lacks" | "gone";

/** What a read may come to, the servers being asked in this order. */
function outcome(states: readonly State[], order: readonly number[], onMiss: boolean): string {
  for (const at of order) {
    if (states[at] === "has") return "hit";
    if (states[at] === "lacks" && at === 0 && !onMiss) return "miss";
  }
  return states.includes("lacks") ? "miss" : "error";
}

test("whatever becomes of three servers, a read is what it has to be", async () => {
  const kinds: readonly State[] = ["has", "lacks", "gone"];
  const cases = kinds.flatMap((home) =>
    kinds.flatMap((first) =>
      kinds.flatMap((second) =>
        [false, true].flatMap((onMiss) =>
          [false, true].map((atRandom) => ({ states: [home, first, second], onMiss, atRandom })),
        ),
      ),
    ),
  );
  const addresses = (states: readonly State[]) =>
    states.map((state, i) => (state === "gone" ? `127.0.0.1:${i + 1}` : fleet.addresses[i]!));
  const play = async ({ states, onMiss, atRandom }: (typeof cases)[number], n: number) => {
    const client = fleet.connect(
      {
        behaviors: { num_replicas: 2 },
        readReplicas: onMiss ? "miss" : "failure",
        randomizeReplicaRead: atRandom,
        timeoutMs: 60_000,
      },
      addresses(states),
    );
    let key = `case:${n}`;
    while (client.serverFor(key).index !== 0) key += "'";
    const holders = states.map((state, i) => (state === "has" ? fleet.servers[i]! : undefined));
    for (const holder of holders) if (holder !== undefined) await fleet.alone(holder).set(key, n);
    const orders = [
      [0, 1, 2],
      ...(atRandom
        ? [
            [1, 0, 2],
            [2, 0, 1],
          ]
        : []),
    ];
    const allowed = orders.map((order) => outcome(states, order, onMiss));
    const one = await client.get(key).then(
      (value) => (value === n ? "hit" : "miss"),
      () => "error",
    );
    expect(allowed, `${states} ${onMiss} ${atRandom}`).toContain(one);
    const many = await client.getMulti([key]).then(
      (found) => (found.get(key) === n ? "hit" : "miss"),
      () => "error",
    );
    expect(allowed, `${states} ${onMiss} ${atRandom}, many`).toContain(many);
  };
  for (const [n, one] of cases.entries()) await play(one, n);
  expect(cases.length).toBe(108);
});

describe("randomizeReplicaRead", () => {
  const random = { behaviors: { num_replicas: 2 }, randomizeReplicaRead: true };

  test("gives each server its share of the reads", async () => {
    const client = fleet.connect(random);
    const key = keyOn(client, a);
    await client.set(key, "v");
    for (let i = 0; i < 300; i++) expect(await client.get(key)).toBe("v");
    for (const server of fleet.servers) expect(gets(server)).toBeGreaterThan(50);
  });

  test("finds what its own server alone has, and many of them", async () => {
    const client = fleet.connect(random);
    const keys = keysOn(client, a, 10);
    for (const key of keys) await fleet.alone(a).set(key, key);
    for (let i = 0; i < 20; i++) {
      for (const key of keys) expect(await client.get(key)).toBe(key);
      expect([...(await client.getMulti(keys)).keys()].sort()).toEqual(keys);
      expect(await client.get("none")).toBeUndefined();
    }
  });

  test("goes past a server that is gone, whichever it is", async () => {
    const client = fleet.connect(random);
    const keys = fleet.servers.flatMap((server) => keysOn(client, server, 5));
    await client.setMulti(keys.map((key) => [key, key] as const));
    b.refuse();
    b.disconnectAll();
    for (let i = 0; i < 10; i++) {
      for (const key of keys) expect(await client.get(key)).toBe(key);
      expect((await client.getMulti(keys)).size).toBe(15);
    }
    for (const server of [a, c]) {
      server.refuse();
      server.disconnectAll();
    }
    expect(await errorOf(client.get(keys[0]!))).toBeInstanceOf(ConnectError);
  });

  test("asks its own server where all are dead, and says so", async () => {
    const client = fleet.connect({ ...random, behaviors: { num_replicas: 2, failure_limit: 1 } });
    for (const server of fleet.servers) {
      server.refuse();
      server.disconnectAll();
    }
    const key = keyOn(client, a);
    await errorOf(client.get(key));
    const states = [...client.stats().values()].map(({ state }) => state);
    expect(states).toEqual(["dead", "dead", "dead"]);
    const error = await errorOf(client.get(key));
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ server: c.address });
  });

  test("touches every copy, wherever the value was read", async () => {
    const client = fleet.connect(random);
    await client.set("k", 1, 50);
    const ttls = () =>
      Promise.all(
        fleet.servers.map(
          async (server) => (await fleet.alone(server).metaGet("k", { returnTtl: true }))?.ttl,
        ),
      );
    for (let ttl = 1000; ttl < 1010; ttl++) {
      expect(await client.getAndTouch("k", ttl)).toBe(1);
      await client.flush();
      for (const left of await ttls()) expect(left).toBeGreaterThanOrEqual(ttl - 5);
    }
  });
});

test("what is no server's fault is not asked for elsewhere", async () => {
  const client = fleet.connect({ behaviors: { num_replicas: 1 } });
  const key = keyOn(client, a);
  await client.set(key, "v");
  a.faults.add({ on: { command: "get" }, do: { kind: "answer", bytes: "CLIENT_ERROR no\r\n" } });
  expect(await errorOf(client.get(key))).toBeInstanceOf(ClientErrorReply);
  expect(gets(b)).toBe(0);
});

test("a deadline is shared by those that are asked, and its error names the last", async () => {
  const client = fleet.connect({ behaviors: { num_replicas: 2 } });
  const key = keyOn(client, a);
  await client.version();
  for (const server of fleet.servers) server.pause();
  const error = await errorOf(client.get(key, { timeoutMs: 3_000 }));
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error).toMatchObject({ server: c.address });
  for (const server of fleet.servers) server.resume();
  await client.version();
  expect(fleet.servers.map(gets)).toEqual([1, 1, 1]);
});

describe("a program that was busy for most of a read's time", () => {
  /** Which servers are blamed for a read that none of them answers, if there is little time left for the last. */
  async function blamedAfter(busyMs: number, options: ClientOptions = {}): Promise<Set<string>> {
    const behaviors = { num_replicas: 1, failure_limit: 1 };
    const client = fleet.connect({ timeoutMs: 1_000, ...options, behaviors });
    const key = keyOn(client, a);
    await client.set(key, "v");
    for (let i = 0; i < 120; i++) await client.get(key); // a hedge knows what is usual
    const blamed = new Set<string>();
    client.on("health", ({ server }) => void blamed.add(server));
    for (const server of fleet.servers) server.pause();
    const read = errorOf(client.get(key));
    await new Promise((resolve) => setImmediate(resolve)); // the request is on its way
    busy(busyMs);
    expect(await read).toBeInstanceOf(TimeoutError);
    for (const server of fleet.servers) server.resume();
    return blamed;
  }

  test("blames no server that was asked with what was left", async () => {
    expect(await blamedAfter(900)).toEqual(new Set());
  });

  test("blames none either that was asked beside another", async () => {
    expect(await blamedAfter(900, { hedge: { minDelayMs: 600 } })).toEqual(new Set());
  });

  test("blames one that had its share all the same", async () => {
    const blamed = new Set<string>();
    // None is blamed while the machine leaves this process without a processor.
    await until(async () => {
      for (const server of await blamedAfter(0)) blamed.add(server);
      return blamed.size > 1;
    });
    expect(blamed).toEqual(new Set([a.address, b.address]));
  });
});
