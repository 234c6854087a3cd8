import { createHash } from "node:crypto";
import { Client, type ClientOptions, KeyError, OptionError } from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcached, startMemcacheds } from "../support/memcached.js";

let server: Memcached;
beforeAll(async () => {
  server = await startMemcached();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('encodeKeys: "base64"', () => {
  const odd = ["two words", "cr\r\nlf", "\0", "tab\there", " "];

  test("every call takes keys of any bytes, over text", async () => {
    await using client = new Client(server.address, { encodeKeys: "base64" });
    for (const key of odd) {
      expect(await client.get(key)).toBeUndefined();
      expect(await client.replace(key, 0)).toBe(false);
      expect(await client.add(key, "a", 100)).toBe(true);
      expect(await client.add(key, "b")).toBe(false);
      expect(await client.append(key, "c")).toBe(true);
      expect(await client.get(key)).toBe("ac");
      expect(await client.has(key)).toBe(true);
      expect(await client.touch(key, 60)).toBe(true);
      expect((await client.metaGet(key, { base64Key: true, returnTtl: true }))?.ttl).toBeLessThan(
        61,
      );
      expect(await client.getAndTouch(key, 200)).toBe("ac");
      const { cas } = (await client.gets(key))!;
      expect(await client.cas(key, 41, cas)).toBe(true);
      expect(await client.cas(key, 42, cas)).toBe(false);
      expect(await client.incr(key)).toBe(42);
      expect(await client.set(key, 1, { noreply: true })).toBe(true);
      expect(await client.add(key, 2, { noreply: true })).toBe(true);
      expect(await client.touch("not there\n", 60, { noreply: true })).toBe(true);
      expect(await client.incr("not there\n", 60, { noreply: true })).toBeUndefined();
      expect(await client.get(key)).toBe(1);
      expect(await client.delete(key)).toBe(true);
      expect(await client.delete(key)).toBe(false);
      expect(await client.touch(key, 60)).toBe(false);
    }
  });

  test("many keys of either kind are found together, on many servers", async () => {
    const servers = await startMemcacheds(3);
    await using client = new Client(
      servers.map(({ address }) => address),
      { encodeKeys: "base64", keyPrefix: "a prefix " },
    );
    const pairs = Array.from(
      { length: 60 },
      (_, i) => [i % 2 ? `odd ${i}` : `even${i}`, i] as const,
    );
    expect(await client.setMulti(pairs)).toEqual([]);
    const keys = pairs.map(([key]) => key);
    expect(await client.getMulti([...keys, "not there"])).toEqual(new Map(pairs));
    expect((await client.getsMulti(keys)).size).toBe(60);
    expect(await client.deleteMulti(["not there", ...keys])).toEqual(["not there"]);
    await Promise.all(servers.map((one) => one[Symbol.asyncDispose]()));
  });

  test("the items are those that the binary protocol finds under the same keys", async () => {
    await using text = new Client(server.address, { encodeKeys: "base64" });
    await using binary = new Client(server.address, { binary: true, encodeKeys: "base64" });
    for (const key of odd) {
      await text.set(key, key);
      expect(await binary.get(key)).toBe(key);
    }
  });

  test("186 bytes is the most that goes in base64, 250 as they are", async () => {
    await using client = new Client(server.address, { encodeKeys: "base64" });
    expect(await client.set(`${"k".repeat(185)} `, 1)).toBe(true);
    await expect(client.set(`${"k".repeat(186)} `, 1)).rejects.toThrow(KeyError);
    expect(await client.set("k".repeat(250), 1)).toBe(true);
  });

  test("other keys go as they always do, and without it odd ones are refused", async () => {
    await using client = new Client(server.address, { encodeKeys: "base64" });
    await using plain = new Client(server.address);
    await client.set("plain", 1);
    expect(await plain.get("plain")).toBe(1);
    await expect(plain.get("two words")).rejects.toThrow(KeyError);
  });
});

describe("hashLongKeys", () => {
  test("a key over 250 bytes becomes its hash behind the prefix", async () => {
    await using client = new Client(server.address, { hashLongKeys: true, keyPrefix: "app:" });
    await using plain = new Client(server.address);
    const key = "ключ-".repeat(60);
    await client.set(key, "long");
    expect(await client.get(key)).toBe("long");
    const asBytes = Buffer.from(key);
    const found = await client.getMulti<string, Buffer | string>([key, asBytes]);
    expect([found.get(key), found.get(asBytes)]).toEqual(["long", "long"]);
    const hash = createHash("sha256").update(key).digest("base64url");
    expect(await plain.get(`app:sha256-${hash}`)).toBe("long");
  });

  test.each([false, true])("the limit counts bytes and the prefix, binary: %s", async (binary) => {
    const options = { binary, hashLongKeys: true, keyPrefix: "é" };
    await using client = new Client(server.address, options);
    await using plain = new Client(server.address, { binary });
    for (const key of ["k".repeat(248), "é".repeat(124), Buffer.alloc(248, "k")]) {
      await client.set(key, "fits");
      expect(await plain.get(Buffer.concat([Buffer.from("é"), Buffer.from(key)]))).toBe("fits");
    }
    const over = "k".repeat(249);
    await client.set(over, "over");
    expect(await client.get(over)).toBe("over");
    const hash = createHash("sha256").update(over).digest("base64url");
    expect(await plain.get(`ésha256-${hash}`)).toBe("over");
  });

  test.each<[string, string]>([
    ["app:", "two words "],
    ["two words:", "k"],
  ])("a key with the prefix %j that goes in base64 has less room", async (keyPrefix, start) => {
    const options: ClientOptions = { encodeKeys: "base64", keyPrefix };
    await using client = new Client(server.address, { ...options, hashLongKeys: true });
    await using plain = new Client(server.address, options);
    const fits = start.padEnd(186 - keyPrefix.length, "k");
    const over = `${fits}k`;
    const hash = createHash("sha256").update(over).digest("base64url");
    for (const [key, stored] of [
      [fits, fits],
      [over, `sha256-${hash}`],
    ] as const) {
      await client.set(key, "text");
      expect(await plain.get(stored)).toBe("text");
      await client.set(Buffer.from(key), "bytes");
      expect(await plain.get(stored)).toBe("bytes");
    }
  });

  test("without it such a key is refused, and what is no key always", async () => {
    await using plain = new Client(server.address);
    await expect(plain.get("k".repeat(251))).rejects.toThrow(KeyError);
    await using client = new Client(server.address, { hashLongKeys: true });
    await expect(client.get("")).rejects.toThrow(KeyError);
    await expect(client.get("a b")).rejects.toThrow(KeyError);
  });
});

test.each<[string, unknown]>([
  ["an array", new Array(300).fill(1)],
  ["an object with a length", { length: 1e9 }],
  ["null", null],
  ["undefined", undefined],
  ["text that UTF-8 cannot express, and would be one with others", `${"k".repeat(300)}\ud800`],
])("hashLongKeys makes no key of what is none: %s", async (_, key) => {
  await using client = new Client(server.address, { hashLongKeys: true });
  await expect(client.get(key as never)).rejects.toThrow(KeyError);
  await expect(client.getMulti([key as never])).rejects.toThrow(KeyError);
  await expect(
    client.get("k", { keyPrefix: key === undefined ? 1 : key } as never),
  ).rejects.toThrow(KeyError);
});

test("unknown ways to encode keys are refused", () => {
  expect(() => new Client("localhost", { encodeKeys: "hex" as never })).toThrow(OptionError);
  expect(() => new Client("localhost", { hashLongKeys: 1 as never })).toThrow(OptionError);
});
