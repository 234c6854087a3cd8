import fc from "fast-check";
import { expect, test } from "vitest";
import { PickleReader } from "../../../src/value/pickle/reader.js";
import { PickleWriter } from "../../../src/value/pickle/writer.js";
import { describe, runPython, type Words } from "../python.js";

/** Values of every plain kind, nested and shared, from a fixed seed. */
const RANDOM_VALUES = `
rng = random.Random(20240229)

def random_text():
    kind = rng.random()
    if kind < 0.05:
        return rng.choice(["__proto__", "constructor", "", "0", "1", "a.b", "x\\ud800y", "\\udfff"])
    alphabet = rng.choice(["abc", "aé\\n\\\\'\\"", "日本語€", "😀a\\0", "\\x1a\\r\\t\\u2028"])
    return "".join(rng.choice(alphabet) for _ in range(rng.choice([0, 1, 3, 20, 300])))

def random_scalar(hashable=False):
    return rng.choice([
        lambda: None, lambda: True, lambda: False,
        lambda: rng.randint(-300, 300), lambda: rng.randint(-2**33, 2**33),
        lambda: rng.randint(-2**64, 2**64), lambda: rng.choice([-1, 1]) * 2 ** rng.randint(0, 300) - rng.randint(0, 1),
        lambda: rng.choice([0.0, -0.0, 1.5, 1e300, -5e-324, math.inf, -math.inf, 0.1, 3.0, 2.0**53, 1e22]),
        lambda: rng.random() * 10 ** rng.randint(-10, 10),
        random_text,
        lambda: bytes(rng.randrange(256) for _ in range(rng.choice([0, 1, 10, 300]))),
        lambda: decimal.Decimal(rng.randint(-10**20, 10**20)).scaleb(rng.randint(-30, 30)),
        lambda: uuid.UUID(int=rng.getrandbits(128)),
        lambda: datetime.date(rng.randint(1, 9999), rng.randint(1, 12), rng.randint(1, 28)),
        lambda: datetime.datetime(rng.randint(1, 9999), 3, 4, 5, 6, 7, rng.randrange(10**6)),
        lambda: datetime.datetime(rng.randint(2, 9998), 3, 4, 5, 6, 7, rng.randrange(10**6),
            datetime.timezone(datetime.timedelta(minutes=rng.randint(-1439, 1439)))),
        lambda: datetime.time(rng.randint(0, 23), 1, 2, rng.choice([0, 250, 999999]),
            rng.choice([None, datetime.timezone.utc, datetime.timezone(datetime.timedelta(minutes=-330)),
                datetime.timezone(datetime.timedelta(hours=5, minutes=53, seconds=28))])),
        lambda: datetime.timedelta(microseconds=rng.randint(-2000, 2000)),
        lambda: datetime.timedelta(rng.randint(-1000, 1000), rng.randint(-10**5, 10**5), rng.randint(0, 10**6)),
    ])()

def random_key(depth=2):
    if depth and rng.random() < 0.1:
        return tuple(random_key(depth - 1) for _ in range(rng.randint(0, 3)))
    if depth and rng.random() < 0.05:
        return frozenset(random_key(depth - 1) for _ in range(rng.randint(0, 3)))
    return rng.choice([random_text, lambda: rng.randint(-2**40, 2**70), lambda: b"k\\xff" * rng.randint(0, 2)])()

def random_value(depth, pool):
    if depth == 0 or rng.random() < 0.4:
        return random_scalar()
    if pool and rng.random() < 0.1:
        return rng.choice(pool)
    size = rng.choice([0, 1, 2, 3, 5, 40] if depth < 3 else [1, 2, 4])
    again = lambda: random_value(depth - 1, pool)
    value = rng.choice([
        lambda: [again() for _ in range(size)],
        lambda: tuple(again() for _ in range(size)),
        lambda: {random_text(): again() for _ in range(size)},
        lambda: {random_key(): again() for _ in range(size)},
        lambda: {random_key() for _ in range(size)},
        lambda: frozenset(random_key() for _ in range(size)),
        lambda: bytearray(b"\\xff" * size),
        lambda: collections.OrderedDict((random_text(), again()) for _ in range(size)),
        lambda: collections.defaultdict(list, {random_key(): [again()] for _ in range(size)}),
        lambda: collections.Counter(random_text() for _ in range(size)),
        lambda: collections.deque((again() for _ in range(size)), 50),
    ])()
    pool.append(value)
    return value
`;

interface Sample {
  readonly pickles: readonly string[];
  readonly words: Words;
}

test("reads what Python pickles, in every protocol, with its C and its Python pickler", async () => {
  const samples = (await runPython(`${RANDOM_VALUES}
import io
def slow(value, protocol):
    out = io.BytesIO()
    pickle._Pickler(out, protocol).dump(value)
    return out.getvalue()
answer = []
for i in range(250):
    value = random_value(4, [])
    pickles = [pickle.dumps(value, p).hex() for p in range(6)]
    if i % 10 == 0:
        pickles += [slow(value, p).hex() for p in range(6)]
    answer.append({"pickles": pickles, "words": describe(value)})
reply(answer)
`)) as Sample[];
  const reader = new PickleReader();
  let read = 0;
  for (const { pickles, words } of samples) {
    for (const pickle of pickles) {
      const bytes = Buffer.from(`aa${pickle}aa`, "hex");
      const value = reader.read(bytes, 1, bytes.length - 1);
      bytes.fill(0);
      expect(describe(value)).toEqual(words);
      read++;
    }
  }
  expect(read).toBe(250 * 6 + 25 * 6);
});

/** Values that Python's equality keeps apart: it takes 1, 1.0 and True for one key. */
const { value: anything } = fc.letrec((tie) => ({
  key: fc.oneof(
    fc.string({ unit: "binary" }),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(narrow),
    fc.uint8Array({ maxLength: 5 }),
    fc.array(fc.integer(), { maxLength: 3 }),
  ),
  scalar: fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }).map(narrow),
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom("\ud800", "a\udfffb", "__proto__", "x".repeat(300)),
    fc.uint8Array({ maxLength: 300 }),
    fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
  ),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("scalar"),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 5 }),
    fc.array(fc.tuple(tie("key"), tie("value")), { maxLength: 5 }).map((pairs) => new Map(pairs)),
    fc
      .uniqueArray(tie("key"), { maxLength: 5, selector: (k) => JSON.stringify(describe(k)) })
      .map((keys) => new Set(keys)),
  ),
}));

function narrow(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Keys of a Map that Python takes for the same would be merged there. */
function hasDistinctKeys(value: unknown): boolean {
  if (value instanceof Map) {
    const keys = [...value.keys()].map((key) => JSON.stringify(describe(key)));
    return new Set(keys).size === keys.length && [...value.values()].every(hasDistinctKeys);
  }
  if (Array.isArray(value)) return value.every(hasDistinctKeys);
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    return Object.values(value).every(hasDistinctKeys);
  }
  return true;
}

test("Python reads what is written here, in the protocols 2 to 5", async () => {
  const values = fc.sample(anything.filter(hasDistinctKeys), { numRuns: 250, seed: 7 });
  const pickles = values.flatMap((value) =>
    ([2, 3, 4, 5] as const).map((protocol) =>
      new PickleWriter({ protocol }).write(value).toString("hex"),
    ),
  );
  const words = (await runPython(
    "reply([describe(pickle.loads(bytes.fromhex(p))) for p in request])",
    pickles,
  )) as Words[];
  expect(words).toHaveLength(1000);
  words.forEach((said, i) => {
    expect(said).toEqual(describe(values[Math.floor(i / 4)]));
  });
});

test("reads what it wrote itself", async () => {
  const reader = new PickleReader();
  fc.assert(
    fc.property(anything, fc.constantFrom(2, 3, 4, 5), (value, protocol) => {
      const bytes = new PickleWriter({ protocol }).write(value);
      expect(describe(reader.read(bytes, 0, bytes.length))).toEqual(describe(value));
    }),
    { seed: 11 },
  );
});

test("writes the types that Python expects", async () => {
  const value = {
    map: new Map<unknown, unknown>([
      [1, "one"],
      [[1, "a"], new Set([2])],
    ]),
    set: new Set([1, new Set(["inner"])]),
    at: new Date(1709209815250),
    big: 2n ** 64n,
    bytes: new Uint8Array([1, 255]),
    float: 1.5,
    int: 7,
    list: [null, true],
  };
  const pickles = ([2, 3, 4, 5] as const).map((protocol) =>
    new PickleWriter({ protocol }).write(value).toString("hex"),
  );
  const seen = await runPython(
    "reply([repr(pickle.loads(bytes.fromhex(p))) for p in request])",
    pickles,
  );
  const repr =
    "{'map': {1: 'one', (1, 'a'): {2}}, 'set': {frozenset({'inner'}), 1}, " +
    "'at': datetime.datetime(2024, 2, 29, 12, 30, 15, 250000, tzinfo=datetime.timezone.utc), " +
    "'big': 18446744073709551616, 'bytes': b'\\x01\\xff', 'float': 1.5, 'int': 7, 'list': [None, True]}";
  const swapped = repr.replace("{frozenset({'inner'}), 1}", "{1, frozenset({'inner'})}");
  for (const text of seen as string[]) expect([repr, swapped]).toContain(text);
});

test("more shared values than one byte can count are told apart both ways", async () => {
  const each = Array.from({ length: 300 }, (_, i) => [i]);
  for (const protocol of [2, 3, 4, 5] as const) {
    const bytes = new PickleWriter({ protocol }).write([...each, ...each]);
    const same = await runPython(
      `v = pickle.loads(bytes.fromhex(request))
reply([len(v), all(v[i] == [i] and v[i] is v[i + 300] for i in range(300))])`,
      bytes.toString("hex"),
    );
    expect(same).toEqual([600, true]);
  }
  const back = (await runPython(
    "v = [[i] for i in range(300)]; reply([pickle.dumps(v + v, p).hex() for p in range(6)])",
  )) as string[];
  for (const pickle of back) {
    const bytes = Buffer.from(pickle, "hex");
    const read = new PickleReader().read(bytes, 0, bytes.length) as unknown[];
    expect(read).toEqual([...each, ...each]);
    for (let i = 0; i < 300; i++) expect(read[i]).toBe(read[i + 300]);
  }
});

test("a key that contains itself is refused, and one that only comes twice is not", () => {
  const key: unknown[] = [1];
  const twice = new Map([[[key, key], "v"]]);
  const bytes = new PickleWriter({ protocol: 5 }).write(twice);
  expect(new PickleReader().read(bytes, 0, bytes.length)).toEqual(twice);
  key.push(key);
  expect(() => new PickleWriter({ protocol: 5 }).write(twice)).toThrow(
    "a key that contains itself",
  );
});

test("cycles and shared references survive both ways", async () => {
  const shared = { n: 1 };
  const list: unknown[] = [shared, shared];
  const map = new Map<unknown, unknown>([[1, list]]);
  list.push(list, map);
  map.set("self", map);
  for (const protocol of [2, 3, 4, 5] as const) {
    const bytes = new PickleWriter({ protocol }).write(list);
    const same = await runPython(
      `v = pickle.loads(bytes.fromhex(request))
reply([v[0] is v[1], v[2] is v, v[3]["self"] is v[3], v[3][1] is v])`,
      bytes.toString("hex"),
    );
    expect(same).toEqual([true, true, true, true]);
  }
  const back = (await runPython(`
shared = {"n": 1}
v = [shared, shared]
v.append(v)
d = {1: v, "a": 0}
d["self"] = d
v.append(d)
e = {"first": 1}
e["me"] = [e]
e[2] = e
v.append(e)
reply([pickle.dumps(v, p).hex() for p in range(6)])`)) as string[];
  for (const pickle of back) {
    const bytes = Buffer.from(pickle, "hex");
    const read = new PickleReader().read(bytes, 0, bytes.length) as unknown[];
    const dict = read[3] as Map<unknown, unknown>;
    const late = read[4] as Map<unknown, unknown>;
    expect(read[0]).toBe(read[1]);
    expect(read[2]).toBe(read);
    expect(dict).toBeInstanceOf(Map);
    expect(dict.get(1)).toBe(read);
    expect(dict.get("self")).toBe(dict);
    // A key that is no string came after the dictionary had been referred to.
    expect((late.get("me") as unknown[])[0]).toBe(late);
    expect(late.get(2)).toBe(late);
  }
});
