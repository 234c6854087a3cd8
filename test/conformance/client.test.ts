import {
  Client,
  ClientErrorReply,
  CodecError,
  type Key,
  NotSupportedError,
  PartialError,
} from "tslibmc";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  type TestContext,
  test,
} from "vitest";
import { type Outcome, Table } from "./table.js";
import { type Running, targets } from "./targets.js";

/** memcached's clock ticks once a second and may lag behind ours by two. */
function expectNear(seconds: number | undefined, expected: number): void {
  expect(seconds).toBeGreaterThanOrEqual(expected - 3);
  expect(seconds).toBeLessThanOrEqual(expected + 3);
}

function outcomeOf({ name, result }: TestContext["task"]): readonly [string, Outcome] {
  const said = name.replace(UNSAID, "").replace(UNSEEN, "");
  if (result?.state === "fail") return [said, "failed"];
  if (name.endsWith(UNSAID)) return [said, "not said"];
  return [said, name.endsWith(UNSEEN) ? "passed in part" : "passed"];
}

const table = new Table(targets.map(({ name }) => name));
afterAll(() => {
  if (table.has("failed")) console.log(`${table}`);
});

const UNSAID = ": not on this wire";
const UNSEEN = ": but for the ttl";

/** What every call does, the same on every kind of server and every way to reach it. */
describe.each(targets)("on $name", (target) => {
  let servers: Running;
  let client: Client;
  /** Sees over the text wire what the client did. */
  let observer: Client;
  const ttlOf = async (key: Key) => (await observer.metaGet(key, { returnTtl: true }))?.ttl;
  /** Where nobody can ask for it, it has at least not expired at once. */
  const expectTtl = async (key: Key, expected: number) => {
    if (target.hidesTtl) expect(await client.has(key)).toBe(true);
    else expectNear(await ttlOf(key), expected);
  };

  /** A case that some wires have no words for, which they have to say. */
  const testWords = (name: string, carryOut: () => Promise<void>) =>
    target.unsaid?.has(name)
      ? test(name + UNSAID, async () => {
          const error: unknown = await carryOut().catch((reason) => reason);
          const cause = error instanceof PartialError ? error.cause : error;
          expect(cause).toBeInstanceOf(NotSupportedError);
          expect(cause).toMatchObject({ sent: false });
        })
      : test(name, carryOut);

  /** A case that looks at an item's ttl. */
  const testTtl = (name: string, carryOut: () => Promise<void>) =>
    test(target.hidesTtl ? name + UNSEEN : name, carryOut);

  beforeAll(async () => {
    servers = await target.start();
    client = new Client(servers.addresses, servers.options);
    observer = new Client(servers.addresses, { ...servers.options, binary: false });
  });
  beforeEach(async () => {
    await client.flushAll();
  });
  afterEach(({ task }) => {
    const [name, outcome] = outcomeOf(task);
    table.set(name, target.name, outcome);
  });
  afterAll(async () => {
    await Promise.all([client.close(), observer.close()]);
    await servers[Symbol.asyncDispose]();
  });

  describe("reading and writing", () => {
    test("a value comes back, and a miss is undefined", async () => {
      expect(await client.set("foo", "Hello world!")).toBe(true);
      expect(await client.get("foo")).toBe("Hello world!");
      expect(await client.get("bar")).toBeUndefined();
    });

    test.each<[string, unknown]>([
      ["an empty string", ""],
      ["text past ASCII", "naïve – ключ 🗝"],
      ["text that looks like the protocol", "END\r\nVALUE foo 0 3\r\nSTORED\r\n"],
      ["true", true],
      ["false", false],
      ["zero", 0],
      ["a negative integer", -17],
      ["the largest exact integer", Number.MAX_SAFE_INTEGER],
      ["a bigint past 2^53", 2n ** 80n],
      ["a fraction", 1.5],
      ["null", null],
      ["an array", [1, "two", null, { three: 3 }]],
      ["an object", { a: { b: ["c"] }, é: "ü" }],
      ["an object with a key __proto__", JSON.parse('{"__proto__": 1}')],
      ["bytes", Buffer.from([0, 1, 13, 10, 255])],
      ["no bytes", Buffer.alloc(0)],
    ])("%s keeps its type", async (_, value) => {
      await client.set("value", value);
      expect(await client.get("value")).toEqual(value);
      expect((await client.getMulti(["value"])).get("value")).toEqual(value);
      expect((await client.gets("value"))?.value).toEqual(value);
    });

    for (const size of [1000, 16 * 1024, 16 * 1024 + 1, 64 * 1024 - 30, 64 * 1024, 500_000]) {
      testWords(`a value of ${size} bytes comes back whole, as text and as bytes`, async () => {
        const bytes = Buffer.from(Array.from({ length: size }, (_, i) => i % 251));
        await Promise.all([client.set("bytes", bytes), client.set("text", "é".repeat(size / 2))]);
        const [found, text] = await Promise.all([client.get<Buffer>("bytes"), client.get("text")]);
        expect(found?.equals(bytes)).toBe(true);
        expect(text).toBe("é".repeat(size / 2));
      });
    }

    test.each<[string, Key]>([
      ["__proto__", "__proto__"],
      ["constructor", "constructor"],
      ["with dollars", "a$$b"],
      ["past ASCII", "é"],
      ["of 250 bytes less the prefix", "k".repeat(240)],
      ["of bytes", Buffer.from("bytes-key")],
      ["of high bytes", Uint8Array.of(0x80, 0xfe, 0xff)],
    ])("a key %s is an ordinary key", async (_, key) => {
      expect(await client.set(key, 1)).toBe(true);
      expect(await client.get(key)).toBe(1);
      expect(await client.getMulti([key])).toEqual(new Map([[key, 1]]));
      expect(await client.delete(key)).toBe(true);
      expect(await client.get(key)).toBeUndefined();
    });

    test("text and its UTF-8 bytes name the same item", async () => {
      await client.set("ключ", "value");
      expect(await client.get(Buffer.from("ключ"))).toBe("value");
    });

    test("add stores only what is missing, replace only what is there", async () => {
      expect(await client.replace("k", "replaced")).toBe(false);
      expect(await client.add("k", "added")).toBe(true);
      expect(await client.add("k", "added again")).toBe(false);
      expect(await client.replace("k", "replaced")).toBe(true);
      expect(await client.get("k")).toBe("replaced");
    });

    test("append and prepend join, and miss", async () => {
      expect(await client.append("k", "x")).toBe(false);
      expect(await client.prepend("k", "x")).toBe(false);
      await client.set("k", "b");
      expect(await client.append("k", "c")).toBe(true);
      expect(await client.prepend("k", "a")).toBe(true);
      expect(await client.get("k")).toBe("abc");
    });

    test("flags of the caller's own are kept", async () => {
      await client.set("k", "text", { flags: 0 });
      expect(await client.get("k")).toEqual(Buffer.from("text"));
    });

    test("cas stores once for a token, and not after a change or a delete", async () => {
      expect(await client.gets("k")).toBeUndefined();
      await client.set("k", 1);
      const first = await client.gets<number>("k");
      expect(first?.value).toBe(1);
      expect(typeof first?.cas).toBe("bigint");
      expect(await client.cas("k", 2, first?.cas ?? 0n)).toBe(true);
      expect(await client.cas("k", 3, first?.cas ?? 0n)).toBe(false);
      expect(await client.get("k")).toBe(2);
      await client.delete("k");
      expect(await client.cas("k", 4, first?.cas ?? 0n)).toBe(false);
    });

    test("delete says whether there was an item", async () => {
      await client.set("k", 1);
      expect(await client.delete("k")).toBe(true);
      expect(await client.delete("k")).toBe(false);
    });

    test("has looks without reading", async () => {
      expect(await client.has("k")).toBe(false);
      await client.set("k", null);
      expect(await client.has("k")).toBe(true);
    });

    test("calls of one tick are carried out in their order", async () => {
      const results = await Promise.all([
        client.set("k", 1),
        client.get("k"),
        client.set("k", 2),
        client.get("k"),
        client.get("other"),
        client.incr("k", 5),
        client.get("k"),
        client.delete("k"),
        client.get("k"),
      ]);
      expect(results).toEqual([true, 1, true, 2, undefined, 7, 7, true, undefined]);
    });

    test("the same key may be read by many callers at once", async () => {
      await client.set("k", "shared");
      const found = await Promise.all(Array.from({ length: 500 }, () => client.get("k")));
      expect(new Set(found)).toEqual(new Set(["shared"]));
    });

    test("noreply writes are carried out before a later read", async () => {
      expect(await client.set("k", 1, { noreply: true })).toBe(true);
      expect(await client.incr("k", 1, { noreply: true })).toBeUndefined();
      expect(await client.get("k")).toBe(2);
      expect(await client.delete("k", { noreply: true })).toBe(true);
      expect(await client.get("k")).toBeUndefined();
    });

    testTtl("touch and flushAll go unanswered too, and shift no later answer", async () => {
      await client.setMulti({ a: 1, b: 2 });
      const unanswered = { noreply: true };
      expect(await client.touch("a", 100, unanswered)).toBe(true);
      expect(await client.touch("absent", 100, unanswered)).toBe(true);
      expect(await client.touchMulti(["b", "absent"], 200, unanswered)).toEqual([]);
      expect(await client.flush()).toBe(true);
      expect(await client.getMulti(["a", "absent", "b"])).toEqual(
        new Map(Object.entries({ a: 1, b: 2 })),
      );
      await expectTtl("a", 100);
      await expectTtl("b", 200);
      expect(await client.flushAll(unanswered)).toBe(true);
      expect(await client.flush()).toBe(true);
      expect(await client.getMulti(["a", "b"])).toEqual(new Map());
      expect(await client.touch("a", 100)).toBe(false);
    });
  });

  describe("ttl", () => {
    test("a negative ttl and a past date expire at once", async () => {
      await Promise.all([
        client.set("negative", 1, -1),
        client.set("past", 1, { ttl: new Date(Date.now() - 1000) }),
        client.set("forever", 1, 0),
      ]);
      expect(await client.getMulti(["negative", "past", "forever"])).toEqual(
        new Map([["forever", 1]]),
      );
    });

    testTtl("31 days are kept, though memcached takes such a number for a date", async () => {
      await client.set("k", 1, 31 * 86400);
      await expectTtl("k", 31 * 86400);
    });

    testTtl("a Date is when the item ends", async () => {
      await client.set("k", 1, new Date(Date.now() + 100_000));
      await expectTtl("k", 100);
    });

    testTtl("touch, getAndTouch and getsAndTouch give a new ttl", async () => {
      await client.set("k", "v");
      await expectTtl("k", -1);
      expect(await client.touch("k", 50)).toBe(true);
      await expectTtl("k", 50);
      expect(await client.getAndTouch("k", 500)).toBe("v");
      await expectTtl("k", 500);
      const touched = await client.getsAndTouch("k", 5000);
      expect(touched?.value).toBe("v");
      await expectTtl("k", 5000);
      expect(await client.cas("k", "w", touched?.cas ?? 0n)).toBe(true);
      expect(await client.touch("none", 50)).toBe(false);
      expect(await client.getAndTouch("none", 50)).toBeUndefined();
      expect(await client.getsAndTouch("none", 50)).toBeUndefined();
    });
  });

  describe("many keys", () => {
    const keys = Array.from({ length: 1234 }, (_, i) => `key-${i}`);

    test("setMulti, getMulti and deleteMulti of 1,234 keys", async () => {
      expect(await client.setMulti(keys.map((key, i) => [key, i] as const))).toEqual([]);
      const found = await client.getMulti([...keys, "missing"]);
      expect(found).toEqual(new Map(keys.map((key, i) => [key, i])));
      expect(await client.deleteMulti(["missing", ...keys])).toEqual(["missing"]);
      expect(await client.getMulti(keys)).toEqual(new Map());
    });

    test("a mapping may be a Map, pairs or an object", async () => {
      await client.setMulti(new Map([["a", 1]]));
      await client.setMulti([["b", 2]]);
      await client.setMulti({ c: 3 }, { ttl: 100 });
      expect(await client.getMulti(new Set(["a", "b", "c"]))).toEqual(
        new Map([
          ["a", 1],
          ["b", 2],
          ["c", 3],
        ]),
      );
    });

    test("nothing asked is nothing found", async () => {
      expect(await client.getMulti([])).toEqual(new Map());
      expect(await client.setMulti({})).toEqual([]);
      expect(await client.deleteMulti([])).toEqual([]);
      expect(await client.incrMulti([])).toEqual(new Map());
    });

    test("keys asked twice are found once, and null is a value", async () => {
      await client.set("a", null);
      expect(await client.getMulti(["a", "a"])).toEqual(new Map([["a", null]]));
    });

    test("what is found is in the order of the keys, and each key finds its item", async () => {
      await client.setMulti({ a: 1, b: 2, c: 3, d: 4, e: 5 });
      const found = await client.getMulti(["e", "missing", "b", "a", "b", "also", "d"]);
      expect([...found]).toEqual([
        ["e", 5],
        ["b", 2],
        ["a", 1],
        ["d", 4],
      ]);
      const bytes = [Buffer.from("c"), Buffer.from("c")];
      expect([
        ...(await client.getMulti<number, Buffer | string>([...bytes, "c"])).values(),
      ]).toEqual([3, 3, 3]);
    });

    test("keyPrefix is put in front and left out of the results", async () => {
      await client.setMulti({ a: 1, b: 2 }, { keyPrefix: "p:" });
      expect(await client.get("p:a")).toBe(1);
      expect(await client.getMulti(["a", "b", "c"], { keyPrefix: "p:" })).toEqual(
        new Map([
          ["a", 1],
          ["b", 2],
        ]),
      );
    });

    test("addMulti names the keys that were there", async () => {
      await client.set("b", "old");
      expect(await client.addMulti({ a: 1, b: 2, c: 3 })).toEqual(["b"]);
      expect(await client.get("b")).toBe("old");
    });

    test("getsMulti gives each value its token", async () => {
      await client.setMulti({ a: 1, b: 2 });
      const found = await client.getsMulti(["a", "b", "c"]);
      expect([...found.keys()]).toEqual(expect.arrayContaining(["a", "b"]));
      expect(found.size).toBe(2);
      expect(await client.cas("a", 10, found.get("a")?.cas ?? 0n)).toBe(true);
      expect(await client.cas("a", 11, found.get("a")?.cas ?? 0n)).toBe(false);
    });

    test("touchMulti names the keys that were not there", async () => {
      await client.setMulti({ a: 1, b: 2 });
      expect(await client.touchMulti(["a", "none", "b"], 60)).toEqual(["none"]);
    });
  });

  describe("counting", () => {
    test("incr and decr give the new number, and undefined on a miss", async () => {
      expect(await client.incr("n")).toBeUndefined();
      await client.set("n", 10);
      expect(await client.incr("n")).toBe(11);
      expect(await client.incr("n", 9)).toBe(20);
      expect(await client.decr("n", 15)).toBe(5);
      expect(await client.decr("n", 15)).toBe(0);
      expect(await client.get("n")).toBe(0);
    });

    test("a counter that lost digits reads as a number", async () => {
      await client.set("n", 100);
      expect(await client.decr("n", 95)).toBe(5);
      expect(await client.get("n")).toBe(5);
    });

    testTtl("initial makes a missing counter, with a ttl", async () => {
      expect(await client.incr("n", 5, { initial: 100, ttl: 60 })).toBe(100);
      expect(await client.incr("n", 5, { initial: 100 })).toBe(105);
      expect(await client.decr("m", 5, { initial: 3 })).toBe(3);
      expect(await client.incr("o", 5n, { initial: 2n ** 60n })).toBe(2n ** 60n);
      expect(await client.incrMulti(["n", "p"], 1, { initial: 7 })).toEqual(
        new Map([
          ["n", 106],
          ["p", 7],
        ]),
      );
      expect(await client.getMulti(["n", "m", "p"])).toEqual(
        new Map([
          ["n", 106],
          ["m", 3],
          ["p", 7],
        ]),
      );
      await expectTtl("n", 60);
    });

    test("many callers make a counter once and count all of themselves", async () => {
      const counts = await Promise.all(
        Array.from({ length: 100 }, () => client.incr("n", 1, { initial: 1 })),
      );
      expect(new Set(counts).size).toBe(100);
      expect(await client.get("n")).toBe(100);
    });

    test("64 bits are exact as bigints, and never rounded as numbers", async () => {
      await client.set("n", 2n ** 53n);
      expect(await client.incr("n", 1n)).toBe(2n ** 53n + 1n);
      await expect(client.incr("n", 1)).rejects.toThrow(CodecError);
      expect(await client.get("n")).toBe(2n ** 53n + 2n);
      await client.set("n", 2n ** 64n - 1n);
      expect(await client.incr("n", 1n)).toBe(0n);
    });

    test("what is no number is the server's error, and nothing else suffers", async () => {
      await client.set("text", "abc");
      const [refused, found] = await Promise.allSettled([client.incr("text"), client.get("text")]);
      expect(refused).toMatchObject({ status: "rejected", reason: { sent: true, retcode: 9 } });
      expect((refused as PromiseRejectedResult).reason).toBeInstanceOf(ClientErrorReply);
      expect(found).toEqual({ status: "fulfilled", value: "abc" });
    });

    test("incrMulti and decrMulti, with one delta or one for each key", async () => {
      await client.setMulti({ a: 1, b: 10 });
      expect(await client.incrMulti(["a", "b", "none"], 5)).toEqual(
        new Map([
          ["a", 6],
          ["b", 15],
        ]),
      );
      const deltas = new Map([
        ["a", 1],
        ["b", 2],
      ]);
      expect(await client.decrMulti(deltas)).toEqual(
        new Map([
          ["a", 5],
          ["b", 13],
        ]),
      );
    });
  });

  describe("about servers", () => {
    testWords("verbosity speaks to every server", async () => {
      expect(await client.verbosity(0)).toBe(true);
    });

    test("version and stats speak of every server", async () => {
      const version = await client.version();
      expect(version.size).toBe(servers.addresses.length);
      for (const text of version.values()) expect(text).toMatch(/^1\.6\./);
      const stats = await client.getStats();
      expect([...stats.keys()].sort()).toEqual([...version.keys()].sort());
      for (const { pid, version, curr_items, limit_maxbytes } of stats.values()) {
        expect(typeof pid).toBe("number");
        expect(version).toMatch(/^1\.6\./);
        expect(typeof curr_items).toBe("number");
        expect(limit_maxbytes).toBe(64 * 1024 * 1024);
      }
      for (const settings of (await client.getStats("settings")).values()) {
        expect(settings["item_size_max"]).toBe(1024 * 1024);
      }
    });

    test("flushAll empties every server", async () => {
      const keys = Array.from({ length: 50 }, (_, i) => `key-${i}`);
      await client.setMulti(keys.map((key) => [key, 1] as const));
      expect(await client.flushAll()).toBe(true);
      expect(await client.getMulti(keys)).toEqual(new Map());
    });

    test("flushAll with a delay keeps the items until then", async () => {
      await client.set("k", 1);
      expect(await client.flushAll({ delay: 60 })).toBe(true);
      expect(await client.get("k")).toBe(1);
    });

    test("after disconnectAll the next call connects again", async () => {
      await client.set("k", 1);
      client.disconnectAll();
      expect(await client.get("k")).toBe(1);
    });

    test("a clone has the same keys and its own life", async () => {
      const clone = client.clone();
      await client.set("k", 1);
      expect(await clone.get("k")).toBe(1);
      await clone.close();
      expect(await client.get("k")).toBe(1);
    });
  });

  describe("meta commands", () => {
    testWords("metaGet tells what it was asked", async () => {
      await client.metaSet("k", "value", { ttl: 100, returnCas: true });
      await client.get("k");
      const item = await client.metaGet("k", {
        returnCas: true,
        returnFlags: true,
        returnHitBefore: true,
        returnKey: true,
        returnLastAccess: true,
        returnSize: true,
        returnTtl: true,
        opaque: "o-1",
      });
      expect(item).toMatchObject({
        value: "value",
        flags: 16,
        hitBefore: true,
        lastAccess: 0,
        size: 5,
        opaque: "o-1",
        won: false,
        alreadyWon: false,
        stale: false,
      });
      expect(item?.key).toMatch(/k$/);
      expect(typeof item?.cas).toBe("bigint");
      expectNear(item?.ttl, 100);
      expect(await client.metaGet("none")).toBeUndefined();
    });

    testWords("vivify hands the right to write to one reader", async () => {
      const first = await client.metaGet("k", { vivify: 30 });
      const second = await client.metaGet("k", { vivify: 30 });
      expect(first).toMatchObject({ won: true });
      expect(second).toMatchObject({ won: false, alreadyWon: true });
    });

    testWords("a stale item is given once with the right to write it anew", async () => {
      await client.set("k", "old");
      expect(await client.metaDelete("k", { invalidate: true, ttl: 30 })).toMatchObject({
        status: "deleted",
      });
      expect(await client.metaGet("k")).toMatchObject({ value: "old", stale: true, won: true });
      expect(await client.metaGet("k")).toMatchObject({ stale: true, won: false });
    });

    test("modes, tokens and statuses of metaSet and metaDelete", async () => {
      expect(await client.metaSet("k", "v", { mode: "replace" })).toMatchObject({
        status: "notStored",
      });
      const { cas } = await client.metaSet("k", "v", { mode: "add", returnCas: true });
      expect(await client.metaSet("k", "w", { compareCas: (cas ?? 0n) + 999n })).toMatchObject({
        status: "exists",
      });
      expect(await client.metaDelete("k", { compareCas: (cas ?? 0n) + 999n })).toMatchObject({
        status: "exists",
      });
      expect(await client.metaDelete("k", { compareCas: cas })).toMatchObject({
        status: "deleted",
      });
      expect(await client.metaDelete("k")).toMatchObject({ status: "notFound" });
      expect(await client.metaSet("k", "w", { compareCas: 1n })).toMatchObject({
        status: "notFound",
      });
    });

    testWords("metaArithmetic with an initial number", async () => {
      expect(await client.metaArithmetic("n")).toMatchObject({ status: "notFound" });
      expect(
        await client.metaArithmetic("n", { initial: 7, initialTtl: 50, returnTtl: true }),
      ).toMatchObject({ status: "changed", value: 7 });
      expect(await client.metaArithmetic("n", { mode: "decr", delta: 2 })).toMatchObject({
        value: 5,
      });
    });

    test("a key of any bytes goes in base64", async () => {
      const key = "two words\r\n\0";
      expect(await client.metaSet(key, "v", { base64Key: true })).toMatchObject({
        status: "stored",
      });
      expect(await client.metaGet(key, { base64Key: true })).toMatchObject({ value: "v" });
      expect(await client.metaDelete(key, { base64Key: true })).toMatchObject({
        status: "deleted",
      });
    });

    testWords("metaDebug tells what the server knows", async () => {
      await client.set("k", "v");
      expect(await client.metaDebug("k")).toMatchObject({ fetch: "no", exp: "-1" });
      expect(await client.metaDebug("none")).toBeUndefined();
      const key = "two words";
      await client.metaSet(key, "v", { base64Key: true });
      expect(await client.metaDebug(key, { base64Key: true })).toMatchObject({ fetch: "no" });
    });
  });
});
