import { afterAll, beforeAll, expect, test } from "vitest";
import type { CompressOptions } from "../../src/value/codec.js";
import { type CodecOptions, createCodec } from "../../src/value/factory.js";
import { Memcached } from "./memcached.js";
import { describe, runPython, type Words } from "./python.js";

let server: Memcached;
beforeAll(async () => {
  server = await Memcached.start();
});
afterAll(async () => {
  await server.stop();
});

const VALUES = `
import pylibmc
values = [
    b"", b"bytes\\xff\\r\\n", b"x" * 5000, "", "text", "h\\u00e9 \\U0001f600", "long " * 2000,
    0, 7, -42, 2**53, -2**64, 10**60, True, False,
    None, 1.5, -0.0, 1e300, math.inf, [1, "a", None], {"k": (1, 2.5)}, {1: {2, 3}}, ["spam"] * 500,
    datetime.datetime(2024, 2, 29, 12, 30, 15, 250000),
    datetime.datetime(2024, 7, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=5.5))),
    datetime.date(2024, 2, 29), datetime.time(1, 2, 3), datetime.timedelta(1, 2, 3000),
    decimal.Decimal("1.10"), uuid.UUID(int=5), collections.OrderedDict(z=1, a=[2]),
    collections.defaultdict(list, {"a": [1]}), frozenset(["x"]), bytearray(b"ba"),
    {"__proto__": {"admin": True}, "constructor": 1},
]
`;

test("reads what pylibmc writes, with every pickle protocol and compression", async () => {
  const written = runPython(
    `${VALUES}
answer = []
for protocol in (-1, 0, 1, 2, 3, 4, 5):
    client = pylibmc.Client([request], behaviors={"pickle_protocol": protocol})
    for compress in ({}, {"min_compress_len": 1}, {"min_compress_len": 100, "compress_level": 9}):
        for i, value in enumerate(values):
            key = "p%d-%d-%d" % (protocol + 1, len(str(compress)), i)
            assert client.set(key, value, **compress)
            answer.append([key, describe(value)])
reply(answer)`,
    server.path,
  ) as [string, Words][];
  const codec = createCodec();
  for (const [key, words] of written) {
    const { data, flags } = await server.get(key);
    const value = await codec.decode(data, 0, data.length, flags, true, key);
    expect(describe(value), key).toEqual(words);
  }
  expect(written).toHaveLength(7 * 3 * 36);
});

/** What goes in here, and comes out of pylibmc as the same. */
const NATIVE: readonly unknown[] = [
  "",
  "text",
  "hé 😀",
  "long ".repeat(2000),
  "large ".repeat(30_000),
  Buffer.alloc(0),
  Buffer.from("bytes\xff\r\n", "latin1"),
  Buffer.alloc(200_000, "x"),
  0,
  7,
  -42,
  2n ** 53n,
  -(2n ** 64n),
  10n ** 60n,
];
const STRUCTURED: readonly unknown[] = [
  null,
  1.5,
  -1e300,
  Number.NaN,
  [1, "a", null, [true]],
  { k: { nested: [1.5, "é"] } },
  new Map<unknown, unknown>([
    [1, "one"],
    [[1, "a"], new Set([2])],
  ]),
  new Set(["a", 1]),
  new Date(1709209815250),
  JSON.parse('{"__proto__":{"admin":true}}'),
  new Array(500).fill("spam"),
];

const COMPRESSIONS: readonly (boolean | CompressOptions)[] = [
  false,
  true,
  { minLength: 1 },
  { minLength: 100, level: 9 },
];

test("pylibmc reads what is written here", async () => {
  const expected: [string, Words][] = [];
  for (const protocol of [2, 3, 4, 5] as const) {
    const codec = createCodec({ serializer: "pickle", pickle: { protocol } });
    for (const [i, compress] of COMPRESSIONS.entries()) {
      for (const [j, value] of [...NATIVE, ...STRUCTURED].entries()) {
        const key = `n${protocol}-${i}-${j}`;
        await server.set(key, await codec.encode(value, { compress }, key));
        expected.push([key, describe(value)]);
      }
    }
  }
  const read = runPython(
    `import pylibmc
client = pylibmc.Client([request[0]])
reply([describe(client.get(key)) for key in request[1]])`,
    [server.path, expected.map(([key]) => key)],
  ) as Words[];
  expect(read).toHaveLength(4 * COMPRESSIONS.length * (NATIVE.length + STRUCTURED.length));
  read.forEach((words, i) => {
    expect(words, expected[i]![0]).toEqual(expected[i]![1]);
  });
});

test("pylibmc sees booleans as its own, JSON as text, and refuses what only we inflate", async () => {
  const written: [string, unknown, CodecOptions][] = [
    ["true", true, {}],
    ["false", false, {}],
    ["json", { a: ["é", 1.5] }, {}],
    ["brotli", "x".repeat(9999), { compress: { algorithm: "brotli" } }],
    ["gzip", "x".repeat(9999), { compress: { algorithm: "gzip" } }],
  ];
  for (const [key, value, options] of written) {
    await server.set(key, await createCodec(options).encode(value, undefined));
  }
  const read = runPython(
    `import pylibmc
client = pylibmc.Client([request])
def seen(key):
    try:
        return repr(client.get(key))
    except pylibmc.Error as e:
        return str(e)
reply([seen(key) for key in ("true", "false", "json", "brotli", "gzip")])`,
    server.path,
  );
  const failure = "Failed to decompress value: inflate";
  expect(read).toEqual(["1", "0", `'{"a":["é",1.5]}'`, failure, failure]);
});
