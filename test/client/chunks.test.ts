import { randomBytes } from "node:crypto";
import {
  ArgumentError,
  Client,
  ClientErrorReply,
  type ClientOptions,
  CodecError,
  OptionError,
  PartialError,
  TimeoutError,
  ValueTooLargeError,
} from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { runPython } from "../support/python.js";
import { ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { PATIENT } from "../support/use.js";

const MIB = 1024 * 1024;

/** The flags of manifests and chunks. */
const CHUNKED = 1032;

/** Small enough to make many chunks of little. */
const SMALL = { ...PATIENT, chunk: { size: 256 } } as const;

describe("values in chunks", () => {
  let servers: Memcached[];
  let addresses: string[];
  let one: string;

  beforeAll(async () => {
    servers = await startMemcacheds(3, { args: ["-m", "512"] });
    addresses = servers.map(({ address }) => address);
    [one] = addresses as [string];
  });
  afterAll(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

  /** What is stored under a key, as it is. */
  async function stored(key: string, options: ClientOptions = {}) {
    await using raw = new Client(addresses, { ...options, serializer: "raw" });
    const item = await raw.metaGet<Buffer>(key, { returnFlags: true, returnTtl: true });
    return item && { text: item.value?.toString() ?? "", flags: item.flags, ttl: item.ttl };
  }

  test("one that has just the size of a chunk is stored as it is", async () => {
    await using client = new Client(addresses, SMALL);
    await client.set("just", "x".repeat(256));
    await client.set("over", "x".repeat(257));
    expect((await stored("just"))?.text).toBe("x".repeat(256));
    expect((await stored("over"))?.flags).toBe(CHUNKED);
  });

  /** The keys of a value's chunks. */
  async function chunkKeys(key: string): Promise<string[]> {
    const [, id, , size, chunkSize] = /^chunks 1 (\S+) (\d+) (\d+) (\d+)\.$/.exec(
      (await stored(key))?.text ?? "",
    ) as RegExpExecArray;
    const count = Math.ceil(Number(size) / Number(chunkSize));
    return Array.from({ length: count }, (_, index) => `${key}:${id}:${index}`);
  }

  /** A key of which a server has the manifest. */
  function keyOn(client: Client, server: string): string {
    for (let i = 0; ; i++) {
      if (client.serverFor(`on-${i}`).name === server) return `on-${i}`;
    }
  }

  async function itemsOf(address: string): Promise<number> {
    await using client = new Client(address);
    const stats = await client.getStats();
    return Number(stats.get(address)?.["curr_items"]);
  }

  describe("past memcached's own limit", () => {
    test.each([1, MIB - 1025, MIB - 1024, MIB - 1023, MIB, MIB + 1, 2 * MIB, 10 * MIB + 7])(
      "%i bytes are read as they were written",
      async (size) => {
        await using client = new Client(addresses, { chunk: true, timeoutMs: 10_000 });
        const bytes = randomBytes(size);
        expect(await client.set(`size-${size}`, bytes)).toBe(true);
        expect(bytes.equals((await client.get<Buffer>(`size-${size}`)) as Buffer)).toBe(true);
        const isChunked = (await stored(`size-${size}`))?.flags === CHUNKED;
        expect(isChunked).toBe(size > MIB - 1024);
      },
    );

    test("text, JSON and pickles are what they were", async () => {
      const text = "naïve ".repeat(400_000);
      const object = { rows: Array.from({ length: 100_000 }, (_, id) => ({ id, text: "é" })) };
      await using json = new Client(addresses, { chunk: true, timeoutMs: 10_000 });
      await using pickle = new Client(addresses, {
        chunk: true,
        serializer: "pickle",
        timeoutMs: 10_000,
      });
      await json.setMulti({ text, object });
      await pickle.set("pickle", object);
      expect(await json.get("text")).toBe(text);
      expect(await pickle.getMulti(["object", "pickle", "text"])).toEqual(
        new Map<string, unknown>([
          ["object", object],
          ["pickle", object],
          ["text", text],
        ]),
      );
    });

    test("compression comes first, and encryption binds the whole", async () => {
      const keys = [{ id: "k", secret: Buffer.alloc(32, 1) }];
      await using client = new Client(addresses, {
        chunk: true,
        compress: true,
        encryption: { keys },
        timeoutMs: 10_000,
      });
      const bytes = randomBytes(3 * MIB);
      await client.setMulti({ dense: bytes, light: "a".repeat(3 * MIB) });
      expect(bytes.equals((await client.get<Buffer>("dense")) as Buffer)).toBe(true);
      expect(await client.get("light")).toBe("a".repeat(3 * MIB));
      expect((await stored("light"))?.flags).toBe(256);
      expect((await stored("dense"))?.flags).toBe(CHUNKED);
    });

    test("flags of a serializer's own are never taken for those of a manifest", async () => {
      await using client = new Client<string>(addresses, {
        chunk: true,
        compress: { minLength: 1 },
        serializer: {
          serialize: (data) => ({ data, flags: 1024 }),
          deserialize: (data, flags) => `${flags}: ${Buffer.from(data).toString()}`,
        },
      });
      await client.set("own-flags", "a".repeat(1000));
      expect((await stored("own-flags"))?.flags).toBe(1024);
      expect(await client.get("own-flags")).toBe(`1024: ${"a".repeat(1000)}`);
    });

    test("without the option such values are refused, and not read", async () => {
      await using client = new Client(addresses, { chunk: true });
      await using plain = new Client(addresses);
      await client.set("plain", Buffer.alloc(2 * MIB));
      await expect(plain.set("plain", Buffer.alloc(2 * MIB))).rejects.toThrow(ValueTooLargeError);
      await expect(plain.get("plain")).rejects.toThrow(/option chunk/);
      const [key = ""] = await chunkKeys("plain");
      await expect(plain.get(key)).rejects.toThrow(CodecError);
    });

    test("pylibmc fails on a manifest instead of taking it for a value", async () => {
      await using client = new Client(addresses, { chunk: true });
      await client.set("python", Buffer.alloc(2 * MIB));
      const script = `
        import pylibmc
        def read(key):
            try:
                return repr(pylibmc.Client(input[0]).get(key))
            except pylibmc.Error as error:
                return str(error)
        output = [read(key) for key in input[1]]
      `;
      const keys = ["python", ...(await chunkKeys("python"))];
      const answers = await runPython<string[]>(script, [addresses, keys]);
      expect(answers).toHaveLength(4);
      for (const answer of answers) expect(answer).toContain("Failed to decompress value");
    });
  });

  describe("keys", () => {
    test.each<[string, string, ClientOptions]>([
      ["of 250 bytes", "k".repeat(250), {}],
      ["of 250 bytes in UTF-8", "é".repeat(125), {}],
      ["behind a long prefix", "k", { keyPrefix: "p".repeat(240) }],
      ["behind a prefix", "k", { keyPrefix: "prefix:" }],
      ["that are sent in base64", "a key\n".repeat(31), { encodeKeys: "base64" }],
      ["of any bytes, in binary", " \n".repeat(125), { binary: true }],
    ])("%s have chunks of their own", async (_, key, options) => {
      await using client = new Client(addresses, { ...SMALL, ...options });
      const value = randomBytes(5000).toString("hex");
      expect(await client.set(key, value)).toBe(true);
      expect(await client.get(key)).toBe(value);
      expect(await client.touch(key, 100)).toBe(true);
      expect(await client.delete(key)).toBe(true);
      expect(await client.get(key)).toBeUndefined();
    });

    test("keys that begin alike do not share chunks", async () => {
      await using client = new Client(addresses, SMALL);
      const keys = ["a", "b", "c"].map((end) => "long".repeat(62) + end);
      await client.setMulti(keys.map((key) => [key, key.repeat(5)] as const));
      expect(await client.getMulti(keys)).toEqual(new Map(keys.map((key) => [key, key.repeat(5)])));
    });

    test("chunks are spread over the servers, or follow the group key", async () => {
      const fresh = await startMemcacheds(3);
      const names = fresh.map(({ address }) => address);
      // The default hash puts keys that differ in their last digits alone next to each other.
      await using client = new Client(names, { ...SMALL, behaviors: { hash: "md5" } });
      await client.set("spread", "s".repeat(256 * 120));
      const spread = await Promise.all(names.map(itemsOf));
      expect(spread[0]! + spread[1]! + spread[2]!).toBe(121);
      for (const count of spread) expect(count).toBeGreaterThan(1);
      const groupKey = "group";
      await client.set("grouped", "g".repeat(256 * 50), { groupKey });
      const grouped = await Promise.all(names.map(itemsOf));
      const { index } = client.serverFor(groupKey);
      expect(grouped.map((count, i) => count - spread[i]!)).toEqual(
        names.map((_, i) => (i === index ? 51 : 0)),
      );
      expect(await client.get("grouped", { groupKey })).toBe("g".repeat(256 * 50));
      await Promise.all(fresh.map((server) => server[Symbol.asyncDispose]()));
    });

    test("a prefix of the call goes before chunks too", async () => {
      await using client = new Client(addresses, SMALL);
      await client.set("key", "v".repeat(1000), { keyPrefix: "call:" });
      expect(await client.get("key", { keyPrefix: "call:" })).toBe("v".repeat(1000));
      expect((await chunkKeys("call:key"))[3]).toMatch(/^call:key:[\w-]{22}:3$/);
    });
  });

  describe("a value of which a chunk is lost", () => {
    test.each([0, 2, 3])("chunk %i: every read is a miss", async (index) => {
      await using client = new Client(addresses, SMALL);
      const key = `lost-${index}`;
      await client.setMulti({ [key]: "v".repeat(1000), whole: "w".repeat(1000), small: 1 });
      expect(await client.delete((await chunkKeys(key))[index] ?? "")).toBe(true);
      expect(await client.get(key)).toBeUndefined();
      expect(await client.gets(key)).toBeUndefined();
      expect(await client.getAndTouch(key, 10)).toBeUndefined();
      expect(await client.getsAndTouch(key, 10)).toBeUndefined();
      expect((await client.metaGet(key))?.value).toBeUndefined();
      expect(await client.touch(key, 10)).toBe(false);
      const untouched = await client.touchMulti([key, "whole", "small", "none"], 10);
      expect(untouched.sort()).toEqual([key, "none"]);
      const kept = new Map<string, unknown>([
        ["whole", "w".repeat(1000)],
        ["small", 1],
      ]);
      expect(await client.getMulti([key, "whole", "small", "none"])).toEqual(kept);
      const withCas = await client.getsMulti([key, "whole", "small"]);
      expect(new Map([...withCas].map(([name, { value }]) => [name, value]))).toEqual(kept);
    });

    test("a chunk of another length or kind is a lost chunk", async () => {
      await using client = new Client(addresses, SMALL);
      await using plain = new Client(addresses, { serializer: "raw" });
      await client.set("changed", "v".repeat(1000));
      const [first = "", second = ""] = await chunkKeys("changed");
      await plain.set(first, "x".repeat(256));
      expect(await client.get("changed")).toBeUndefined();
      await plain.set(first, "x".repeat(256), { flags: CHUNKED });
      expect(await client.get("changed")).toBe("x".repeat(256) + "v".repeat(744));
      await plain.append(second, "x");
      expect(await client.get("changed")).toBeUndefined();
    });
  });

  describe("storing", () => {
    test("add, replace and cas do what they say, and leave no chunks if they do not", async () => {
      await using client = new Client(one, SMALL);
      const before = await itemsOf(one);
      const first = "1".repeat(1000);
      const second = "2".repeat(1000);
      expect(await client.replace("verbs", first)).toBe(false);
      expect(await client.add("verbs", first)).toBe(true);
      expect(await client.add("verbs", second)).toBe(false);
      expect(await client.addMulti({ verbs: second })).toEqual(["verbs"]);
      expect(await client.get("verbs")).toBe(first);
      const { cas = 0n } = (await client.gets("verbs")) ?? {};
      expect(await client.cas("verbs", second, cas + 1_000_000n)).toBe(false);
      await until(async () => (await itemsOf(one)) === before + 5);
      expect(await client.cas("verbs", second, cas)).toBe(true);
      expect(await client.get("verbs")).toBe(second);
      expect(await client.replace("verbs", first)).toBe(true);
      expect(await client.get("verbs")).toBe(first);
    });

    test("flags of the call are the value's, and the ttl is that of all its items", async () => {
      await using client = new Client(addresses, SMALL);
      await client.set("flags", "v".repeat(1000), { flags: 1 << 16, ttl: 1000 });
      expect(await client.get("flags")).toEqual(Buffer.from("v".repeat(1000)));
      const keys = await chunkKeys("flags");
      expect(keys).toHaveLength(4);
      for (const key of ["flags", ...keys]) {
        const item = await stored(key);
        expect(item?.flags).toBe(CHUNKED);
        expect(item?.ttl).toBeGreaterThan(990);
        expect(item?.ttl).toBeLessThanOrEqual(1000);
      }
    });

    test("touch, touchMulti and getAndTouch reach every chunk", async () => {
      for (const binary of [false, true]) {
        await using client = new Client(addresses, { ...SMALL, binary });
        const ttls = async () =>
          Promise.all(["touch", ...(await chunkKeys("touch"))].map((key) => stored(key)));
        await client.set("touch", "v".repeat(1000), 1000);
        expect(await client.touch("touch", 2000)).toBe(true);
        for (const item of await ttls()) expect(item?.ttl).toBeGreaterThan(1990);
        expect(await client.touchMulti(["touch"], 3000)).toEqual([]);
        for (const item of await ttls()) expect(item?.ttl).toBeGreaterThan(2990);
        expect(await client.getAndTouch("touch", 4000)).toBe("v".repeat(1000));
        for (const item of await ttls()) expect(item?.ttl).toBeGreaterThan(3990);
      }
    });

    test("wrong arguments of a call on many keys are no server's failure", async () => {
      await using client = new Client(addresses, SMALL);
      const calls = [
        () => client.touchMulti(["args"], Number.NaN),
        () => client.setMulti({ args: "v".repeat(1000), small: 1 }, { ttl: Number.NaN }),
        () => client.setMulti({ args: "v".repeat(1000), small: 1 }, { flags: -1 }),
      ];
      for (const call of calls) await expect(call()).rejects.toThrow(OptionError);
      expect(await client.has("args")).toBe(false);
    });

    test("silent calls store values in chunks too", async () => {
      await using client = new Client(addresses, SMALL);
      expect(await client.set("silent", "v".repeat(1000), { noreply: true })).toBe(true);
      expect(await client.get("silent")).toBe("v".repeat(1000));
    });

    test("calls on a key keep their order", async () => {
      await using client = new Client(addresses, SMALL);
      const large = "large".repeat(1000);
      const results = await Promise.all([
        client.set("order", "first"),
        client.set("order", large),
        client.get("order"),
        client.set("order", "last"),
        client.append("order", "!"),
        client.get("order"),
      ]);
      expect(results).toEqual([true, true, large, true, true, "last!"]);
    });

    test("calls behind many values keep their order, while one of these is compressed", async () => {
      await using client = new Client(addresses, { ...SMALL, timeoutMs: 10_000 });
      const large = randomBytes(100_000).toString("base64");
      const results = await Promise.all([
        client.setMulti({ "order-large": large, "order-small": 1 }, { compress: true }),
        client.get("order-large"),
        client.getMulti(["order-small"]),
        client.set("order-large", "last"),
        client.incr("order-small"),
      ]);
      const small = new Map([["order-small", 1]]);
      expect(results).toEqual([[], large, small, true, 2]);
      expect(await client.get("order-large")).toBe("last");
    });

    test("a value among many that cannot be encoded fails the call, and nothing is sent", async () => {
      await using client = new Client(addresses, {
        ...SMALL,
        serializer: {
          serialize: async (value) => {
            if (value === "none") throw new CodecError("it has no bytes");
            return { data: String(value), flags: 0 };
          },
          deserialize: (data) => Buffer.from(data).toString(),
        },
      });
      const storing = client.setMulti({ "some-first": "v".repeat(1000), "some-none": "none" });
      const error: unknown = await storing.catch((reason) => reason);
      expect(error).toMatchObject({ constructor: CodecError, key: "some-none" });
      expect(await client.get("some-first")).toBeUndefined();
    });

    test("what is too large, or wrong, leaves nothing behind", async () => {
      await using client = new Client(one, { chunk: { size: 256, maxSize: 1000 } });
      const before = await itemsOf(one);
      await client.set("limit", "v".repeat(1000));
      await expect(client.set("limit", "v".repeat(1001))).rejects.toMatchObject({
        code: "ERR_MEMCACHED_VALUE_TOO_LARGE",
        size: 1001,
        limit: 1000,
      });
      await expect(client.set("wrong", "v".repeat(999), { ttl: 0.5 })).rejects.toThrow(OptionError);
      await expect(client.set("wrong", "v".repeat(999), { flags: -1 })).rejects.toThrow(
        ArgumentError,
      );
      const noreply = "yes" as unknown as boolean;
      await expect(client.set("wrong", "v".repeat(999), { noreply })).rejects.toThrow(OptionError);
      await expect(client.setMulti({ wrong: "v".repeat(1001), right: 1 })).rejects.toThrow(
        PartialError,
      );
      await until(async () => (await itemsOf(one)) === before + 6);
      expect(await client.get("limit")).toBe("v".repeat(1000));
    });

    test("a value that cannot be encoded fails its call and nothing else", async () => {
      await using client = new Client<string>(addresses, {
        ...SMALL,
        serializer: {
          serialize: () => Promise.reject(new Error("no")),
          deserialize: (data) => String(data),
        },
      });
      const unhandled: unknown[] = [];
      const listen = (error: unknown) => unhandled.push(error);
      process.on("unhandledRejection", listen);
      const calls = [
        client.set("encoded", "v"),
        client.append("encoded", "v"),
        client.setMulti({ encoded: "v", other: "w" }),
        client.set("encoded", "v", { timeoutMs: -1 }),
        client.append("encoded", "v", { timeoutMs: -1 }),
      ];
      for (const call of calls)
        await expect(call).rejects.toThrow(/serialize\(\) failed|timeoutMs/);
      await new Promise(setImmediate);
      process.off("unhandledRejection", listen);
      expect(unhandled).toEqual([]);
    });

    test("nothing is added to a manifest, and it is no counter", async () => {
      for (const binary of [false, true]) {
        await using client = new Client(addresses, { ...SMALL, binary });
        await client.setMulti({ joined: "v".repeat(1000), short: "b" });
        await expect(client.append("joined", "x")).rejects.toThrow(CodecError);
        await expect(client.prepend("joined", "x")).rejects.toThrow(/in chunks/);
        await expect(client.incr("joined")).rejects.toThrow(ClientErrorReply);
        expect(await client.get("joined")).toBe("v".repeat(1000));
        expect(await client.append("short", "c")).toBe(true);
        expect(await client.prepend("short", "a")).toBe(true);
        expect(await client.append("none", "x")).toBe(false);
        expect(await client.get("short")).toBe("abc");
        await using plain = new Client(addresses, { binary });
        await plain.append("joined", "5");
        await expect(client.get("joined")).rejects.toThrow(/something was added/);
      }
    });
  });

  describe("several writers", () => {
    test("a reader never sees two of them mixed, and every writer's value is whole", async () => {
      const clients = Array.from({ length: 4 }, () => new Client(addresses, SMALL));
      const written = (writer: number, round: number) =>
        `${writer}.${round};`.repeat(700 + 13 * writer + round);
      const isWhole = (value: string) => {
        const [writer, round] = value.slice(0, value.indexOf(";")).split(".").map(Number);
        return value === written(writer!, round!);
      };
      let writing = true;
      let seen = 0;
      const readers = clients.map(async (client) => {
        while (writing) {
          const value = await client.get<string>("race");
          if (value === undefined) continue;
          expect(isWhole(value)).toBe(true);
          seen++;
        }
      });
      await Promise.all(
        clients.map(async (client, writer) => {
          for (let round = 0; round < 60; round++) {
            const value = written(writer, round);
            if (round % 3 !== 2) expect(await client.set("race", value)).toBe(true);
            else {
              const { cas = 0n } = (await client.gets<string>("race")) ?? {};
              await client.cas("race", value, cas);
            }
          }
        }),
      );
      writing = false;
      await Promise.all(readers);
      expect(seen).toBeGreaterThan(20);
      expect(isWhole((await clients[0]!.get<string>("race")) ?? "")).toBe(true);
      await Promise.all(clients.map((client) => client.close()));
    });

    test("of those who add at once, one is right", async () => {
      await using client = new Client(addresses, SMALL);
      const values = Array.from({ length: 8 }, (_, i) => String(i).repeat(1000));
      const clients = values.map(() => new Client(addresses, SMALL));
      const added = await Promise.all(values.map((value, i) => clients[i]!.add("adders", value)));
      expect(added.filter(Boolean)).toHaveLength(1);
      expect(await client.get("adders")).toBe(values[added.indexOf(true)]);
      await Promise.all(clients.map((each) => each.close()));
    });
  });

  describe("faults", () => {
    test("a server that is lost is an error, and no miss", async () => {
      const [lost] = await startMemcacheds(1);
      await using server = lost!;
      await using client = new Client([one, server.address], SMALL);
      const key = keyOn(client, one);
      await client.set(key, "v".repeat(256 * 30), { timeoutMs: 5000 });
      await server.kill();
      await expect(client.get(key)).rejects.toMatchObject({ server: server.address });
      const error = await client.getMulti([key]).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(PartialError);
      await expect(client.set(key, "w".repeat(256 * 30))).rejects.toMatchObject({
        server: server.address,
      });
    });

    test("the deadline is that of the whole call, and an abort ends it", async () => {
      await using silent = await ScriptedServer.start();
      await using writer = new Client(addresses.slice(0, 2), SMALL);
      await using client = new Client([one, silent.address], SMALL);
      const key = keyOn(writer, one);
      const value = "v".repeat(256 * 30);
      await writer.set(key, value);
      await expect(client.get(key, { timeoutMs: 100 })).rejects.toThrow(TimeoutError);
      await expect(client.set(key, value, { timeoutMs: 100 })).rejects.toThrow(TimeoutError);
      await expect(client.touch(key, 1000, { timeoutMs: 100 })).rejects.toThrow(TimeoutError);
      for (const call of [client.get.bind(client, key), client.set.bind(client, key, value)]) {
        const controller = new AbortController();
        const aborted = call({ timeoutMs: 60_000, signal: controller.signal });
        setTimeout(() => controller.abort(new Error("enough")), 20);
        await expect(aborted).rejects.toThrow("enough");
      }
      expect(await writer.get(key)).toBe(value);
      await client.close({ drainMs: 0 });
    });
  });

  describe("a manifest", () => {
    const id = "A".repeat(22);
    test.each([
      ["nothing", ""],
      ["another version", `chunks 2 ${id} 0 1000 256.`],
      ["an id of another length", `chunks 1 ${id}A 0 1000 256.`],
      ["an id that would leave its key", `chunks 1 ${"A".repeat(21)}\n 0 1000 256.`],
      ["flags past 32 bits", `chunks 1 ${id} 4294967296 1000 256.`],
      ["an empty value", `chunks 1 ${id} 0 0 256.`],
      ["chunks that are too small", `chunks 1 ${id} 0 1000 255.`],
      ["a negative size", `chunks 1 ${id} 0 -1 256.`],
      ["no end", `chunks 1 ${id} 0 1000 256`],
      ["more", `chunks 1 ${id} 0 1000 256.0`],
      ["much more", `chunks 1 ${id} 0 1000 256.${" ".repeat(100_000)}`],
      ["less", `hunks 1 ${id} 0 1000 256.`],
    ])("that says %s is a CodecError", async (_, text) => {
      await using client = new Client(one, SMALL);
      await using raw = new Client(one, { serializer: "raw" });
      await raw.set("forged", text, { flags: CHUNKED });
      await expect(client.get("forged")).rejects.toThrow(CodecError);
      await expect(client.touch("forged", 1)).rejects.toThrow(CodecError);
    });

    test("of more than the limit is not followed, and one of much that is not there costs nothing", async () => {
      await using client = new Client(one, { chunk: true });
      await using raw = new Client(one, { serializer: "raw" });
      const over = `chunks 1 ${id} 0 ${128 * MIB + 1} 256.`;
      await raw.set("over", over, { flags: CHUNKED });
      await expect(client.get("over")).rejects.toThrow(/chunk\.maxSize is 134217728/);
      await raw.set("empty", over.replace("29 ", "28 "), { flags: CHUNKED });
      const before = (await raw.getStats()).get(one)?.["cmd_get"] as number;
      expect(await client.getMulti(["empty"])).toEqual(new Map());
      const after = (await raw.getStats()).get(one)?.["cmd_get"] as number;
      expect(after - before).toBeLessThanOrEqual(9);
    });

    test("inside a value's flags leads nowhere", async () => {
      await using client = new Client(one, SMALL);
      await client.set("inner", `chunks 1 ${id} 0 1000 256.`.padEnd(300), { flags: CHUNKED });
      await expect(client.get("inner")).rejects.toThrow(CodecError);
    });
  });

  test("options out of their range are refused", () => {
    const refused: [unknown, number | undefined][] = [
      ["yes", undefined],
      [null, undefined],
      [{ sise: 1 }, undefined],
      [{ size: 255 }, undefined],
      [{ size: MIB + 1 }, undefined],
      [{ size: 1000.5 }, undefined],
      [{ maxSize: 0 }, undefined],
      [true, 255],
    ];
    for (const [chunk, maxValueSize] of refused) {
      const options = { chunk: chunk as boolean, maxValueSize };
      expect(() => new Client(one, options), JSON.stringify(chunk)).toThrow(ArgumentError);
    }
  });
});
