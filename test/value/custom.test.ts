import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { CacheMiss, CodecError } from "../../src/errors.js";
import type { Encoded, Serializer } from "../../src/value/codec.js";
import { createCodec } from "../../src/value/factory.js";

interface Point {
  readonly x: number;
}

const points: Serializer<Point> = {
  serialize: ({ x }) => ({ data: `é${x}`, flags: 5 }),
  deserialize: (data, flags) => {
    if (flags !== 5) throw new CacheMiss();
    return { x: Number(Buffer.from(data).toString().slice(1)) };
  },
};

const encoded = { data: Buffer.from("é7"), flags: 5 };

test("every value goes through the user's pair", () => {
  const codec = createCodec({ serializer: points });
  expect(codec.encode({ x: 7 }, undefined)).toEqual(encoded);
  expect(codec.decode(encoded.data, 0, 3, 5, false)).toEqual({ x: 7 });
  expect(() => codec.decode(encoded.data, 0, 3, 6, false)).toThrow(CacheMiss);
});

test("the pair may be asynchronous", async () => {
  const codec = createCodec({
    serializer: {
      serialize: async (value) => points.serialize(value as Point),
      deserialize: async (data, flags) => points.deserialize(data, flags),
    },
  });
  await expect(codec.encode({ x: 7 }, undefined)).resolves.toEqual(encoded);
  await expect(codec.decode(encoded.data, 0, 3, 5, false)).resolves.toEqual({ x: 7 });
  await expect(codec.decode(encoded.data, 0, 3, 6, false)).rejects.toThrow(CacheMiss);
});

test("what deserialize gets is its own, inflated, under the flags it gave", async () => {
  const seen: [Uint8Array, number][] = [];
  const codec = createCodec({
    compress: { minLength: 1 },
    serializer: {
      serialize: async (value) => ({ data: String(value), flags: 65536 }),
      deserialize: (data, flags) => void seen.push([data, flags]),
    },
  });
  const { data, flags } = await codec.encode("a".repeat(500), undefined);
  expect(flags).toBe(65536 | 8);
  const bytes = Buffer.from(data as Uint8Array);
  codec.decode(bytes, 0, bytes.length, flags, false);
  const plain = Buffer.from("plain");
  codec.decode(plain, 0, 5, 65536, false);
  plain.fill(0);
  expect(seen.map(([text, given]) => [Buffer.from(text).toString(), given])).toEqual([
    ["a".repeat(500), 65536],
    ["plain", 65536],
  ]);
});

test.each([
  ["flags with the bit of compression", { data: "", flags: 77 }, "bit 8 is reserved"],
  ["negative flags", { data: "", flags: -1 }, "flags from 0"],
  ["flags that are no number", { data: "", flags: "1" }, "flags from 0"],
  ["no data", { flags: 1 }, "{ data, flags }"],
  ["data of another type", { data: 5, flags: 1 }, "{ data, flags }"],
  ["a bare string", "text", "{ data, flags }"],
])("serialize may not give %s", async (_name, result, message) => {
  const given = result as Encoded;
  const sync = createCodec({ serializer: { serialize: () => given, deserialize: () => 0 } });
  expect(() => sync.encode(1, undefined)).toThrow(CodecError);
  expect(() => sync.encode(1, undefined)).toThrow(message);
  const slow = createCodec({ serializer: { serialize: async () => given, deserialize: () => 0 } });
  await expect(slow.encode(1, undefined)).rejects.toThrow(message);
});

test("what the pair throws is the cause of a CodecError", async () => {
  const failure = new TypeError("mine");
  const fail = () => {
    throw failure;
  };
  const codec = createCodec({ serializer: { serialize: fail, deserialize: async () => fail() } });
  expect(() => codec.encode(1, undefined)).toThrow(
    expect.objectContaining({ code: "ERR_MEMCACHED_CODEC", cause: failure }),
  );
  await expect(codec.decode(Buffer.alloc(0), 0, 0, 0, false)).rejects.toMatchObject({
    code: "ERR_MEMCACHED_CODEC",
    cause: failure,
  });
});

test.each<[string, unknown]>([
  ["bytes", Buffer.from("v")],
  ["a string of one byte a character", "\xff"],
  ["a promise of either", Promise.resolve("v")],
])("a codec of one's own may give %s", async (_, given) => {
  const flags = 3;
  const whole = { data: await given, flags };
  const encode = () => (given instanceof Promise ? Promise.resolve(whole) : whole) as Encoded;
  const codec = createCodec({ codec: { encode, decode: () => undefined } });
  expect(await codec.encode(1, undefined)).toEqual(whole);
});

test("a codec of one's own may give promises of another realm", async () => {
  const Foreign = runInNewContext("Promise") as PromiseConstructor;
  const whole = { data: "v", flags: 3 };
  const codec = createCodec({
    codec: { encode: () => Foreign.resolve(whole), decode: () => Foreign.reject(new CacheMiss()) },
  });
  const encoding = codec.encode(1, undefined);
  expect(encoding).toBeInstanceOf(Promise);
  expect(await encoding).toEqual(whole);
  const decoding = codec.decode(Buffer.from("v"), 0, 1, 3, false);
  expect(decoding).toBeInstanceOf(Promise);
  await expect(decoding).rejects.toThrow(CacheMiss);
});
