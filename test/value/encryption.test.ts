import { createSecretKey, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CodecError, OptionError } from "../../src/errors.js";
import type { Codec, Encoded } from "../../src/value/codec.js";
import { createCodec } from "../../src/value/factory.js";
import { describe } from "./python.js";

const first = { id: "2024", secret: randomBytes(32) };
const second = { id: "2025", secret: createSecretKey(randomBytes(32)) };
const codec = createCodec({ encryption: { keys: [first] } });

function open(reader: Codec, { data, flags }: Encoded, key: string): unknown {
  const bytes = Buffer.concat([Buffer.from("<"), data as Uint8Array, Buffer.from(">")]);
  const value = reader.decode(bytes, 1, bytes.length - 1, flags, false, key);
  bytes.fill(0);
  return value;
}

const seal = (value: unknown, key: string, writer = codec) =>
  writer.encode(value, undefined, key) as Encoded;

test("what is sealed is read again, and nothing of it shows", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.jsonValue(), fc.bigInt(), fc.uint8Array()), (value) => {
      const encoded = seal(value, "k");
      expect(encoded.flags).toBe(256);
      const plain = createCodec().encode(value, undefined) as Encoded;
      const bytes = typeof plain.data === "string" ? Buffer.from(plain.data, "latin1") : plain.data;
      const read = createCodec().decode(Buffer.from(bytes), 0, bytes.length, plain.flags, false);
      expect(describe(open(codec, encoded, "k"))).toEqual(describe(read));
    }),
  );
  const encoded = seal("a secret text", "k").data as Buffer;
  expect(encoded.includes("secret")).toBe(false);
  expect(encoded).not.toEqual(seal("a secret text", "k").data);
});

test("a value moved to another key is refused", () => {
  const encoded = seal("mine", "user:1");
  expect(open(codec, encoded, "user:1")).toBe("mine");
  expect(() => open(codec, encoded, "user:2")).toThrow(CodecError);
  expect(() => codec.encode("x", undefined)).toThrow("this command gives none");
});

test("any change of any byte is refused", () => {
  const { data, flags } = seal("value", "k");
  for (let at = 0; at < data.length; at++) {
    const changed = Buffer.from(data as Buffer);
    changed[at] = changed[at]! ^ 1;
    expect(() => open(codec, { data: changed, flags }, "k"), `byte ${at}`).toThrow(CodecError);
    const cut = Buffer.from(data as Buffer).subarray(0, at);
    expect(() => open(codec, { data: cut, flags }, "k"), `cut at ${at}`).toThrow(CodecError);
  }
});

test("keys are rotated by a list", () => {
  const rotated = createCodec({ encryption: { keys: [second, first] } });
  expect(open(rotated, seal("old", "k"), "k")).toBe("old");
  expect(open(rotated, seal("new", "k", rotated), "k")).toBe("new");
  expect(() => open(codec, seal("new", "k", rotated), "k")).toThrow('encryption key "2025"');
});

test("plain items are read only where that is allowed", () => {
  const plain = createCodec().encode("plain", undefined) as Encoded;
  const data = Buffer.from(plain.data as string);
  expect(() => open(codec, { data, flags: 16 }, "k")).toThrow("not encrypted");
  const moving = createCodec({ encryption: { keys: [first], allowPlaintext: true } });
  expect(open(moving, { data, flags: 16 }, "k")).toBe("plain");
});

test("a part of a value cannot be sealed", () => {
  expect(() => codec.encode("x", { part: true }, "k")).toThrow(CodecError);
});

test("compression goes inside", async () => {
  const packing = createCodec({ compress: true, encryption: { keys: [first] } });
  const encoded = await packing.encode("x".repeat(200_000), undefined, "k");
  expect(encoded.data.length).toBeLessThan(1000);
  expect(await open(packing, encoded, "k")).toBe("x".repeat(200_000));
});

test.each([
  [[], "must have a key"],
  [[{ id: "a", secret: randomBytes(16) }], "must be 32 bytes"],
  [[{ id: "", secret: randomBytes(32) }], "id must be its own"],
  [[first, { ...first }], "id must be its own"],
])("refuses the keys %o", (keys, message) => {
  expect(() => createCodec({ encryption: { keys } })).toThrow(OptionError);
  expect(() => createCodec({ encryption: { keys } })).toThrow(message);
});
