import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Floor } from "../../bench/floor.js";
import { rowFor, textFor } from "../../bench/load/data.js";
import { prepare } from "../../bench/load/load.js";
import { WORKLOADS, type Workload } from "../../bench/load/workload.js";
import { connect as connectToNothing } from "../../bench/peers/nothing.js";
import type { Peer } from "../../bench/peers/peer.js";
import { Client } from "../../src/index.js";
import { type Memcached, startMemcached } from "../support/memcached.js";

const SMALL_ONES = WORKLOADS.filter(({ size }) => size <= 1024);

describe.each(SMALL_ONES)("$name", (workload) => {
  test("runs as many operations as it is told, so many at once", async () => {
    const peer = await connectToNothing([]);
    let [running, most, all] = [0, 0, 0];
    const counting = watched(peer, async (call) => {
      all++;
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return call();
    });
    const load = await prepare("watched", counting, workload);
    [most, all] = [0, 0];
    const count = workload.inFlight * 3;
    await load.run(count);
    expect(all).toBe(count);
    expect(most).toBe(workload.inFlight);
  });

  test("does not start with a client that reads something else than was set", async () => {
    const peer = await connectToNothing([]);
    const lying = {
      ...peer,
      get: async () => "something else",
      getObject: async () => ({ id: "another" }),
      getMulti: async (keys: readonly string[]) => new Map(keys.map((key) => [key, "something"])),
    };
    await expect(prepare("lying", lying, workload)).rejects.toMatchObject({
      code: "ERR_ASSERTION",
    });
  });
});

test("a getMulti asks for as many keys as its workload says", async () => {
  const peer = await connectToNothing([]);
  const asked: number[] = [];
  const counting: Peer = {
    ...peer,
    getMulti: (keys) => {
      asked.push(keys.length);
      return peer.getMulti(keys);
    },
  };
  const load = await prepare("batches", counting, {
    ...{ name: "multi", title: "getMulti of 30", kind: "getMulti", inFlight: 1 },
    ...{ size: 10, keys: 60, batch: 30 },
  });
  await load.run(3);
  await load.check();
  expect(asked).toEqual(new Array(2 + 3 + 1).fill(30));
});

test("latencies are noted, one for each operation", async () => {
  const [workload] = WORKLOADS as [Workload];
  const load = await prepare("timed", await connectToNothing([]), workload);
  const latencies = new Float64Array(10).fill(-1);
  await load.run(10, latencies);
  expect(latencies.every((latency) => latency >= 0)).toBe(true);
});

test("texts have the size they should have, and differ by key", () => {
  expect(textFor("a", 100)).toHaveLength(100);
  expect(textFor("a", 100)).not.toBe(textFor("b", 100));
  expect(JSON.stringify(rowFor("a", 1024)).length).toBeGreaterThanOrEqual(1024);
});

describe("the floor", () => {
  let server: Memcached;
  let floor: Floor;
  beforeAll(async () => {
    server = await startMemcached({ args: ["-I", "4m"] });
    floor = new Floor([server.address]);
  });
  afterAll(async () => {
    floor.close();
    await server[Symbol.asyncDispose]();
  });

  test.each(WORKLOADS)("$name is answered to the byte", async (workload) => {
    const load = await floor.prepare("floor", workload);
    await expect(load.run(workload.inFlight * 2)).resolves.toBeUndefined();
  });

  test.each([
    ["mixed-64", 64, 576],
    ["json-64", 320, 320],
  ])("%s sets and gets as much as the clients do", async (name, sets, gets) => {
    const workload = WORKLOADS.find((each) => each.name === name)!;
    const load = await floor.prepare("shares", workload);
    const before = await commands(server);
    await load.run(640);
    const after = await commands(server);
    expect(after.sets - before.sets).toBe(sets);
    expect(after.gets - before.gets).toBe(gets);
  });

  test("what is in flight is shared out among several servers", async () => {
    await using other = await startMemcached();
    const both = new Floor([server.address, other.address]);
    const workload = WORKLOADS.find(({ name }) => name === "get-64")!;
    const load = await both.prepare("floors", workload);
    const before = await Promise.all([server, other].map(commands));
    await load.run(640);
    const after = await Promise.all([server, other].map(commands));
    expect(after.map(({ gets }, i) => gets - before[i]!.gets)).toEqual([320, 320]);
    both.close();
  });
});

async function commands({ address }: Memcached): Promise<{ gets: number; sets: number }> {
  await using client = new Client([address]);
  const [stats] = (await client.getStats()).values();
  return { gets: Number(stats?.["cmd_get"]), sets: Number(stats?.["cmd_set"]) };
}

/** A peer whose every operation goes through `around`. */
function watched(peer: Peer, around: (call: () => Promise<unknown>) => Promise<unknown>): Peer {
  return {
    ...peer,
    get: (key) => around(() => peer.get(key)),
    set: (key, value) => around(() => peer.set(key, value)),
    getObject: (key) => around(() => peer.getObject(key)),
    setObject: (key, value) => around(() => peer.setObject(key, value)),
    getMulti: (keys) => around(() => peer.getMulti(keys)),
  };
}
