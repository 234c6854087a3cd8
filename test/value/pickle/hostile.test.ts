import fc from "fast-check";
import { expect, test } from "vitest";
import { CodecError } from "../../../src/errors.js";
import { PickleReader } from "../../../src/value/pickle/reader.js";
import { PickleWriter } from "../../../src/value/pickle/writer.js";
import { runPython } from "../python.js";

const FUZZ_RUNS = Number(process.env["FUZZ_RUNS"] ?? 6000);
const reader = new PickleReader();
const read = (bytes: Buffer, by = reader) => by.read(bytes, 0, bytes.length);
const latin1 = (text: string) => Buffer.from(text, "latin1");

/** The message of the CodecError that a pickle ends in. */
function refusal(bytes: Buffer, by = reader): string {
  try {
    read(bytes, by);
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError);
    return (error as CodecError).message;
  }
  throw new Error("the pickle was read");
}

test.each([
  ["cos\nsystem\n(S'id'\ntR.", "os.system"],
  ["\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.", "posix.system"],
  ["cbuiltins\neval\n(S'1'\ntR.", "builtins.eval"],
  ["c__builtin__\n__import__\n(S'os'\ntR.", "builtins.__import__"],
  ["(S'id'\nios\nsystem\n.", "os.system"],
  ["csubprocess\nPopen\n.", "subprocess.Popen"],
  ["cconstructor\nprototype\n.", "constructor.prototype"],
  ["c__proto__\ntoString\n.", "__proto__.toString"],
  ["cbuiltins\ngetattr\n(cos\nsystem\nS'x'\ntR.", "os.system"],
])("names what %j asks for, and looks nothing up", (pickle, name) => {
  expect(refusal(latin1(pickle))).toContain(`"${name}"`);
});

test.each([
  ["nothing", ""],
  ["no end", "\x80\x04N"],
  ["an empty stack", "."],
  ["a pop of nothing", "0N."],
  ["a missing mark", "N1."],
  ["a tuple without a mark", "t."],
  ["a memo that was never written", "h\x05."],
  ["a memo far out of bounds", "Nr\xff\xff\xff\x7f."],
  ["an append to a number", "K\x01K\x02a."],
  ["an item of a list", "]K\x01K\x02s."],
  ["a key without a value", "}(K\x01u."],
  ["a call of a number", "K\x01)R."],
  ["arguments that are no tuple", "c_codecs\nencode\nK\x01R."],
  ["a class that is only named, called", "cbuiltins\nlist\n)R."],
  ["state for a dictionary", "}}b."],
  ["state for a list", "]}b."],
  ["a persistent id", "Pid\n."],
  ["an extension", "\x82\x01."],
  ["an out-of-band buffer", "\x97."],
  ["an unknown instruction", "\xff."],
  ["protocol 6", "\x80\x06N."],
  ["an integer that is none", "I1e5\n."],
  ["a float that is none", "F0x10\n."],
  ["a string without quotes", "Sabc\n."],
  ["text that is not UTF-8", "X\x01\x00\x00\x00\xff."],
  ["a date that is none", "cdatetime\ndate\n(C\x04\x07\xe4\x02\x1etR."],
  ["a datetime that is too short", "cdatetime\ndatetime\n(C\x04\x07\xe4\x02\x1dtR."],
  [
    "a zone that is unknown",
    "cdatetime\ndatetime\n(C\x0a\x07\xe4\x02\x1d\0\0\0\0\0\0Vnowhere/x\ntR.",
  ],
  ["a UUID that is too long", `cuuid\nUUID\n)\x81}Vint\n\x8a\x11${"\x7f".repeat(17)}sb.`],
  ["bytes of wide characters", "c_codecs\nencode\n(V\\u20ac\nVlatin1\ntR."],
])("refuses %s", (_name, pickle) => {
  refusal(latin1(pickle));
});

test("a length that is not there allocates nothing", () => {
  const before = process.memoryUsage().arrayBuffers;
  refusal(latin1("B\xff\xff\xff\x7fabc."));
  refusal(latin1("\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc."));
  refusal(latin1("\x96\xff\xff\xff\xff\xff\xff\xff\xffabc."));
  refusal(latin1("T\xff\xff\xff\xffabc."));
  expect(refusal(latin1("\x8b\xff\xff\xff\x7fabc."))).toContain("limit");
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
});

test("__proto__ is a name like others, in objects and in state", () => {
  const value = read(latin1("}(V__proto__\n}Vadmin\nI01\nsu.")) as Record<string, unknown>;
  expect(Object.keys(value)).toEqual(["__proto__"]);
  expect(value["admin"]).toBeUndefined();
  expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
});

test("what a user's class hands out is not the pickle's to change", () => {
  const shared = { role: "user" };
  const list: unknown[] = [];
  const trusting = new PickleReader({
    classes: { "app.Shared": () => shared, "app.List": () => list },
  });
  refusal(latin1("capp\nShared\n)RVrole\nVadmin\ns."), trusting);
  refusal(latin1("capp\nShared\n)R}Vrole\nVadmin\nsb."), trusting);
  refusal(latin1("capp\nList\n)RK\x01a."), trusting);
  refusal(latin1("capp\nList\n)R(K\x01e."), trusting);
  expect(shared).toEqual({ role: "user" });
  expect(list).toEqual([]);
});

test("depth is limited, however it is reached", () => {
  const nested = (depth: number) => latin1(`${"]".repeat(depth)}${"a".repeat(depth - 1)}.`);
  expect(read(nested(1000))).toHaveLength(1);
  expect(refusal(nested(1001))).toContain("nested deeper than 1000");
  expect(refusal(nested(100_000))).toContain("nested deeper");
  const deeper = new PickleReader({ maxDepth: 5000 });
  expect(read(nested(5000), deeper)).toHaveLength(1);
  // From the inside out, and from the outside in: through the memo, on a flat stack.
  const inward = (depth: number) => latin1(`]q\x00${"0]h\x00aq\x00".repeat(depth - 1)}.`);
  const outward = (depth: number) =>
    latin1(`]q\x00q\x01${"h\x00]q\x00a0".repeat(depth - 1)}0h\x01.`);
  for (const program of [inward, outward]) {
    expect(read(program(1000))).toHaveLength(1);
    expect(refusal(program(1001))).toContain("nested deeper than 1000");
  }
});

test("a small pickle cannot ask for the same copy for ever", () => {
  const big = `X\x00\x00\x01\x00${"a".repeat(65536)}q\x00`;
  const again = "0c_codecs\nencode\n(h\x00Vlatin1\ntR";
  expect(refusal(latin1(`${big}${again.repeat(1000)}.`))).toContain("beyond all measure");
  const items = `](${"K\x01".repeat(20_000)}eq\x00`;
  for (const type of ["cbuiltins\nset\n", "ccollections\ndeque\n", "ccollections\nOrderedDict\n"]) {
    refusal(latin1(`${items}${`0${type}(h\x00tR`.repeat(1000)}.`));
  }
});

test("references shared a billion times over stay references", () => {
  // Each list holds the one before twice: 2^60 leaves, 60 lists.
  const lists = `](K\x01K\x02e${"q\x00](h\x00h\x00e".repeat(60)}`;
  const value = read(latin1(`${lists}.`)) as unknown[];
  expect(value[0]).toBe(value[1]);
  const strict = new PickleReader({ maxDepth: 30 });
  expect(refusal(latin1(`${lists}.`), strict)).toContain("nested deeper than 30");
});

const HONEST = [
  { a: [1, "b", null, { c: new Set(["d"]) }], e: new Date(5), f: 2n ** 70n, g: new Uint8Array(5) },
  new Map<unknown, unknown>([
    [1, [1.5, "é".repeat(100)]],
    ["__proto__", new Map([[2n ** 64n, true]])],
  ]),
];

test("a pickle cut anywhere is refused", () => {
  for (const value of HONEST) {
    for (const protocol of [2, 3, 4, 5] as const) {
      const whole = new PickleWriter({ protocol }).write(value);
      for (let length = 0; length < whole.length; length++) refusal(whole.subarray(0, length));
    }
  }
});

const seeds = (
  (await runPython(`
import copyreg
values = [
    [1, "a", None, 1.5, True, 2**70, b"x", (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    {"k": {1: [2]}, (1,): {3}, "s": frozenset([4])}, uuid.UUID(int=7), decimal.Decimal("1.5"),
    datetime.datetime(2024, 2, 29, 1, 2, 3, 4, datetime.timezone.utc), datetime.timedelta(1),
    datetime.datetime(2024, 2, 29, tzinfo=zoneinfo.ZoneInfo("UTC")), datetime.time(1),
    collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.deque([1]),
    bytearray(b"abc"), collections.Counter("aab"), [[[[[[]]]]]], "x" * 300, b"y" * 300,
]
reply([pickle.dumps(v, p).hex() for v in values for p in range(6)])`)) as string[]
).map((hex) => Buffer.from(hex, "hex"));

test("changed, crossed and random bytes end in a value or a CodecError", () => {
  const honest = fc.constantFrom(...seeds);
  const changes = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), {
    maxLength: 6,
  });
  const opcodes = [
    ..."(.012BCFGIJKLMNRSTUVX]abcdeghijlopqrstu)}",
    "\x81\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x91\x93\x94",
  ].join("");
  const program = fc.array(fc.constantFrom(...opcodes, "\x00", "\x01", "\n"), { maxLength: 80 });
  const any = fc.oneof(
    fc.tuple(honest, changes).map(([bytes, list]) => {
      const changed = Buffer.from(bytes);
      for (const [at, byte] of list) changed[at % changed.length] = byte;
      return changed;
    }),
    fc
      .tuple(honest, honest, fc.nat(400))
      .map(([a, b, at]) =>
        Buffer.concat([a.subarray(0, at % a.length), b.subarray(at % b.length)]),
      ),
    program.map((codes) => latin1(`${codes.join("")}.`)),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  );
  let values = 0;
  fc.assert(
    fc.property(any, (bytes) => {
      try {
        read(bytes);
        values++;
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
      }
    }),
    { numRuns: FUZZ_RUNS, seed: 42 },
  );
  expect(values).toBeGreaterThan(FUZZ_RUNS / 40);
});
