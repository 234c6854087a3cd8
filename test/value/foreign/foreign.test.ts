import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CodecError, OptionError } from "../../../src/errors.js";
import type { Codec, Encoded } from "../../../src/value/codec.js";
import { type CodecName, createCodec } from "../../../src/value/factory.js";
import { describe as words } from "../python.js";

/** What the other clients themselves wrote, see `about` in the file. */
const recorded = JSON.parse(readFileSync(new URL("./recorded.json", import.meta.url), "utf8")) as {
  items: Record<string, { flags: number; base64: string }>;
};

const fox = "the quick brown fox ";
const spam = (times: number) => new Array<string>(times).fill("spam");
const bytes = (text: string) => Buffer.from(text, "latin1");
/** PHP's Mersenne Twister made this one: letters with short repeats. */
const mixed = (text: unknown) => typeof text === "string" && /^[abcd]{9000}$/.test(text);

type Expected = { readonly value: unknown } | { readonly refused: string };
const is = (value: unknown): Expected => ({ value });
const refused = (message: string): Expected => ({ refused: message });

const PHP: Record<string, Expected> = {
  string: is("text"),
  utf8: is("héé €"),
  empty: is(""),
  bytes: is(bytes("\0\xff\r\n")),
  int: is(7),
  negative: is(-42),
  big: is(2n ** 63n - 1n),
  double: is(1.5),
  integral: is(2),
  huge: is(1e300),
  inf: is(Number.POSITIVE_INFINITY),
  true: is(true),
  false: is(false),
  null: is(null),
  list: is([1, "a", null, [true, 2.5]]),
  map: is({ a: 1, b: { c: "d" }, é: "ü" }),
  sparse: is({ 3: "x", 1: "y" }),
  emptyArray: is([]),
  object: is({ a: 1, b: "x" }),
  point: refused('PHP class "Point"'),
  references: is([[1], [1]]),
  proto: is(JSON.parse('{"__proto__":{"admin":true}}')),
  ints: is([2n ** 63n - 1n, -1]),
  floats: is([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1, -0]),
  fastlz: is(fox.repeat(300)),
  fastlzArray: is(spam(500)),
  zlib: is(fox.repeat(300)),
  zlibArray: is(spam(500)),
  json: is({ a: [1, "é"] }),
  igbinary: refused("PHP's type 5"),
  msgpack: refused("PHP's type 7"),
  userFlags: is([1]),
};

const DALLI: Record<string, Expected> = {
  string: is("text"),
  utf8: is("héé €"),
  empty: is(""),
  bytes: is(bytes("\0\xff\r\n")),
  latin1: is("é"),
  int: is(7),
  zero: is(0),
  negative: is(-42),
  i255: is([
    255,
    256,
    -256,
    -257,
    65535,
    65536,
    -65536,
    -65537,
    122,
    123,
    -123,
    -124,
    2 ** 24,
    -(2 ** 24) - 1,
    2 ** 30 - 1,
    -(2 ** 30),
  ]),
  big: is(2n ** 64n),
  bigNegative: is(-(2 ** 31)),
  float: is(1.5),
  floats: is([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1, -0, 1e300]),
  true: is(true),
  false: is(false),
  nil: is(null),
  symbol: is("sym"),
  list: is([1, "a", null, [true, 2.5]]),
  map: is({ a: 1, b: { c: "d" } }),
  symbols: is({ a: 1, b: "a", c: ["a", "b"] }),
  intKeys: is(
    new Map<unknown, unknown>([
      [1, "one"],
      [[1], 2],
    ]),
  ),
  shared: is(["shared", "shared", "other", "shared"]),
  proto: is(JSON.parse('{"__proto__":{"admin":true}}')),
  utf8list: is(["é", "ü", "é"]),
  default: is({ a: 1 }),
  struct: refused('Ruby class "Pt"'),
  user: refused('Ruby class "User"'),
  time: refused('Ruby class "Time"'),
  set: refused('Ruby class "Set"'),
  range: refused('Ruby class "Range"'),
  class: refused('Ruby class "String"'),
  regexp: refused('Ruby class "Regexp"'),
  raw: is("raw text"),
  rawInt: is("12"),
  compressed: is(fox.repeat(500)),
  gzip: is(fox.repeat(500)),
  gzipList: is(spam(2000)),
};

const PYMEMCACHE: Record<string, Expected> = {
  string: is("text"),
  utf8: is("héé €"),
  empty: is(""),
  bytes: is(bytes("\0\xff\r\n")),
  int: is(7),
  negative: is(-42),
  big: is(2n ** 64n),
  true: is(true),
  none: is(null),
  float: is(1.5),
  list: is([1, "a", null, [true, 2.5]]),
  map: is({ a: 1, b: { c: "d" } }),
};

const PYTHON: Record<string, Expected> = {
  ...PYMEMCACHE,
  false: is(false),
  date: is(new Date("2024-02-29T12:30:15.250Z")),
  compressed: is(fox.repeat(500)),
  compressedList: is(spam(2000)),
  list2: is([1, "é"]),
};

const NPM: Record<string, Expected> = {
  string: is("text"),
  utf8: is("héé €"),
  empty: is(""),
  newlines: is("a\r\nb\n\\\nc\\"),
  bytes: is(Buffer.from([0, 255, 13, 10, 92, 10, 233])),
  int: is(7),
  negative: is(-42),
  float: is(1.5),
  huge: is(1e300),
  true: is(true),
  false: is(false),
  null: is(null),
  list: is([1, "a", null, [true, 2.5]]),
  map: is({ a: 1, b: { c: "d" } }),
  jsonNewline: is({ a: "x\ny" }),
  date: is("1970-01-01T00:00:00.005Z"),
};

const MEMJS: Record<string, Expected> = {
  string: is(bytes("text")),
  utf8: is(Buffer.from("héé €")),
  empty: is(bytes("")),
  bytes: is(bytes("\0\xff\r\n")),
};

const TABLES: [CodecName, string, Record<string, Expected>][] = [
  ["php", "php", PHP],
  ["dalli", "dalli", DALLI],
  ["python-memcached", "py", PYTHON],
  ["python-memcached", "pymc", PYMEMCACHE],
  ["memcached", "npm", NPM],
  ["memjs", "memjs", MEMJS],
];

function item(key: string): { data: Buffer; flags: number } {
  const { flags, base64 } = recorded.items[key]!;
  return { data: Buffer.from(base64, "base64"), flags };
}

function decode(codec: Codec, { data, flags }: Encoded): unknown {
  const body = typeof data === "string" ? Buffer.from(data, "latin1") : data;
  const around = Buffer.concat([Buffer.from("<"), body, Buffer.from(">")]);
  const value = codec.decode(around, 1, around.length - 1, flags, false);
  around.fill(0xee);
  return value;
}

test.each(TABLES)("%s: what the client wrote is read", async (name, prefix, table) => {
  const codec = createCodec({ codec: name });
  for (const [key, expected] of Object.entries(table)) {
    const read = async () => await decode(codec, item(`${prefix}-${key}`));
    if ("refused" in expected) {
      await expect(read(), key).rejects.toThrow(CodecError);
      await expect(read(), key).rejects.toThrow(expected.refused);
    } else {
      const value = await read();
      expect(value, key).toEqual(expected.value);
      expect(words(value), key).toEqual(words(expected.value));
    }
  }
});

test("nothing recorded is left out", () => {
  const apart = ["dalli-cycle", "php-fastlzMixed", "php-fastlzHuge"];
  const named = TABLES.flatMap(([, prefix, table]) =>
    Object.keys(table).map((key) => `${prefix}-${key}`),
  );
  expect([...named, ...apart].sort()).toEqual(Object.keys(recorded.items).sort());
});

/** Values that the other client also makes of other types, or writes by other means. */
const WRITTEN_OTHERWISE = new Set([
  ...[
    "integral",
    "sparse",
    "object",
    "references",
    "fastlz",
    "fastlzArray",
    "zlib",
    "zlibArray",
  ].map((key) => `php-${key}`),
  ...["json", "userFlags"].map((key) => `php-${key}`),
  ...["latin1", "symbol", "symbols", "shared", "utf8list", "default", "raw", "rawInt"].map(
    (key) => `dalli-${key}`,
  ),
  ...["compressed", "gzip", "gzipList"].map((key) => `dalli-${key}`),
  ...["none", "float", "list", "map", "date", "compressed", "compressedList", "list2"].map(
    (key) => `py-${key}`,
  ),
  ...["true", "none", "float", "list", "map"].map((key) => `pymc-${key}`),
  "npm-date",
]);

test.each(TABLES)("%s: the same bytes are written", (name, prefix, table) => {
  const codec = createCodec({ codec: name });
  let compared = 0;
  for (const [key, expected] of Object.entries(table)) {
    if ("refused" in expected || WRITTEN_OTHERWISE.has(`${prefix}-${key}`)) continue;
    const { data, flags } = codec.encode(expected.value, undefined) as Encoded;
    const body = typeof data === "string" ? Buffer.from(data, "latin1") : Buffer.from(data);
    expect({ data: body.toString("latin1"), flags }, key).toEqual({
      ...item(`${prefix}-${key}`),
      data: item(`${prefix}-${key}`).data.toString("latin1"),
    });
    compared++;
  }
  expect(compared).toBeGreaterThan(3);
});

test("FastLZ in both of its levels", () => {
  const codec = createCodec({ codec: "php" });
  const letters = decode(codec, item("php-fastlzMixed"));
  expect(mixed(letters)).toBe(true);
  const huge = `${"abcdefghijklmnopqrstuvwxyz0123456789".repeat(4000)}${"q".repeat(70_000)}`;
  expect(decode(codec, item("php-fastlzHuge"))).toBe(huge + String(letters));
});

test("a Ruby array may contain itself", () => {
  const value = decode(createCodec({ codec: "dalli" }), item("dalli-cycle")) as unknown[];
  expect(value[1]).toBe(value);
});

test("PHP's references are one value", () => {
  const value = decode(createCodec({ codec: "php" }), item("php-references")) as unknown[];
  expect(value[0]).toBe(value[1]);
});

test.each(["php", "dalli", "pylibmc", "python-memcached"] as const)(
  "%s: values survive with and without compression",
  async (name) => {
    const codec = createCodec({ codec: name });
    const value = fc.oneof(
      fc.jsonValue().map((json) => JSON.parse(JSON.stringify(json)) as unknown),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double().filter((n) => !Object.is(n, -0)),
      fc.boolean(),
    );
    await fc.assert(
      fc.asyncProperty(value, fc.boolean(), async (given, compress) => {
        // PHP has one empty array for both of ours.
        const text = JSON.stringify(given, (_, v) => (typeof v === "bigint" ? String(v) : v));
        fc.pre(name !== "php" || !/\{\}|"-?\d+":/.test(text ?? ""));
        const options = { compress: compress && { minLength: 0 } };
        const read = await decode(codec, await codec.encode(given, options));
        const narrow = typeof given === "bigint" && Number.isSafeInteger(Number(given));
        expect(words(read)).toEqual(words(narrow ? Number(given) : given));
      }),
      { seed: 23, numRuns: 300 },
    );
    const large = fox.repeat(20_000);
    const encoded = await codec.encode(large, { compress: true });
    expect(encoded.data.length).toBeLessThan(20_000);
    expect(await decode(codec, encoded)).toBe(large);
  },
);

test("any bytes under any flags give a value or a CodecError", async () => {
  const keys = Object.keys(recorded.items);
  const changed = fc
    .tuple(
      fc.constantFrom(...keys),
      fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
    )
    .map(([key, changes]) => {
      const { data, flags } = item(key);
      for (const [at, byte] of changes) if (data.length > 0) data[at % data.length] = byte;
      return { data, flags };
    });
  const random = fc.record({
    data: fc.uint8Array({ maxLength: 60 }).map((data) => Buffer.from(data)),
    flags: fc.integer({ min: 0, max: 127 }),
  });
  const codecs = TABLES.map(([codec]) => createCodec({ codec }));
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(changed, random),
      fc.constantFrom(...codecs),
      async (stored, codec) => {
        try {
          await decode(codec, stored);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      },
    ),
    { numRuns: 3000, seed: 29 },
  );
});

test("what ends too early is not read on in the bytes behind it", async () => {
  const inFull = async (codec: Codec, bytes: Buffer, end: number, flags: number) => {
    try {
      return words(await codec.decode(bytes, 0, end, flags, false));
    } catch (error) {
      expect(error).toBeInstanceOf(CodecError);
      return "refused";
    }
  };
  let cuts = 0;
  for (const [name, prefix, table] of TABLES) {
    const codec = createCodec({ codec: name });
    for (const key of Object.keys(table)) {
      const { data, flags } = item(`${prefix}-${key}`);
      for (let end = Math.max(0, data.length - 40); end < data.length; end++, cuts++) {
        const alone = await inFull(codec, Buffer.from(data.subarray(0, end)), end, flags);
        expect(await inFull(codec, data, end, flags), `${prefix}-${key}, ${end}`).toEqual(alone);
      }
    }
  }
  expect(cuts).toBeGreaterThan(1000);
});

test("a Ruby hash that comes twice is one value", () => {
  const hash = { a: 1 };
  // What Ruby's Marshal.dump makes of `h = { "a" => 1 }; [h, h]`: the link names the second object.
  const data = '\x04\b[\x07{\x06I"\x06a\x06:\x06ETi\x06@\x06';
  const value = decode(createCodec({ codec: "dalli" }), { data, flags: 1 }) as unknown[];
  expect(value).toEqual([hash, hash]);
  expect(value[1]).toBe(value[0]);
});

test.each([
  [
    "a hash with a default, and what follows it",
    "[\x07}\x06i\x06i\x07i\x08i\x09",
    [new Map([[1, 2]]), 4],
  ],
  ["a hash of numbers", "{\x06i\x06i\x07", new Map([[1, 2]])],
])("Ruby: %s", (_, body, value) => {
  const data = `\x04\b${body}`;
  expect(decode(createCodec({ codec: "dalli" }), { data, flags: 1 })).toEqual(value);
});

test.each([
  ["UTF-8", 'I"\x07\xc3\xa9\x06:\x06ET', "é"],
  ["UTF-8, and is not", 'I"\x07\xff\xfe\x06:\x06ET', bytes("\xff\xfe")],
  ["ASCII, and is not", 'I"\x06\xff\x06:\x06EF', bytes("\xff")],
])("a Ruby string that says that it is %s", (_, body, value) => {
  const data = `\x04\b${body}`;
  expect(decode(createCodec({ codec: "dalli" }), { data, flags: 1 })).toEqual(value);
});

test.each([
  ["less than none", "l+\xfa"],
  ["more than there are", "l+\x7f12"],
  ["more than anybody counts with", `l+\x03\x01\x00\x01${"1".repeat(140_000)}`],
])("a Ruby number of %s of bytes is refused", (_, body) => {
  const data = `\x04\b${body}`;
  const read = () => decode(createCodec({ codec: "dalli" }), { data, flags: 1 });
  expect(read).toThrow(CodecError);
});

test("bytes within PHP's arrays are strings of their own", () => {
  const codec = createCodec({ codec: "php" });
  const encoded = codec.encode([bytes("\0\xff"), "é"], undefined) as Encoded;
  expect(Buffer.from(encoded.data).toString("latin1")).toBe(
    'a:2:{i:0;s:2:"\0\xff";i:1;s:2:"\xc3\xa9";}',
  );
  expect(decode(codec, encoded)).toEqual([bytes("\0\xff"), "é"]);
});

test.each([
  ["php", 4, "a:1:{i:0;", "N;", "}"],
  ["dalli", 1, "[\x06", "0", ""],
] as const)(
  "%s: a thousand levels are read and written, and no more",
  (name, flags, open, leaf, close) => {
    const codec = createCodec({ codec: name });
    const nested = (levels: number): Encoded => {
      const body = open.repeat(levels) + leaf + close.repeat(levels);
      return { data: name === "dalli" ? `\x04\b${body}` : body, flags };
    };
    const most = name === "dalli" ? 999 : 1000; // what is innermost is a level in Ruby
    const value = decode(codec, nested(most));
    expect(() => decode(codec, nested(most + 1))).toThrow("nested deeper than 1000 levels");
    const { data } = codec.encode(value, undefined) as Encoded;
    expect(Buffer.from(data).toString("latin1")).toBe(nested(most).data);
    let tooDeep = value;
    for (let i = most; i <= 1000; i++) tooDeep = [tooDeep];
    expect(() => codec.encode(tooDeep, undefined)).toThrow("nested deeper than 1000 levels");
  },
);

test("deep nesting is refused, not crashed on", () => {
  const php = createCodec({ codec: "php" });
  const dalli = createCodec({ codec: "dalli" });
  expect(() => decode(php, { data: "a:1:{i:0;".repeat(50_000), flags: 4 })).toThrow(
    "nested deeper",
  );
  expect(() => decode(dalli, { data: `\x04\b${"[\x06".repeat(50_000)}`, flags: 1 })).toThrow(
    "nested deeper",
  );
  const cycle: unknown[] = [];
  cycle.push(cycle);
  expect(() => php.encode(cycle, undefined)).toThrow("contains itself");
  expect(() => dalli.encode(cycle, undefined)).toThrow("contains itself");
});

test("what is added to a Ruby string is bare", () => {
  const dalli = createCodec({ codec: "dalli", compress: { minLength: 0 } });
  expect(dalli.encode("more", { part: true })).toEqual({ data: "more", flags: 0 });
  expect(() => dalli.encode(["more"], { part: true })).toThrow(CodecError);
});

test.each([
  ["php", new Set([1])],
  ["php", new Date()],
  ["php", 2n ** 63n],
  ["php", new Map([[1.5, 1]])],
  ["php", ["half of a pair: \ud800"]],
  ["dalli", new Set([1])],
  ["dalli", "half of a pair: \ud800"],
  ["dalli", undefined],
  ["dalli", new Date()],
  ["memcached", undefined],
  ["memcached", new Set([1])],
  ["memjs", 5],
] as const)("%s has no words for %o", (name, value) => {
  expect(() => createCodec({ codec: name }).encode(value, undefined)).toThrow(CodecError);
});

test("a compression that the other side lacks is refused", () => {
  expect(() => createCodec({ codec: "memjs", compress: true })).toThrow(OptionError);
  expect(() => createCodec({ codec: "memcached", compress: true })).toThrow(OptionError);
  expect(() => createCodec({ codec: "php", compress: { algorithm: "brotli" } })).toThrow(
    OptionError,
  );
  for (const codec of ["memcached", "memjs"] as const) {
    expect(() => createCodec({ codec }).encode("x", { compress: true })).toThrow(OptionError);
  }
  const brotli = { compress: { algorithm: "brotli" } } as const;
  expect(() => createCodec({ codec: "dalli" }).encode("x", brotli)).toThrow(OptionError);
  expect(() => createCodec({ codec: "perl" as "php" })).toThrow(OptionError);
  expect(() => createCodec({ codec: "php", serializer: "json" })).toThrow(OptionError);
});
