import fc from "fast-check";
import { expect, test } from "vitest";
import { CodecError } from "../../src/errors.js";
import { decodeJson, encodeJson } from "../../src/value/json.js";

const failure = (value: unknown): string => {
  try {
    encodeJson(value);
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError);
    return (error as CodecError).message;
  }
  throw new Error("nothing was refused");
};

const decode = (text: string): unknown => {
  const bytes = Buffer.from(`~${text}~`);
  return decodeJson(bytes, 1, bytes.length - 1);
};

test.each([
  [{ a: [1, { b: Number.NaN }] }, "value.a[1].b is NaN"],
  [[Number.NEGATIVE_INFINITY], "value[0] is -Infinity"],
  [{ "odd key": [undefined] }, 'value["odd key"][0] is undefined'],
  [[() => 1], "value[0] is a function"],
  [{ n: 1, deep: { big: 1n } }, "value.deep.big is a bigint"],
  [{ m: new Map([[1, 2]]) }, "value.m is a Map"],
  [new Set([1]), "value is a Set"],
  [[/x/], "value[0] is a RegExp"],
  [{ e: new Error("x") }, "value.e is an Error"],
  [{ b: new Uint8Array(2) }, "value.b is a Uint8Array"],
  [{ f: new Float64Array(2) }, "value.f is a Float64Array"],
  [{ d: new Date(Number.NaN) }, "value.d is an invalid Date"],
  [Number.NaN, "value is NaN"],
])("refuses %o with the path", (value, start) => {
  expect(failure(value)).toContain(start);
});

test("names the path of a cycle", () => {
  const cyclic: Record<string, unknown> = { list: [1] };
  cyclic["list"] = [1, { self: cyclic }];
  expect(failure(cyclic)).toContain("value.list[1].self is a cycle");
});

test("keeps the reason of a toJSON that throws", () => {
  const value = {
    toJSON() {
      throw new Error("no form");
    },
  };
  expect(failure(value)).toContain("no form");
});

test("an object met twice is no cycle, and null and empty objects are values", () => {
  const shared = {};
  const value = { a: shared, b: shared, c: null, d: [null, {}], "0": 1 };
  expect(decode(encodeJson(value))).toEqual(value);
});

test("leaves undefined properties out, as JSON does everywhere", () => {
  expect(encodeJson({ a: 1, b: undefined })).toBe('{"a":1}');
});

test("a Date is its ISO text", () => {
  expect(encodeJson({ at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
});

test("reads what it wrote", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = encodeJson(value);
      expect(decode(text)).toEqual(JSON.parse(text));
    }),
  );
});

test("a key named __proto__ is data", () => {
  const value = decode('{"__proto__":{"admin":true}}') as Record<string, unknown>;
  expect(Object.keys(value)).toEqual(["__proto__"]);
  expect(value["admin"]).toBeUndefined();
});

test.each(["", "{", "odd text"])("refuses %o as JSON", (text) => {
  expect(() => decode(text)).toThrow(CodecError);
});
