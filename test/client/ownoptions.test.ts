import { randomBytes } from "node:crypto";
import type { LookupFunction } from "node:net";
import { Client } from "tslibmc";
import { Migration } from "tslibmc/migration";
import { MemcachedServer } from "tslibmc/testing";
import { afterEach, describe, expect, test } from "vitest";
import { Authority } from "../support/certificates.js";
import { clientOf, PATIENT } from "../support/use.js";

/** Options that were made from others, which have them all. */
function inherited<Options extends object>(options: Options): Options {
  return Object.create(options);
}

const LARGE = randomBytes(150_000).toString("hex");

afterEach(() => {
  Reflect.deleteProperty(Object.prototype, "polluted");
});

test("a client has the options and behaviors that its own inherit, and so has its clone", async () => {
  const options = inherited({ keyPrefix: "p:", behaviors: inherited({ ketama: true }) });
  const client = clientOf("127.0.0.1:1", options);
  const clone = client.clone();
  for (const each of [client, clone]) {
    expect((await each.explain("k")).key).toBe("p:k");
    expect(each.behaviors.ketama).toBe(true);
  }
  await clone.close();
});

test("what somebody has put into all objects is no option", async () => {
  Reflect.set(Object.prototype, "polluted", 1);
  const client = clientOf("127.0.0.1:1", { behaviors: { ketama: true } });
  const clone = client.clone();
  expect(clone.behaviors.ketama).toBe(true);
  await clone.close();
});

test.each([
  ["one item", {}],
  ["several items", { chunk: { size: 1000 } }],
])("the ttl of a call's options is kept for %s where they inherit it", async (_, options) => {
  await using server = await MemcachedServer.start();
  const client = clientOf(server.address, { ...PATIENT, ...options });
  await client.set("k", LARGE, inherited({ ttl: 50 }));
  await client.set("c", LARGE, inherited({ ttl: 50, compress: true }));
  await client.incr("n", 1, inherited({ ttl: 50, initial: 1 }));
  for (const key of ["k", "c", "n"]) {
    const { item } = await client.explain(key, { look: true });
    expect(item).toMatchObject({ exists: true, ttl: expect.closeTo(50, -1) });
  }
});

describe("options that are changed for the next call change nothing about this one", () => {
  test("while a value is compressed", async () => {
    await using server = await MemcachedServer.start();
    const client = clientOf(server.address, PATIENT);
    const options = { ttl: 50, compress: true };
    const stored = Promise.all([
      client.set("k", LARGE, options),
      client.setMulti({ m: LARGE }, options),
    ]);
    options.ttl = 5000;
    await stored;
    for (const key of ["k", "m"]) {
      const { item } = await client.explain(key, { look: true });
      expect(item).toMatchObject({ ttl: expect.closeTo(50, -1) });
    }
  });

  test.each([
    ["one item", {}],
    ["several items", { chunk: { size: 1000 } }],
  ])("while another call's value is compressed (%s)", async (_, ways) => {
    await using server = await MemcachedServer.start();
    const client = clientOf(server.address, { ...PATIENT, ...ways });
    await client.setMulti({ k: "v", n: 1 });
    const options: { signal: AbortSignal } = { signal: new AbortController().signal };
    const storing = client.setMulti({ k: LARGE, n: LARGE }, { compress: true });
    const calls = Promise.all([
      client.get("k", options),
      client.getMulti(["k", "n"], options),
      client.set("k", "small", options),
      client.append("k", "er", options),
      client.touchMulti(["k", "n"], 50, options),
      client.metaSet("n", 1, options),
      client.incr("n", 1, { ...options, initial: 5 }),
      client.deleteMulti(["k", "n"], options),
      client.add("k", "new", options),
      client.flush(options),
    ]);
    options.signal = AbortSignal.abort();
    expect(await calls).toEqual([
      LARGE,
      new Map([
        ["k", LARGE],
        ["n", LARGE],
      ]),
      ...[true, true, [], { status: "stored" }, 2, [], true, true],
    ]);
    await storing;
  });

  test("while it is looked whether there are chunks to add to", async () => {
    await using server = await MemcachedServer.start();
    const client = clientOf(server.address, { ...PATIENT, chunk: { size: 1000 } });
    await client.set("k", "v");
    const options: { noreply: boolean; signal?: AbortSignal } = { noreply: false };
    const appending = client.append("k", "w", options);
    options.signal = AbortSignal.abort();
    expect(await appending).toBe(true);
  });

  test("while a migration tells its other cluster", async () => {
    await using from = await MemcachedServer.start();
    await using to = await MemcachedServer.start();
    const client = clientOf(to.address);
    await using migration = new Migration({ from: clientOf(from.address), to: client });
    const options = { ttl: 50 };
    const counting = { ttl: 50, initial: 1 };
    const stored = Promise.all([
      migration.set("k", 1, options),
      migration.setMulti({ m: 1 }, options),
      migration.incr("n", 1, counting),
      migration.incr("i", 1, inherited(counting)),
    ]);
    options.ttl = 5000;
    counting.ttl = 5000;
    await stored;
    for (const key of ["k", "m", "n", "i"]) {
      const { item } = await client.explain(key, { look: true });
      expect(item).toMatchObject({ ttl: expect.closeTo(50, -1) });
    }
  });

  test("while a value's chunks are written or read", async () => {
    await using one = await MemcachedServer.start();
    await using two = await MemcachedServer.start();
    const client = clientOf([one.address, two.address], { ...PATIENT, chunk: { size: 1000 } });
    const on = (index: number) =>
      Array.from("abcdefgh").find((group) => client.serverFor(group).index === index)!;
    const [here, there] = [on(0), on(1)];
    const options = { groupKey: here };
    const stored = client.set("k", LARGE, options);
    options.groupKey = there;
    await stored;
    options.groupKey = here;
    expect(await client.get("k", options)).toBe(LARGE);
    const reading = client.get("k", options);
    options.groupKey = there;
    expect(await reading).toBe(LARGE);
  });
});

describe("what a client's options hold may be changed for another client:", () => {
  test("the tls of further connections", async () => {
    using authority = new Authority("authority of the tests");
    const { cert, key } = authority.issue("good", ["DNS:localhost"]);
    await using server = await MemcachedServer.start({ tls: { cert, key } });
    const tls = { ca: [authority.cert], servername: "localhost" };
    const client = clientOf(server.address, { tls });
    const fromParts = clientOf(server.address, { tls: inherited(tls) });
    expect(await client.set("k", 1)).toBe(true);
    tls.ca.length = 0;
    tls.servername = "elsewhere";
    client.disconnectAll();
    expect(await client.get("k")).toBe(1);
    expect(await client.clone().get("k")).toBe(1);
    expect(await fromParts.get("k")).toBe(1);
  });

  test("the sockets of other servers, the buckets, and what is compressed", async () => {
    await using server = await MemcachedServer.start();
    const { port } = server;
    const socket = { lookup: lookupOf("127.0.0.1") };
    const placement = { buckets: [0, 0] };
    const compress = { minLength: 10 };
    const client = clientOf(`one.test:${port}`, {
      socket,
      placement,
      compress,
      behaviors: { distribution: "virtual bucket" },
    });
    socket.lookup = lookupOf("192.0.2.1");
    placement.buckets.fill(1);
    compress.minLength = 1_000_000;
    client.setServers([`two.test:${port}`]);
    client.behaviors.pickle_protocol = 2;
    expect(await client.set("k", "v".repeat(1000))).toBe(true);
    expect((await client.metaGet("k", { returnSize: true }))?.size).toBeLessThan(100);
  });

  test("what Client.discover is to make a client with, while there is no list", async () => {
    await using server = await MemcachedServer.start();
    const socket = { lookup: lookupOf("127.0.0.1") };
    const compress = { minLength: 10 };
    const behaviors = { namespace: "p:" };
    let listed = (_: string[]) => {};
    const list = new Promise<string[]>((resolve) => {
      listed = resolve;
    });
    const source = async function* () {
      yield await list;
    };
    const options = inherited({ socket, compress, behaviors });
    const discovering = Client.discover(source(), options);
    socket.lookup = lookupOf("192.0.2.1");
    compress.minLength = 1_000_000;
    behaviors.namespace = "q:";
    listed([`one.test:${server.port}`]);
    await using client = await discovering;
    expect(await client.set("k", "v".repeat(1000))).toBe(true);
    expect((await client.metaGet("k", { returnSize: true }))?.size).toBeLessThan(100);
    expect((await client.explain("k")).key).toBe("p:k");
  });
});

function lookupOf(address: string): LookupFunction {
  return (_, { all }, found) => {
    if (all) found(null, [{ address, family: 4 }]);
    else found(null, address, 4);
  };
}
