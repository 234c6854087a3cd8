import { Client, type ClientOptions, type CompressOptions } from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { describe as describeValue, runPython, type Words } from "../value/python.js";

let server: Memcached;
beforeAll(async () => {
  server = await startMemcached({ args: ["-I", "8m"] });
});
afterAll(() => server[Symbol.asyncDispose]());

const PYLIBMC_VALUES = `
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

const wires = [
  ["text", "", false],
  ["text", "ns:", false],
  ["binary", "", true],
  ["binary", "ns:", true],
] as const;

describe.each(wires)("with pylibmc, %s protocol, namespace %j", (wire, namespace, binary) => {
  const options: ClientOptions = { binary, keyPrefix: namespace };
  const name = `${wire}-${namespace ? "n" : "-"}`;
  /** Keys of pylibmc's client, whose namespace is a behavior. */
  const pylibmc = `
def connect(**behaviors):
    if ${namespace ? "True" : "False"}:
        behaviors["namespace"] = b"${namespace}"
    return pylibmc.Client([request[0]], binary=${binary ? "True" : "False"}, behaviors=behaviors)
`;

  test("what it writes is read, with every pickle protocol and compression", async () => {
    const written = await runPython<[string, Words][]>(
      `${PYLIBMC_VALUES}${pylibmc}
answer = []
for protocol in (-1, 0, 1, 2, 3, 4, 5):
    client = connect(pickle_protocol=protocol)
    for n, compress in enumerate(({}, {"min_compress_len": 1}, {"min_compress_len": 100, "compress_level": 9})):
        for i, value in enumerate(values):
            key = "${name}p%d-%d-%d" % (protocol + 1, n, i)
            assert client.set(key, value, **compress)
            answer.append([key, describe(value)])
reply(answer)`,
      [server.address],
    );
    expect(written).toHaveLength(7 * 3 * 36);
    await using client = new Client(server.address, options);
    const values = await client.getMulti(written.map(([key]) => key));
    for (const [key, words] of written) {
      expect(describeValue(values.get(key)), key).toEqual(words);
    }
    const [[key, words]] = written as [[string, Words]];
    expect(describeValue(await client.get(key))).toEqual(words);
  });

  test("what is written here it reads, with every pickle protocol and compression", async () => {
    const expected: [string, Words][] = [];
    for (const protocol of [2, 3, 4, 5] as const) {
      await using client = new Client(server.address, {
        ...options,
        serializer: "pickle",
        pickle: { protocol },
      });
      for (const [i, compress] of COMPRESSIONS.entries()) {
        for (const [j, value] of [...NATIVE, ...STRUCTURED].entries()) {
          const key = `${name}w${protocol}-${i}-${j}`;
          expect(await client.set(key, value, { compress })).toBe(true);
          expected.push([key, describeValue(value)]);
        }
      }
    }
    const read = await runPython<Words[]>(
      `import pylibmc\n${pylibmc}
client = connect()
reply([describe(client.get(key)) for key in request[1]])`,
      [server.address, expected.map(([key]) => key)],
    );
    expect(read).toHaveLength(4 * COMPRESSIONS.length * (NATIVE.length + STRUCTURED.length));
    read.forEach((words, i) => {
      expect(words, expected[i]![0]).toEqual(expected[i]![1]);
    });
  });
});

test("pylibmc sees booleans as its own, JSON as text, and refuses what only we inflate", async () => {
  await using client = new Client(server.address);
  const long = "x".repeat(9999);
  await client.set("true", true);
  await client.set("false", false);
  await client.set("json", { a: ["é", 1.5] });
  await client.set("brotli", long, { compress: { algorithm: "brotli" } });
  await client.set("gzip", long, { compress: { algorithm: "gzip" } });
  expect(await client.getMulti(["true", "false", "json", "brotli", "gzip"])).toEqual(
    new Map<string, unknown>([
      ["true", true],
      ["false", false],
      ["json", { a: ["é", 1.5] }],
      ["brotli", long],
      ["gzip", long],
    ]),
  );
  const read = await runPython(
    `import pylibmc
client = pylibmc.Client([request])
def seen(key):
    try:
        return repr(client.get(key))
    except pylibmc.Error as e:
        return str(e)
reply([seen(key) for key in ("true", "false", "json", "brotli", "gzip")])`,
    server.address,
  );
  const failure = "Failed to decompress value: inflate";
  expect(read).toEqual(["1", "0", `'{"a":["é",1.5]}'`, failure, failure]);
});

test("an item that inflates past the limit is an error, and the next get is well", async () => {
  await using client = new Client(server.address, { compress: true });
  await client.setMulti({ bomb: Buffer.alloc(4_000_000), fine: "fine ".repeat(1000) });
  await using careful = new Client(server.address, { maxInflatedSize: 1_000_000 });
  await expect(careful.get("bomb")).rejects.toMatchObject({ code: "ERR_MEMCACHED_CODEC" });
  expect(await careful.get("fine")).toBe("fine ".repeat(1000));
  expect(await client.get("bomb")).toHaveLength(4_000_000);
});

test("a Buffer of more than 64 KiB has its memory for itself, which may be given back", async () => {
  await using client = new Client(server.address);
  const large = Buffer.alloc(65 * 1024, "large");
  await client.setMulti({ large, small: "small" });
  const [first, second, small] = await Promise.all(
    ["large", "large", "small"].map((key) => client.get(key)),
  );
  const { buffer } = first as Buffer<ArrayBuffer>;
  structuredClone(buffer, { transfer: [buffer] }); // what `buffer.transfer(0)` does from Node 22 on
  expect(first).toHaveLength(0);
  expect(large.equals(second as Buffer)).toBe(true);
  expect(small).toBe("small");
  expect(large.equals((await client.get<Buffer>("large"))!)).toBe(true);
});
