import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { CacheMiss, Client, type ClientOptions, CodecError, ValueTooLargeError } from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { runPython } from "../support/python.js";

describe("values", () => {
  let server: Memcached;
  beforeAll(async () => {
    server = await startMemcached({ args: ["-I", "16m"] });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("a serializer of the user's own has every value, with its flags", async () => {
    await using client = new Client<Date>(server.address, {
      serializer: {
        serialize: (date) => ({ data: date.toISOString(), flags: 1 << 16 }),
        deserialize: (data, flags) => {
          expect(flags).toBe(1 << 16);
          return new Date(Buffer.from(data).toString());
        },
      },
    });
    const date = new Date("2026-11-22T12:00:00Z");
    await client.set("date", date);
    expect(await client.get("date")).toEqual(date);
    expect((await client.gets("date"))?.value).toEqual(date);
    expect(await client.getMulti(["date"])).toEqual(new Map([["date", date]]));
  });

  test("a codec may throw anything, and no call takes it for a miss", async () => {
    await using client = new Client(server.address, {
      codec: {
        encode: (value) => ({ data: String(value), flags: 0 }),
        decode: () => {
          throw undefined;
        },
      },
    });
    await client.set("odd", 1);
    for (const call of [client.get("odd"), client.gets("odd"), client.getMulti(["odd"])]) {
      expect(await call.then(String, () => "rejected")).toBe("rejected");
    }
  });

  test("a serializer may be asynchronous", async () => {
    await using client = new Client<string>(server.address, {
      serializer: {
        serialize: async (text) => ({ data: text.toUpperCase(), flags: 16 }),
        deserialize: async (data) => Buffer.from(data).toString().toLowerCase(),
      },
    });
    await client.setMulti({ a1: "one", a2: "two" });
    expect(await client.get("a1")).toBe("one");
    expect((await client.gets("a1"))?.value).toBe("one");
    expect(await client.getMulti(["a1", "a2"])).toEqual(
      new Map([
        ["a1", "one"],
        ["a2", "two"],
      ]),
    );
  });

  test.each([undefined, {}])(
    "setMulti with chunk %o fails once, whatever else fails later",
    async (chunk) => {
      await using client = new Client<string>(server.address, {
        chunk,
        serializer: {
          serialize: (text) => {
            if (text === "later") return Promise.reject(new RangeError(text));
            throw new RangeError(text);
          },
          deserialize: () => "",
        },
      });
      const unhandled: unknown[] = [];
      const note = (error: unknown) => unhandled.push(error);
      process.on("unhandledRejection", note);
      try {
        const storing = client.setMulti({ a3: "later", a4: "at once" });
        await expect(storing).rejects.toMatchObject({ cause: { message: "at once" } });
        await new Promise((resolve) => setImmediate(resolve));
        expect(unhandled).toEqual([]);
      } finally {
        process.off("unhandledRejection", note);
      }
    },
  );

  test("CacheMiss from deserialize is a miss, anything else an error", async () => {
    await using writer = new Client(server.address);
    await writer.setMulti({ old: "old", broken: "broken", fine: "fine" });
    await using client = new Client<string>(server.address, {
      serializer: {
        serialize: (data) => ({ data, flags: 16 }),
        deserialize: (data) => {
          const text = Buffer.from(data).toString();
          if (text === "old") throw new CacheMiss("version 1");
          if (text === "broken") throw new Error("cannot read");
          return text;
        },
      },
    });
    expect(await client.get("old")).toBeUndefined();
    expect(await client.gets("old")).toBeUndefined();
    expect(await client.getMulti(["old", "fine"])).toEqual(new Map([["fine", "fine"]]));
    await expect(client.get("broken")).rejects.toThrow(CodecError);
    await expect(client.getMulti(["broken", "fine"])).rejects.toMatchObject({
      code: "ERR_MEMCACHED_PARTIAL",
      results: new Map([["fine", "fine"]]),
    });
  });

  test.each([
    ["a codec", {}],
    ["an asynchronous codec", { compress: true }],
  ])("%s that cannot read a value says whose it was, and for which call", async (_, options) => {
    await using client = new Client(server.address, { ...options, keyPrefix: "app:" });
    // No pickle; past 64 KiB, and compressed, it is read on another thread.
    await client.set("größe", "x".repeat(200_000), { flags: "compress" in options ? 9 : 1 });
    const calls = {
      get: client.get("größe"),
      gets: client.gets("größe"),
      getAndTouch: client.getAndTouch("größe", 60),
      getsAndTouch: client.getsAndTouch("größe", 60),
      metaGet: client.metaGet("größe"),
      getMulti: client.getMulti(["größe", "other"]),
      getsMulti: client.getsMulti(["größe", "other"]),
    };
    for (const [command, call] of Object.entries(calls)) {
      const error = await call.catch((error: unknown) => error);
      expect(error).toMatchObject({ command, sent: true });
      const cause = command.endsWith("Multi") ? (error as Error).cause : error;
      expect(cause).toBeInstanceOf(CodecError);
      expect(cause).toMatchObject({
        command,
        sent: true,
        message: expect.stringMatching(`^${command} cannot decode the value of "app:größe": `),
      });
    }
  });

  test.each([false, true])(
    "a value that fails beside a wrong key is heard, chunk: %s",
    async (chunk) => {
      const unheard: unknown[] = [];
      const listen = (error: unknown) => unheard.push(error);
      process.on("unhandledRejection", listen);
      await using client = new Client<unknown>(server.address, {
        chunk,
        serializer: {
          serialize: async () => {
            throw new Error("cannot write");
          },
          deserialize: (data) => data,
        },
      });
      await expect(client.setMulti({ fails: 1, "wrong key": 2 })).rejects.toThrow("wrong key");
      await delay(10);
      process.off("unhandledRejection", listen);
      expect(unheard).toEqual([]);
    },
  );

  test("a subclass may override serialize and deserialize, and a clone keeps them", async () => {
    class Shouting extends Client<string> {
      override serialize(value: string) {
        return super.serialize(`${value}!`);
      }
      override deserialize(data: Uint8Array, flags: number) {
        return super.deserialize(data, flags);
      }
    }
    await using client = new Shouting(server.address);
    await client.set("shout", "hello");
    await using clone = client.clone();
    expect(await clone.get("shout")).toBe("hello!");
    await clone.set("shout", "again", { compress: { minLength: 1 } });
    expect(await client.get("shout")).toBe("again!");
  });

  test("an item that another reader is to fill has no value, whatever reads values", async () => {
    const keys = [{ id: "1", secret: Buffer.alloc(32, 1) }];
    await using sealed = new Client(server.address, { encryption: { keys } });
    expect(await sealed.metaGet("to-fill", { vivify: 60 })).toMatchObject({ won: true });
    const second = await sealed.metaGet("to-fill", { vivify: 60 });
    expect(second).toMatchObject({ won: false, alreadyWon: true });
    expect(second).not.toHaveProperty("value");
    await using plain = new Client(server.address);
    await plain.set("empty", "", 60);
    expect(await plain.metaGet("empty", { recache: 90 })).toMatchObject({ won: true });
    const other = await plain.metaGet("empty", { recache: 90 });
    expect(other).toMatchObject({ alreadyWon: true, value: "" });
  });

  test.each([
    ["text", {}],
    ["binary", { binary: true }],
  ])(
    "over %s an error about a server's limit says what is lost, and no more",
    async (_, options) => {
      await using client = new Client(server.address, { ...options, maxValueSize: 2 ** 30 });
      const large = Buffer.alloc(2 ** 24 + 1);
      const calls: [string, string | undefined, () => Promise<unknown>][] = [
        ["set", undefined, () => client.set("k", large)],
        ["add", "old", () => client.add("k", large)],
        ["replace", "old", () => client.replace("k", large)],
        ["append", "old", () => client.append("k", large)],
        ["cas", "old", async () => client.cas("k", large, (await client.gets("k"))?.cas ?? 0n)],
      ];
      for (const [command, left, call] of calls) {
        await client.set("k", "old");
        const error = await call().catch((error: unknown) => error);
        expect(error).toMatchObject({ code: "ERR_MEMCACHED_VALUE_TOO_LARGE", command, sent: true });
        expect(await client.get("k"), command).toBe(left);
        const told = (error as Error).message.includes("dropped what the key held");
        expect(told, command).toBe(left === undefined);
      }
      const meta = await client.metaSet("k", large, { mode: "replace" }).catch((error) => error);
      expect((meta as Error).message).toContain("may have dropped what the key held");
    },
  );

  test("what is appended is not compressed, whatever the client's default", async () => {
    await using client = new Client(server.address, { compress: { minLength: 1 } });
    await client.set("joined", "a", { compress: false });
    await client.append("joined", "b".repeat(5000));
    expect(await client.get("joined")).toBe(`a${"b".repeat(5000)}`);
    await client.metaSet("joined", "c".repeat(5000), { mode: "append" });
    await client.metaSet("joined", "<".repeat(5000), { mode: "prepend" });
    expect(await client.get("joined")).toMatch(/^<{5000}ab{5000}c{5000}$/);
  });

  test.each<[string, ClientOptions, unknown, number]>([
    ["native types", {}, 6, 4],
    ["PHP's types", { codec: "php" }, 6, 1],
    ["memcached's of npm", { codec: "memcached" }, 6, 8],
    ["python-memcached's", { codec: "python-memcached" }, 6, 2],
    ["no numbers", { serializer: "raw" }, Buffer.from("6"), 4],
    ["no numbers in digits", { codec: "dalli" }, "6", 4],
    [
      "a serializer of one's own",
      {
        serializer: {
          serialize: async (value) => ({ data: JSON.stringify(value), flags: 32 }),
          deserialize: (data) => JSON.parse(Buffer.from(data).toString()),
        },
      },
      6,
      32,
    ],
  ])("a counter that incr makes is read by a client of %s", async (name, options, value, flags) => {
    await using client = new Client(server.address, options);
    expect(await client.incr(`made:${flags}`, 1, { initial: 5 })).toBe(5);
    expect(await client.incrMulti([`made:${flags}`], 1, { initial: 5 })).toHaveProperty("size", 1);
    expect(await client.get(`made:${flags}`), name).toEqual(value);
    const item = await client.metaGet(`made:${flags}`, { value: false, returnFlags: true });
    expect(item?.flags).toBe(flags);
    await client.delete(`made:${flags}`);
  });

  test("nothing is added to an item that is sealed as a whole", async () => {
    const keys = [{ id: "a", secret: Buffer.alloc(32) }];
    await using client = new Client(server.address, { encryption: { keys } });
    await client.set("sealed", "a");
    await expect(client.append("sealed", "b")).rejects.toThrow(/sealed as a whole/);
    const mode = { mode: "append" } as const;
    await expect(client.metaSet("sealed", "b", mode)).rejects.toThrow(/sealed as a whole/);
    expect(await client.get("sealed")).toBe("a");
  });

  test("writes keep their order while a large value is compressed on another thread", async () => {
    await using client = new Client(server.address, { compress: true, maxValueSize: 2 ** 24 });
    const large = "large ".repeat(2_000_000);
    const results = await Promise.all([
      client.set("order", "first"),
      client.set("order", large),
      client.get<string>("order"),
      client.set("order", "last"),
      client.get<string>("order"),
    ]);
    expect(results[2]).toBe(large);
    expect(results[4]).toBe("last");
    expect(await client.get("order")).toBe("last");
  });

  test("so do calls on many keys, and metaSet", async () => {
    await using client = new Client(server.address, { compress: true, maxValueSize: 2 ** 24 });
    const large = "large ".repeat(2_000_000);
    const many = (value: string) => ({ order1: value, order2: "small" });
    const lastOf = async (...calls: (() => Promise<unknown>)[]) => {
      await Promise.all(calls.map((call) => call()));
      return client.get("order1");
    };
    const setLarge = () => client.set("order1", large);
    expect(await lastOf(setLarge, () => client.setMulti(many("last")))).toBe("last");
    expect(
      await lastOf(
        () => client.setMulti(many(large)),
        () => client.set("order1", "last"),
      ),
    ).toBe("last");
    expect(
      await lastOf(
        () => client.setMulti(many(large)),
        () => client.setMulti(many("last")),
      ),
    ).toBe("last");
    expect(
      await lastOf(
        () => client.metaSet("order1", large, {}),
        () => client.set("order1", "last"),
      ),
    ).toBe("last");
    expect(await lastOf(setLarge, () => client.deleteMulti(["order1"]))).toBeUndefined();
    const [, found] = await Promise.all([
      setLarge(),
      client.getMulti<string>(["order2", "order1"]),
    ]);
    expect(found.get("order1")).toBe(large);
  });

  test.each([false, true])(
    "a value over maxValueSize is not sent by metaSet either, compress: %s",
    async (compress) => {
      await using client = new Client(server.address, { maxValueSize: 100_000, compress });
      await client.set("size", "kept");
      const error = await client
        .metaSet("size", randomBytes(100_001), {})
        .catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(ValueTooLargeError);
      expect(error).toMatchObject({ sent: false, limit: 100_000 });
      expect(await client.get("size")).toBe("kept");
    },
  );

  test("a value that cannot be encoded lets nobody go ahead of those before it", async () => {
    await using client = new Client<string>(server.address, {
      serializer: {
        serialize: async (text) => {
          await delay(text === "slow" ? 50 : 1);
          if (text === "bad") throw new RangeError(text);
          return { data: text, flags: 16 };
        },
        deserialize: (data) => Buffer.from(data).toString(),
      },
    });
    const slow = client.set("ahead", "slow");
    const bad = client.set("ahead", "bad");
    const removing = client.delete("ahead");
    await expect(bad).rejects.toThrow(CodecError);
    expect(await Promise.all([slow, removing])).toEqual([true, true]);
    expect(await client.get("ahead")).toBeUndefined();
  });

  test("Python reads what we write, and we what Python writes", async () => {
    await using client = new Client(server.address, { serializer: "pickle" });
    await client.setMulti({ list: [1, "two", null, 2.5, { three: [3n ** 50n] }], text: "naïve" });
    const script = `
import pylibmc
mc = pylibmc.Client([input])
mc.set("python", {"a": [1, 2.5, None, True], "t": (1, "x"), "big": 2**100})
mc.set("zipped", "z" * 10000, min_compress_len=100)
output = [repr(mc.get("list")), mc.get("text")]
`;
    expect(await runPython(script, server.address)).toEqual([
      `[1, 'two', None, 2.5, {'three': [${3n ** 50n}]}]`,
      "naïve",
    ]);
    expect(await client.get("python")).toEqual({
      a: [1, 2.5, null, true],
      t: [1, "x"],
      big: 2n ** 100n,
    });
    expect(await client.get("zipped")).toBe("z".repeat(10000));
  });

  test("an encrypted value is bound to its key", async () => {
    const keys = [{ id: "2026", secret: Buffer.alloc(32, 7) }];
    await using client = new Client(server.address, { encryption: { keys } });
    await client.setMulti({ secret: { pin: 1234 }, other: 1 });
    expect(await client.get("secret")).toEqual({ pin: 1234 });
    expect(await client.getMulti(["secret", "other"])).toEqual(
      new Map<string, unknown>([
        ["secret", { pin: 1234 }],
        ["other", 1],
      ]),
    );
    await using plain = new Client(server.address, { serializer: "raw" });
    const item = await plain.metaGet<Buffer>("secret", { returnFlags: true });
    expect(item?.value?.includes("1234")).toBe(false);
    await plain.set("moved", item?.value, { flags: item?.flags });
    await expect(client.get("moved")).rejects.toThrow(CodecError);
  });
});
