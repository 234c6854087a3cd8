import { randomBytes } from "node:crypto";
import { type Client, type ClientOptions, CodecError, TimeoutError } from "tslibmc";
import type { MemcachedServer } from "tslibmc/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Fleet, keyOn } from "../routing/fleet.js";
import { busy } from "../support/busy.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { PATIENT } from "../support/use.js";

/** Values in chunks, which are spread over servers, while one of these is gone. */

let fleet: Fleet;
let a: MemcachedServer;
let b: MemcachedServer;
let gutter: MemcachedServer;
let ring: string[];

beforeAll(async () => {
  fleet = await Fleet.start(4);
  [a, b, , gutter] = fleet.servers as [
    MemcachedServer,
    MemcachedServer,
    MemcachedServer,
    MemcachedServer,
  ];
  ring = fleet.addresses.slice(0, 3);
});
afterEach(() => fleet.reset());
afterAll(() => fleet[Symbol.asyncDispose]());

const GUTTER_TTL = 30;

const policies: Record<string, () => ClientOptions> = {
  rehash: () => ({ failover: "rehash", behaviors: { ketama: true, failure_limit: 1 } }),
  next: () => ({ failover: "next", behaviors: { failure_limit: 1 } }),
  gutter: () => ({
    failover: { servers: [gutter.address], ttl: GUTTER_TTL },
    behaviors: { failure_limit: 1 },
  }),
  replicas: () => ({ behaviors: { num_replicas: 1, failure_limit: 1 } }),
  "replicas read at random, hedged and repaired": () => ({
    behaviors: { num_replicas: 1, failure_limit: 1 },
    randomizeReplicaRead: true,
    readRepair: true,
    hedge: true,
  }),
};

/** Some of so many chunks are on each server. */
const large = (chunks = 40) => randomBytes(chunks * 256);

/**
 * By MD5, which spreads keys however little they differ; the default hash leaves a server
 * without any of forty chunks once in a hundred values.
 */
function connect(policy: string): Client {
  const { behaviors, ...options } = policies[policy]!();
  return fleet.connect(
    { chunk: { size: 256 }, rampUpMs: 100, behaviors: { hash: "md5", ...behaviors }, ...options },
    ring,
  );
}

/** Seconds that each item at a server has left that was stored there, by its key; -1 for ever. */
async function ttlsAt(server: MemcachedServer): Promise<number[]> {
  const raw = fleet.connect({ serializer: "raw" }, [server.address]);
  const stored = server.log.requests.filter(({ command }) => command === "set");
  const keys = [...new Set(stored.flatMap(({ keys }) => keys))];
  const items = await Promise.all(keys.map((key) => raw.metaGet(key, { returnTtl: true })));
  return items.flatMap((item) => item?.ttl ?? []);
}

function stop(server: MemcachedServer): void {
  server.refuse();
  server.disconnectAll();
}

describe.each(Object.keys(policies))("%s", (policy) => {
  test("a large value is stored, read, touched and deleted while a server is gone", async () => {
    const client = connect(policy);
    const key = keyOn(client, b);
    const values = new Map<string, Buffer>([[key, large()]]);
    for (let i = 0; i < 10; i++) values.set(`large:${i}`, large());
    values.set(keyOn(client, a), large());
    stop(a);
    for (const [key, value] of values) expect(await client.set(key, value)).toBe(true);
    for (const [key, value] of values) expect(await client.get(key)).toEqual(value);
    expect(await client.getMulti(values.keys())).toEqual(values);
    expect(await client.touch(key, 1000)).toBe(true);
    expect(await client.getAndTouch(key, 1000)).toEqual(values.get(key));
    const again = large();
    expect(await client.replace(key, again)).toBe(true);
    expect(await client.get(key)).toEqual(again);
    expect(await errorOf(client.append(key, "more"))).toBeInstanceOf(CodecError);
    expect(await client.delete(key)).toBe(true);
    expect(await client.get(key)).toBeUndefined();
  });

  test("what is read at any time is one of the values that were written, or a miss", async () => {
    const client = connect(policy);
    const key = keyOn(client, a);
    const written: Buffer[] = [];
    const write = async () => {
      const value = large();
      written.push(value);
      await client.set(key, value);
    };
    const read = async () => {
      const value = (await client.get(key)) as Buffer | undefined;
      if (value !== undefined) expect(written.some((one) => one.equals(value))).toBe(true);
      return value;
    };
    await write();
    expect(await read()).toEqual(written[0]);
    stop(a);
    if (policy.startsWith("replicas")) expect(await read()).toEqual(written[0]);
    else await read();
    await write();
    expect(await read()).toEqual(written[1]);
    const up = new Promise<void>((resolve) => {
      client.on("health", ({ state }) => state === "up" && resolve());
    });
    await a.listen();
    await up;
    await read();
    await write();
    expect(await read()).toEqual(written[2]);
    a.clear();
    await read();
    await write();
    expect(await read()).toEqual(written[3]);
  });
});

describe("a gutter", () => {
  test("holds neither chunks nor their manifest for longer than its ttl, touched or not", async () => {
    const client = connect("gutter");
    const key = keyOn(client, a);
    const value = large(120);
    stop(a);
    await client.set(key, value);
    const short = await ttlsAt(gutter);
    expect(short.length).toBeGreaterThan(5);
    for (const ttl of short) expect(ttl).toBeGreaterThan(0);
    expect(await client.touch(key, 5000)).toBe(true);
    expect(await client.getAndTouch(key, 0)).toEqual(value);
    for (const ttl of await ttlsAt(gutter)) {
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(GUTTER_TTL);
    }
  });

  test("makes a miss of a value whose chunks it forgot", async () => {
    const client = connect("gutter");
    const keys = ["large:1", "large:2", keyOn(client, a)];
    stop(a);
    await client.setMulti(keys.map((key) => [key, large()] as const));
    expect((await client.getMulti(keys)).size).toBe(3);
    gutter.clock.advance(GUTTER_TTL + 1);
    expect((await client.getMulti(keys)).size).toBe(0);
    expect(await client.get("large:1")).toBeUndefined();
  });
});

describe("replicas", () => {
  test("a touch reaches the chunks on every copy", async () => {
    const client = fleet.connect({ chunk: { size: 256 }, behaviors: { num_replicas: 2 } }, ring);
    await client.set("k", large(), 50);
    expect(await client.touch("k", 5000)).toBe(true);
    for (const server of fleet.servers.slice(0, 3)) {
      const ttls = await ttlsAt(server);
      expect(ttls.length).toBe(41);
      for (const ttl of ttls) expect(ttl).toBeGreaterThan(4000);
    }
  });

  test("a chunk that its own server has not is read from a copy, which cannot be old", async () => {
    const behaviors = { hash: "md5", num_replicas: 1 } as const;
    const client = fleet.connect({ chunk: { size: 256 }, behaviors }, ring);
    const value = large(120);
    let key = "k";
    while (client.serverFor(key).name === a.address) key += "'"; // whose word on the manifest counts
    await client.set(key, value, 5000);
    const ownChunks = a.log.requests
      .flatMap(({ keys }) => keys)
      .filter((chunk) => client.serverFor(chunk).name === a.address);
    expect(ownChunks.length).toBeGreaterThan(0);
    a.clear();
    expect(await client.get(key)).toEqual(value);
    expect(await client.getAndTouch(key, 5000)).toEqual(value);
    for (const server of fleet.servers) server.clear();
    expect(await client.get(key)).toBeUndefined();
  });

  test("a server that came back empty is given back manifests and chunks", async () => {
    const client = fleet.connect(
      { chunk: { size: 256 }, behaviors: { num_replicas: 2 }, readRepair: true },
      ring,
    );
    const value = large();
    await client.set("k", value, 5000);
    const own = a.log.requests
      .flatMap(({ keys }) => keys)
      .filter((key) => client.serverFor(key).name === a.address);
    a.clear();
    await until(async () => {
      expect(await client.get("k")).toEqual(value);
      return client.copyReads.repaired === own.length;
    });
    expect(a.size).toBe(own.length);
    for (const ttl of await ttlsAt(a)) expect(ttl).toBeGreaterThan(4000);
  });

  test("a server that hangs does not keep a large value from being read in time", async () => {
    const client = fleet.connect(
      {
        chunk: { size: 256 },
        timeoutMs: 3000,
        behaviors: { num_replicas: 1, failure_limit: 1 },
      },
      ring,
    );
    const value = large();
    await client.set("k", value);
    a.pause();
    expect(await client.get("k")).toEqual(value);
  });
});

test("a server that is asked for chunks after the program was busy is not blamed for what was left", async () => {
  const client = fleet.connect({
    chunk: { size: 256 },
    timeoutMs: 1_000,
    behaviors: { hash: "md5", failure_limit: 1 },
  });
  const key = keyOn(client, a);
  await client.set(key, large(), PATIENT);
  const blamed = new Set<string>();
  client.on("health", ({ server }) => void blamed.add(server));
  for (const server of fleet.servers) if (server !== a) server.pause();
  const read = errorOf(client.get(key));
  await new Promise((resolve) => setImmediate(resolve)); // the manifest is asked for
  busy(850);
  expect(await read).toBeInstanceOf(TimeoutError);
  expect(blamed).toEqual(new Set());
  // A whole call's time is enough, if the machine leaves it to this process.
  await until(async () => {
    expect(await errorOf(client.get(key))).toBeInstanceOf(TimeoutError);
    return blamed.size > 0;
  });
});
