import fc from "fast-check";
import { expect, test } from "vitest";
import { CodecError, OptionError } from "../../src/errors.js";
import type { Codec, Encoded } from "../../src/value/codec.js";
import { createCodec } from "../../src/value/factory.js";
import { describe } from "./python.js";

const json = createCodec();

function decode(codec: Codec, { data, flags }: Encoded): unknown {
  const bytes = Buffer.concat([
    Buffer.from("<"),
    typeof data === "string" ? Buffer.from(data, "latin1") : data,
    Buffer.from(">"),
  ]);
  const value = codec.decode(bytes, 1, bytes.length - 1, flags, false);
  bytes.fill(0xee);
  return value;
}

const roundTrip = (codec: Codec, value: unknown) =>
  decode(codec, codec.encode(value, undefined) as Encoded);

test.each([
  ["text", "text", 16],
  ["", "", 16],
  [true, "1", 2],
  [false, "0", 2],
  [7, "7", 4],
  [-0, "0", 4],
  [Number.MAX_SAFE_INTEGER, "9007199254740991", 4],
  [2n ** 64n, "18446744073709551616", 4],
  [1.5, "1.5", 48],
  // A number past 2^53 counts no more: it is a float, and stays one.
  [2 ** 53, "9007199254740992", 48],
  [null, "null", 48],
  [[1, { a: "b" }], '[1,{"a":"b"}]', 48],
  [new Date(0), '"1970-01-01T00:00:00.000Z"', 48],
])("writes %o as %s under %i", (value, data, flags) => {
  expect(json.encode(value, undefined)).toEqual({ data, flags });
});

test("text that is not ASCII is written as bytes", () => {
  expect(json.encode("é", undefined)).toEqual({ data: Buffer.from("é"), flags: 16 });
  expect(json.encode(["é"], undefined)).toEqual({ data: Buffer.from('["é"]'), flags: 48 });
});

test.each([
  [undefined, "undefined"],
  [() => 1, "function"],
  [Symbol("s"), "symbol"],
  [Number.NaN, "value is NaN"],
  [Number.POSITIVE_INFINITY, "value is Infinity"],
  ["\ud800", "surrogate"],
  [10n ** 5000n, "over the limit of 4300"],
])("refuses %o", (value, message) => {
  expect(() => json.encode(value, undefined)).toThrow(CodecError);
  expect(() => json.encode(value, undefined)).toThrow(message);
});

test("a Uint8Array comes back as bytes of its own", () => {
  const bytes = Buffer.from("-abc-");
  const kept = json.decode(bytes, 1, 4, 0, false) as Buffer;
  bytes.fill(0);
  expect(kept.toString()).toBe("abc");
});

test("owned bytes are not copied", () => {
  const bytes = Buffer.from("abc");
  const kept = json.decode(bytes, 0, 3, 0, true) as Buffer;
  expect(kept.buffer).toBe(bytes.buffer);
});

test.each([
  ["12 ", 12],
  [" +1_000\n", 1000],
  ["0012", 12],
  ["-0", 0],
  ["9007199254740993", 9007199254740993n],
  ["-9007199254740991", -9007199254740991],
  ["1\x002", 1],
])("reads %o as the integer that Python reads", (text, value) => {
  expect(decode(json, { data: text, flags: 4 })).toBe(value);
});

test.each(["", " ", "+", "1__0", "_1", "1_", "1 2", "1.5", "0x10", "1e3", "9".repeat(4301)])(
  "refuses %o as an integer",
  (text) => {
    expect(() => decode(json, { data: text, flags: 4 })).toThrow(CodecError);
    expect(() => decode(json, { data: text, flags: 2 })).toThrow(CodecError);
  },
);

test("a counter's longest form costs no more than its limit", () => {
  expect(decode(json, { data: "9".repeat(4300), flags: 4 })).toBe(10n ** 4300n - 1n);
  expect(decode(json, { data: `${" ".repeat(20)}7`, flags: 4 })).toBe(7);
  expect(() => decode(json, { data: " ".repeat(1_000_000), flags: 4 })).toThrow(CodecError);
});

/** What each serializer keeps as it is. */
const scalar = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.bigInt().map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n)),
  fc.uint8Array(),
);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n || 0);
const jsonTree = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);

test.each(["json", "pickle", "v8"] as const)("%s gives back what it was given", (serializer) => {
  const codec = createCodec({ serializer });
  fc.assert(
    fc.property(fc.oneof(scalar, finite, jsonTree), (value) => {
      expect(describe(roundTrip(codec, value))).toEqual(describe(value));
    }),
    { seed: 3 },
  );
});

test("v8 keeps what structuredClone keeps, and nothing of the read buffer", () => {
  const codec = createCodec({ serializer: "v8" });
  const cyclic: Record<string, unknown> = { at: new Date(5), m: new Map([[{ k: 1 }, /x/g]]) };
  cyclic["self"] = cyclic;
  cyclic["bytes"] = Buffer.from("kept");
  const read = roundTrip(codec, cyclic) as typeof cyclic;
  expect(read).toEqual(cyclic);
  expect(read["self"]).toBe(read);
  expect(() => codec.encode([() => 1], undefined)).toThrow(CodecError);
});

test("only a client that says v8 reads structured clones", () => {
  const encoded = createCodec({ serializer: "v8" }).encode({ a: 1 }, undefined) as Encoded;
  expect(encoded.flags).toBe(512);
  expect(() => decode(json, encoded)).toThrow('serializer: "v8"');
  expect(() => decode(createCodec({ serializer: "v8" }), { data: "junk", flags: 512 })).toThrow(
    CodecError,
  );
});

test("raw knows bytes alone", () => {
  const raw = createCodec({ serializer: "raw" });
  expect(raw.encode("é", undefined)).toEqual({ data: Buffer.from("é"), flags: 0 });
  expect(raw.encode(new Uint8Array([1]), undefined)).toEqual({
    data: new Uint8Array([1]),
    flags: 0,
  });
  expect(() => raw.encode(1, undefined)).toThrow(CodecError);
  expect(decode(raw, { data: "x", flags: 9 })).toEqual(Buffer.from("x"));
});

test("any flags and bytes give a value or a CodecError, and keep no view", () => {
  const types = fc.constantFrom(0, 1, 2, 4, 8, 9, 16, 24, 48, 56, 72, 136, 200, 256, 512, 2 ** 31);
  fc.assert(
    fc.property(
      fc.oneof(types, fc.integer({ min: 0, max: 2 ** 32 - 1 })),
      fc.uint8Array(),
      (flags, data) => {
        try {
          const first = describe(decode(json, { data, flags }));
          expect(describe(decode(json, { data, flags }))).toEqual(first);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      },
    ),
    { numRuns: 2000, seed: 5 },
  );
});

test("an unknown serializer is refused at once", () => {
  expect(() => createCodec({ serializer: "yaml" as "json" })).toThrow(OptionError);
  expect(() => createCodec({ serializer: {} as "json" })).toThrow(OptionError);
});
