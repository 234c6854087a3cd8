import { Client, hashKey, NotSupportedError } from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { until } from "../support/until.js";

let servers: Memcached[];
let client: Client;

beforeAll(async () => {
  servers = await startMemcacheds(3);
  client = new Client(
    servers.map(({ address }) => address),
    { behaviors: { ketama: true, namespace: "ns:" } },
  );
});
afterAll(async () => {
  await client.close();
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});

describe("where a key is, and why", () => {
  test("the hash, the point of the ring and the server, which nobody is asked about", async () => {
    const offline = new Client(["10.0.0.1", "10.0.0.2", "10.0.0.3"], {
      behaviors: { ketama: true },
    });
    const { hash, point, ...rest } = await offline.explain("ключ");
    expect(hash).toBe(hashKey("default", "ключ"));
    // The points of a server are the hashes of its name and a number.
    const ofServer = Array.from({ length: 100 }, (_, i) =>
      hashKey("default", `${rest.server.host}-${i}`),
    );
    expect(ofServer).toContain(point);
    const server = offline.serverFor("ключ");
    expect(rest).toEqual({ key: "ключ", route: "ключ", server, item: undefined });
  });

  test("without points, and with one server, where nothing is hashed", async () => {
    const modula = new Client(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    const hash = hashKey("default", "k");
    expect(await modula.explain("k")).toMatchObject({
      hash,
      point: undefined,
      server: { index: hash % 3 },
    });
    const one = new Client("10.0.0.1");
    expect(await one.explain("k")).toMatchObject({ hash: 0, point: undefined });
  });

  test("a prefix counts only where placement says so, a group key always", async () => {
    const behaviors = { ketama: true, namespace: "ns:" };
    const without = new Client(["a", "b", "c"], { behaviors });
    const hashing = new Client(["a", "b", "c"], {
      behaviors: { ...behaviors, _hash_with_prefix_key: true },
    });
    expect(await without.explain("k")).toMatchObject({ hash: hashKey("default", "k") });
    expect(await hashing.explain("k")).toMatchObject({ hash: hashKey("default", "ns:k") });
    expect(await without.explain("k", { groupKey: "g", keyPrefix: "p:" })).toMatchObject({
      key: "ns:p:k",
      route: "g",
      hash: hashKey("default", "g"),
    });
    expect(await without.explain("k", { keyPrefix: "p:" })).toMatchObject({ route: "p:k" });
  });
});

describe("what is there", () => {
  test("nothing", async () => {
    expect(await client.explain("missing", { look: true })).toMatchObject({
      item: { exists: false },
    });
  });

  test("an item that nobody has read, and looking does not count as reading", async () => {
    await client.set("item", "value", { ttl: 100 });
    const look = async () => {
      const { item } = await client.explain("item", { look: true });
      if (!item?.exists) throw new Error("the item is not there");
      return item;
    };
    // memcached's clock has seconds; were looking a reading, it would stay at 0
    await until(async () => (await look()).lastAccess >= 1);
    for (let n = 0; n < 2; n++) {
      const item = await look();
      expect(item).toMatchObject({ size: 5, flags: 16, hit: false });
      expect(item.cas).toBeTypeOf("bigint");
      expect(item.ttl).toBeGreaterThan(90);
      expect(item.ttl).toBeLessThanOrEqual(102);
      expect(item.lastAccess).toBeGreaterThanOrEqual(1);
    }
    await client.get("item");
    const { item } = await client.explain("item", { look: true });
    expect(item).toMatchObject({ exists: true, hit: true });
  });

  test("an item that stays for ever, beside another key on the same server", async () => {
    await client.set("k", 1, { groupKey: "g" });
    expect(await client.explain("k", { groupKey: "g", look: true })).toMatchObject({
      server: client.serverFor("g"),
      item: { exists: true, ttl: -1, size: 1 },
    });
  });

  test("bad calls", async () => {
    await expect(client.explain("a b")).rejects.toThrow(/byte 0x20/);
    await expect(client.explain("k", { lok: true } as never)).rejects.toThrow(/mean "look"/);
    await expect(client.explain("k", { look: 1 as never })).rejects.toThrow(/look must be true/);
    await using binary = new Client(servers[0]!.address, { binary: true });
    await expect(binary.explain("k", { look: true })).rejects.toThrow(NotSupportedError);
  });
});
