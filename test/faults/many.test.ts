import { type Client, ConnectError, PartialError, TimeoutError } from "tslibmc";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { FaultProxy } from "../support/faultproxy.js";
import { errorOf } from "../support/outcome.js";
import { Cluster, type Witness } from "./cluster.js";

const EACH = 20;

let cluster: Cluster;
let slow: FaultProxy;
let servers: string[];

beforeAll(async () => {
  cluster = await Cluster.start(5);
  slow = await FaultProxy.start(cluster.servers[2]!, Math.random);
  servers = cluster.addresses.with(2, slow.address);
});
afterEach(async () => {
  slow.delayMs = 0;
  await cluster.reset();
});
afterAll(async () => {
  await slow[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

/** Keys of all servers, in turns. */
function keysOf({ client }: Witness): string[] {
  const byServer = servers.map(() => [] as string[]);
  for (let i = 0; byServer.some(({ length }) => length < EACH); i++) {
    const keys = byServer[client.serverFor(`key:${i}`).index]!;
    if (keys.length < EACH) keys.push(`key:${i}`);
  }
  return byServer[0]!.flatMap((_, i) => byServer.map((keys) => keys[i]!));
}

async function fill(client: Client, keys: readonly string[]): Promise<void> {
  expect(await client.setMulti(keys.map((key) => [key, key] as const))).toEqual([]);
}

describe("many keys over five servers, of which one is dead and one is slow", () => {
  test("all but the dead one's are found, the slow one's too", async () => {
    const witness = cluster.connect({ timeoutMs: 10_000 }, servers);
    const { client } = witness;
    const keys = keysOf(witness);
    await fill(client, keys);
    slow.delayMs = 200;
    await cluster.servers[1]!.kill();
    const error = (await errorOf(client.getMulti(keys))) as PartialError<Map<string, string>>;
    expect(error).toBeInstanceOf(PartialError);
    expect([...error.errors.keys()]).toEqual([servers[1]]);
    expect(error.errors.get(servers[1]!)).toBeInstanceOf(ConnectError);
    const found = keys.filter((key) => client.serverFor(key).index !== 1);
    expect([...error.results.keys()].sort()).toEqual(found.sort());
  });

  test("one that is too slow for the deadline costs its own keys, and others do not wait for it", async () => {
    const witness = cluster.connect({ timeoutMs: 10_000 }, servers);
    const { client } = witness;
    const keys = keysOf(witness);
    await fill(client, keys);
    slow.delayMs = 5_000;
    await cluster.servers[1]!.kill();
    let isSlowOver = false;
    const all = errorOf(client.getMulti(keys, { timeoutMs: 1_000 })).then((error) => {
      isSlowOver = true;
      return error as PartialError<Map<string, string>>;
    });
    const { length } = keys.filter((key) => [0, 3, 4].includes(client.serverFor(key).index));
    for (const key of keys.filter((_, i) => i % 5 === 0)) expect(await client.get(key)).toBe(key);
    expect(isSlowOver).toBe(false);
    const { results, errors } = await all;
    expect(results.size).toBe(length);
    expect([...errors.keys()].sort()).toEqual([servers[1]!, servers[2]!].sort());
    expect(errors.get(slow.address)).toBeInstanceOf(TimeoutError);
  });

  test('with onError: "miss" there is no error, and with a failover there is none either', async () => {
    const lenient = cluster.connect({ timeoutMs: 10_000, onError: "miss" }, servers);
    const moving = cluster.connect(
      { timeoutMs: 10_000, failover: "next", behaviors: { failure_limit: 1 } },
      servers,
    );
    const keys = keysOf(lenient);
    await fill(lenient.client, keys);
    slow.delayMs = 200;
    await cluster.servers[1]!.kill();
    expect((await lenient.client.getMulti(keys)).size).toBe(4 * EACH);
    expect((await moving.client.getMulti(keys)).size).toBe(4 * EACH);
    await fill(moving.client, keys);
    expect((await moving.client.getMulti(keys)).size).toBe(5 * EACH);
  });
});
