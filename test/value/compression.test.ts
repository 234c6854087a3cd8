import { randomBytes } from "node:crypto";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CodecError, OptionError } from "../../src/errors.js";
import type { Compression, Encoded } from "../../src/value/codec.js";
import { createCodec } from "../../src/value/factory.js";

const codec = createCodec();
const bytesOf = ({ data }: Encoded) =>
  typeof data === "string" ? Buffer.from(data, "latin1") : Buffer.from(data);

const hasZstd = "zstdCompressSync" in zlib;
const algorithms = (["zlib", "gzip", "brotli", "zstd"] as const).filter(
  (name) => name !== "zstd" || hasZstd,
);
const flagsOf = { zlib: 8, gzip: 8 | 128, brotli: 8 | 64, zstd: 8 | 192 } as const;

async function read(encoded: Encoded, reader = codec): Promise<unknown> {
  const bytes = bytesOf(encoded);
  const value = reader.decode(bytes, 0, bytes.length, encoded.flags, false);
  // The buffer moves on while another thread may still be inflating.
  bytes.fill(0xee);
  return await value;
}

test.each(algorithms)("%s, small and large, comes back as it was", async (algorithm) => {
  for (const length of [2000, 200_000, 3_000_000]) {
    const value = "spam and eggs ".repeat(length / 14);
    const encoded = await codec.encode(value, { compress: { algorithm } });
    expect(encoded.flags).toBe(16 | flagsOf[algorithm]);
    expect(encoded.data.length).toBeLessThan(value.length / 10);
    expect(await read(encoded)).toBe(value);
  }
});

test("any value survives any compression", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: "grapheme", maxLength: 200 }),
        fc.uint8Array({ maxLength: 200 }),
        fc.bigInt(),
      ),
      fc.constantFrom(...algorithms),
      async (value, algorithm) => {
        const encoded = await codec.encode(value, { compress: { algorithm, minLength: 0 } });
        const plain = await read(await codec.encode(value, undefined));
        expect(await read(encoded)).toEqual(plain);
      },
    ),
    { seed: 13 },
  );
});

test("large values are compressed and inflated elsewhere, small ones at once", async () => {
  const small = codec.encode("x".repeat(5000), { compress: true });
  const large = codec.encode("x".repeat(500_000), { compress: true });
  expect(small).not.toBeInstanceOf(Promise);
  expect(large).toBeInstanceOf(Promise);
  const { data, flags } = await large;
  const bytes = Buffer.from(data as Uint8Array);
  // 500 kB inflate at once, however many come from how few bytes.
  expect(codec.decode(bytes, 0, bytes.length, flags, false)).toBe("x".repeat(500_000));
  const huge = bytesOf(await codec.encode("x".repeat(5_000_000), { compress: true }));
  expect(codec.decode(huge, 0, huge.length, flags, true)).toBeInstanceOf(Promise);
});

test("a value is compressed from minLength on, and only if that makes it smaller", () => {
  const options = (minLength: number) => ({ compress: { minLength } });
  const text = "a".repeat(100);
  expect(codec.encode(text, options(100))).toMatchObject({ flags: 24 });
  expect(codec.encode(text, options(101))).toEqual({ data: text, flags: 16 });
  expect(codec.encode("abc", options(0))).toEqual({ data: "abc", flags: 16 });
  expect(codec.encode("", options(0))).toEqual({ data: "", flags: 16 });
  const noise = randomBytes(5000);
  expect(codec.encode(noise, options(0))).toEqual({ data: noise, flags: 0 });
  expect(codec.encode(text, { compress: { minLength: 0, level: 0 } })).toMatchObject({ flags: 16 });
});

test("the client's default holds unless the call says otherwise", () => {
  const text = "a".repeat(2000);
  const packing = createCodec({ compress: { algorithm: "brotli", minLength: 1000 } });
  expect(packing.encode(text, undefined)).toMatchObject({ flags: 16 | 72 });
  expect(packing.encode(text, {})).toMatchObject({ flags: 16 | 72 });
  expect(packing.encode(text, { compress: false })).toMatchObject({ flags: 16 });
  expect(packing.encode(text, { compress: { level: 9 } })).toMatchObject({ flags: 16 | 72 });
  expect(packing.encode(text, { compress: { algorithm: "zlib" } })).toMatchObject({ flags: 24 });
  expect(codec.encode(text, { compress: true })).toMatchObject({ flags: 24 });
  expect(codec.encode(text, undefined)).toMatchObject({ flags: 16 });
});

test("a part that goes before or behind an item is never compressed", () => {
  const text = "a".repeat(2000);
  const packing = createCodec({ compress: true });
  expect(packing.encode(text, { part: true })).toEqual({ data: text, flags: 16 });
  expect(codec.encode(text, { part: true, compress: true })).toEqual({ data: text, flags: 16 });
});

test.each<[Compression, number]>([
  ["zlib", 10],
  ["zlib", -2],
  ["zlib", 1.5],
  ["brotli", 12],
  ["lz4" as "zlib", 1],
])("refuses %s at level %d", (algorithm, level) => {
  expect(() => createCodec({ compress: { algorithm, level } })).toThrow(OptionError);
  expect(() => codec.encode("x", { compress: { algorithm, level } })).toThrow(OptionError);
});

test.each([
  { maxInflatedSize: 0 },
  { maxInflatedSize: Number.NaN },
  { maxInflateRatio: 0 },
  { compress: { minLength: Number.NaN } },
])("refuses %o", (options) => {
  expect(() => createCodec(options)).toThrow(OptionError);
});

test("a Node without zstd says so, and one with it refuses what is none", () => {
  const decode = () => codec.decode(Buffer.from("x"), 0, 1, 200, false);
  expect(decode).toThrow(CodecError);
  expect(decode).toThrow(hasZstd ? "not a whole zstd stream" : "which this Node lacks");
  const encode = () => codec.encode("x".repeat(5000), { compress: { algorithm: "zstd" } });
  if (hasZstd) expect(encode()).toMatchObject({ flags: 16 | 200 });
  else expect(encode).toThrow(OptionError);
});

const pack = {
  zlib: zlib.deflateSync,
  gzip: zlib.gzipSync,
  brotli: zlib.brotliCompressSync,
} as const;

test.each(["zlib", "gzip", "brotli"] as const)("a bomb of %s is refused", async (algorithm) => {
  const flags = flagsOf[algorithm];
  const careful = createCodec({ maxInflatedSize: 3_000_000 });
  // Small enough to be inflated at once, though not to the end.
  const bomb = pack[algorithm](Buffer.alloc(3_000_001));
  await expect(read({ data: bomb, flags }, careful)).rejects.toThrow("inflates past the limit");
  const fine = pack[algorithm](Buffer.alloc(3_000_000));
  expect(await read({ data: fine, flags }, careful)).toHaveLength(3_000_000);
  const tiny = createCodec({ maxInflatedSize: 100 });
  const small = pack[algorithm](Buffer.alloc(101));
  await expect(read({ data: small, flags }, tiny)).rejects.toThrow(CodecError);
});

test("a program may inflate as much as there can be", async () => {
  const maxInflatedSize = Number.MAX_SAFE_INTEGER;
  const data = zlib.deflateSync(Buffer.alloc(3_000_000));
  for (const maxInflateRatio of [1e9, Number.POSITIVE_INFINITY]) {
    const generous = createCodec({ maxInflatedSize, maxInflateRatio });
    expect(await read({ data, flags: 8 }, generous)).toHaveLength(3_000_000);
  }
  const php = createCodec({ codec: "php", maxInflatedSize, maxInflateRatio: Infinity });
  const lying = Buffer.from([0xff, 0xff, 0xff, 0x7f]);
  await expect(read({ data: lying, flags: 80 }, php)).rejects.toThrow("inflates past the limit");
});

test("a few bytes of brotli may not become more than 16 MiB", async () => {
  const limit = 16 * 1024 * 1024;
  const bomb = zlib.brotliCompressSync(Buffer.alloc(limit + 1), {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 },
  });
  expect(bomb.length).toBeLessThan(100);
  await expect(read({ data: bomb, flags: 72 })).rejects.toThrow("inflates past the limit");
  // Nor is such a value written.
  const value = Buffer.alloc(limit + 1);
  const encoded = await codec.encode(value, { compress: { algorithm: "brotli" } });
  expect(encoded.flags).toBe(0);
  expect(encoded.data).toBe(value);
});

test.each(["zlib", "gzip", "brotli"] as const)(
  "a %s stream cut or changed is refused",
  async (name) => {
    const whole = pack[name](Buffer.from("spam, eggs, bacon and spam ".repeat(50)));
    for (let length = 0; length < whole.length - 1; length++) {
      const cut = whole.subarray(0, length);
      await expect(read({ data: cut, flags: flagsOf[name] }), `${length}`).rejects.toThrow(
        CodecError,
      );
    }
    await expect(read({ data: "no stream at all", flags: flagsOf[name] })).rejects.toThrow(
      CodecError,
    );
  },
);

/** Bytes that do not compress, the same in every run. */
const noise = (length: number) =>
  Buffer.from(Array.from({ length }, (_, i) => (i * i * 167 + i * 13) >> 3)).toString("latin1");

const FUZZ_RUNS = Number(process.env["FUZZ_RUNS"] ?? 1500);

test("changed streams end in bytes within the limit or a CodecError", async () => {
  const limit = 100_000;
  const careful = createCodec({ maxInflatedSize: limit });
  const texts = ["", "spam ".repeat(500), "a".repeat(limit), noise(400)];
  const streams = texts.flatMap((text) =>
    (["zlib", "gzip", "brotli"] as const).map((name) => ({
      data: pack[name](Buffer.from(text, "latin1")),
      flags: flagsOf[name],
    })),
  );
  const changes = fc.array(fc.tuple(fc.nat(3000), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...streams), changes, async ({ data, flags }, list) => {
      const changed = Buffer.from(data);
      for (const [at, byte] of list) changed[at % changed.length] = byte;
      try {
        const value = await read({ data: changed, flags }, careful);
        expect((value as Buffer).length).toBeLessThanOrEqual(limit);
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
      }
    }),
    { numRuns: FUZZ_RUNS, seed: 31 },
  );
});

test("a large stream that is cut is refused as well", async () => {
  const whole = zlib.deflateSync(randomBytes(300_000));
  await expect(read({ data: whole.subarray(0, 200_000), flags: 8 })).rejects.toThrow(CodecError);
});

test("flags that name a compressor without being compressed stay the writer's", async () => {
  const custom = createCodec({
    compress: { minLength: 0 },
    serializer: {
      serialize: () => ({ data: "x".repeat(100), flags: 64 }),
      deserialize: (_data, flags) => flags,
    },
  });
  const encoded = await custom.encode(0, undefined);
  expect(encoded.flags).toBe(64);
  expect(await read(encoded, custom)).toBe(64);
});
