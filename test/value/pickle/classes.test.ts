import { expect, test } from "vitest";
import { CodecError } from "../../../src/errors.js";
import {
  type PickleClasses,
  pickledEnum,
  pickledObject,
} from "../../../src/value/pickle/classes.js";
import { PickleReader } from "../../../src/value/pickle/reader.js";
import { runPython } from "../python.js";

/** Pickles of a Python expression in all protocols that have it, its classes being those of `app`. */
async function pickles(expression: string): Promise<Buffer[]> {
  const hexes = (await runPython(
    `
import types
app = types.ModuleType("app")
sys.modules["app"] = app
exec('''
import dataclasses, enum, collections
Point = collections.namedtuple("Point", "x y")
class Color(enum.Enum):
    RED = "r"
    GREEN = ["g"]
class ByValue(enum.Enum):
    ONE = 1
    def __reduce_ex__(self, protocol):
        return (self.__class__, (self._value_,))
class User:
    def __init__(self, name, friend=None):
        self.name, self.friend = name, friend
class Slots:
    __slots__ = ("a", "b")
    def __init__(self, a, b):
        self.a, self.b = a, b
    def __getstate__(self):
        return None, {"a": self.a, "b": self.b}
@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    a: object
    b: object
class Opaque:
    def __getstate__(self): return "opaque"
class Tags(list): pass
class Count(int): pass
class Settings(dict): pass
class Money:
    def __init__(self, amount): self.amount = amount
    def __reduce__(self): return (Money, (self.amount,))
class Keywords:
    def __new__(cls, *, a): return object.__new__(cls)
    def __getnewargs_ex__(self): return (), {"a": 5}
    def __getstate__(self): return None
class Outer:
    class Inner:
        def __reduce__(self): return (Outer.Inner, ())
''', app.__dict__)
from app import *
answer = []
for p in range(6):
    try:
        answer.append(pickle.dumps(${expression}, p).hex())
    except (pickle.PicklingError, ValueError) as e:
        answer.append("")
reply(answer)`,
  )) as string[];
  const found = hexes.filter((hex) => hex !== "");
  expect(found, `pickles of ${expression}`).not.toHaveLength(0);
  return found.map((hex) => Buffer.from(hex, "hex"));
}

function read(bytes: Buffer, classes: PickleClasses = {}): unknown {
  return new PickleReader({ classes }).read(bytes, 0, bytes.length);
}

test.each<[string, PickleClasses, unknown]>([
  ["Point(1, [2])", { "app.Point": pickledObject("x", "y") }, { x: 1, y: [2] }],
  [
    "[Color.RED, Color.GREEN]",
    { "app.Color": pickledEnum({ RED: "r", GREEN: ["g"] }) },
    ["r", ["g"]],
  ],
  ["ByValue.ONE", { "app.ByValue": pickledEnum() }, 1],
  [
    "User('a', User('b'))",
    { "app.User": pickledObject() },
    { name: "a", friend: { name: "b", friend: null } },
  ],
  ["ValueError('x')", { "builtins.ValueError": (message) => ({ message }) }, { message: "x" }],
  ["Money(5)", { "app.Money": (amount) => `$${String(amount)}` }, "$5"],
  [
    "User('a')",
    { "app.User": { create: () => ({}), build: (_, state) => [state] } },
    [{ name: "a", friend: null }],
  ],
  ["Count(5)", { "app.Count": (count) => ({ count }) }, { count: 5 }],
  ["Settings(a=1)", { "app.Settings": pickledObject() }, { a: 1 }],
  [
    "(lambda s: [setattr(s, 'b', 3), s, s][1:])(Settings({1: 2}))",
    { "app.Settings": pickledObject() },
    new Array(2).fill(
      new Map<unknown, unknown>([
        [1, 2],
        ["b", 3],
      ]),
    ),
  ],
  [
    "(lambda s: [setattr(s, 'b', s), {'s': s}, s][1:])(Settings({1: 2}))",
    {
      "app.Settings": {
        create: () => ({}),
        build: (map) => new Set(map as Map<1, 2>),
        fresh: true,
      },
    },
    [{ s: new Set([[1, 2]]) }, new Set([[1, 2]])],
  ],
  ["(lambda m: [m, m])(Money(5))", { "app.Money": () => undefined }, [undefined, undefined]],
])("reads %s by the table", async (expression, classes, value) => {
  const all = await pickles(expression);
  expect(all.length).toBeGreaterThanOrEqual(6);
  for (const bytes of all) expect(read(bytes, classes)).toEqual(value);
});

test.each<[string, PickleClasses, unknown, number]>([
  ["Slots(1, 2)", { "app.Slots": pickledObject() }, { a: 1, b: 2 }, 4],
  ["Frozen(1, {'c': 2})", { "app.Frozen": pickledObject("a", "b") }, { a: 1, b: { c: 2 } }, 4],
  ["Frozen(None, None)", { "app.Frozen": pickledObject("a", "b") }, { a: null, b: null }, 4],
  [
    "Tags([1, 2])",
    { "app.Tags": { create: () => [], build: (list) => list, fresh: true } },
    [1, 2],
    6,
  ],
  [
    "Settings(a=1)",
    { "app.Settings": { create: () => new Map(), build: (map) => map, fresh: true } },
    new Map([["a", 1]]),
    6,
  ],
  ["Keywords(a=5)", { "app.Keywords": (options) => options }, { a: 5 }, 2],
  ["Outer.Inner()", { "app.Outer.Inner": () => "inner" }, "inner", 2],
])("reads %s in the protocols that have it", async (expression, classes, value, count) => {
  const all = (await pickles(expression)).slice(-count);
  expect(all).toHaveLength(count);
  for (const bytes of all) expect(read(bytes, classes)).toEqual(value);
});

test.each([
  ["Point(1, 2)", '"app.Point"'],
  ["Color.RED", '"app.Color"'],
  ["User('a')", '"app.User"'],
  ["1+2j", '"builtins.complex"'],
  ["range(3)", '"builtins.range"'],
  ["print", '"builtins.print"'],
  ["zoneinfo.ZoneInfo", "class zoneinfo.ZoneInfo itself"],
  ["[dict]", "class builtins.dict itself"],
  ["{1: (decimal.Decimal,)}", "class decimal.Decimal itself"],
])("refuses %s by name", async (expression, message) => {
  for (const bytes of await pickles(expression)) {
    expect(() => read(bytes)).toThrow(CodecError);
    expect(() => read(bytes)).toThrow(message);
  }
});

test.each([
  ["Frozen(1, 2)", pickledObject(), "names 0 of an instance's 2 values"],
  ["Point(1, 2)", pickledObject("x"), "names 1 of an instance's 2 values"],
  ["Count(5)", pickledObject(), "names 0 of an instance's 1 values"],
  ["Opaque()", pickledObject(), "state is not its attributes"],
])("nothing of %s is left out without a word", async (expression, definition, message) => {
  const classes = { [`app.${expression.replace(/\(.*/, "")}`]: definition };
  for (const bytes of await pickles(expression)) {
    expect(() => read(bytes, classes)).toThrow(CodecError);
    expect(() => read(bytes, classes)).toThrow(message);
  }
});

test("an instance met twice is one object, and one that becomes a string is so everywhere", async () => {
  for (const bytes of await pickles(
    "(lambda u, i: [u, u, {'k': u}, i, i, {i: 1}])(uuid.UUID(int=5), User('a'))",
  )) {
    const id = "00000000-0000-0000-0000-000000000005";
    const value = read(bytes, { "app.User": pickledObject() }) as unknown[];
    expect(value.slice(0, 3)).toEqual([id, id, { k: id }]);
    expect(value[3]).toBe(value[4]);
    expect(value[5]).toEqual(new Map([[value[3], 1]]));
  }
});

test("what takes an instance's place does so in the sets and dictionaries that it is made of", async () => {
  const classes: PickleClasses = {
    "app.User": { create: () => ({}), build: (_, state) => [state] },
  };
  for (const holder of ["{u}", "{u: u, 1: 2}"]) {
    for (const bytes of await pickles(
      `(lambda u: [setattr(u, "friend", ${holder}), u][1])(User("a"))`,
    )) {
      const user = read(bytes, classes) as [{ friend: Set<unknown> | Map<unknown, unknown> }];
      const { friend } = user[0];
      const keys = [...friend.keys()];
      expect(keys).toHaveLength(friend instanceof Set ? 1 : 2);
      expect(keys).toContain(user);
      if (friend instanceof Map) expect(friend.get(user)).toBe(user);
    }
  }
});

test("an instance may contain itself", async () => {
  for (const bytes of await pickles("(lambda u: [setattr(u, 'friend', u), u][1])(User('a'))")) {
    const user = read(bytes, { "app.User": pickledObject() }) as Record<string, unknown>;
    expect(user["friend"]).toBe(user);
  }
});

test("a datetime in a named zone is the instant that the zone's clock showed", async () => {
  const berlin = `zoneinfo.ZoneInfo("Europe/Berlin")`;
  const cases: [string, string][] = [
    [`datetime.datetime(2024, 1, 15, 12, tzinfo=${berlin})`, "2024-01-15T11:00:00.000Z"],
    [`datetime.datetime(2024, 7, 15, 12, tzinfo=${berlin})`, "2024-07-15T10:00:00.000Z"],
    [`datetime.datetime(2024, 10, 27, 2, 30, tzinfo=${berlin})`, "2024-10-27T00:30:00.000Z"],
    [
      `datetime.datetime(2024, 10, 27, 2, 30, tzinfo=${berlin}, fold=1)`,
      "2024-10-27T01:30:00.000Z",
    ],
    [`datetime.datetime(2024, 3, 31, 2, 30, tzinfo=${berlin})`, "2024-03-31T01:30:00.000Z"],
    [`datetime.datetime(2024, 3, 31, 2, 30, tzinfo=${berlin}, fold=1)`, "2024-03-31T00:30:00.000Z"],
    [
      `datetime.datetime(2024, 7, 15, 12, tzinfo=zoneinfo.ZoneInfo("America/St_Johns"))`,
      "2024-07-15T14:30:00.000Z",
    ],
    [
      `datetime.datetime(2024, 7, 15, 12, 1, 2, 3999, tzinfo=zoneinfo.ZoneInfo("UTC"))`,
      "2024-07-15T12:01:02.003Z",
    ],
    [`datetime.datetime.min.replace(tzinfo=${berlin})`, "0000-12-31T23:06:32.000Z"],
    [
      `datetime.datetime(99, 6, 1, 12, tzinfo=zoneinfo.ZoneInfo("America/New_York"))`,
      "0099-06-01T16:56:02.000Z",
    ],
    [`datetime.datetime(1000, 1, 1, tzinfo=${berlin})`, "0999-12-31T23:06:32.000Z"],
    [`datetime.datetime(1500, 2, 28, tzinfo=${berlin})`, "1500-02-27T23:06:32.000Z"],
  ];
  const said = await runPython<{ instants: number[]; pickles: string[][] }>(
    `
moments = [eval(expression) for expression in request]
reply({
    "instants": [int(moment.timestamp() * 1000) for moment in moments],
    # The fold is pickled from protocol 4 on.
    "pickles": [[pickle.dumps(m, p).hex() for p in range(4 if m.fold else 0, 6)] for m in moments],
})`,
    cases.map(([expression]) => expression),
  );
  for (const [i, [expression, iso]] of cases.entries()) {
    expect(new Date(said.instants[i]!).toISOString(), expression).toBe(iso);
    for (const hex of said.pickles[i]!) {
      expect(read(Buffer.from(hex, "hex")), expression).toEqual(new Date(iso));
    }
  }
});

test("the user's table comes before the standard one", async () => {
  for (const bytes of await pickles("decimal.Decimal('1.5')")) {
    expect(read(bytes, { "decimal.Decimal": Number })).toBe(1.5);
  }
});

test("what a user's class throws is a cause", async () => {
  const failure = new Error("mine");
  const classes: PickleClasses = {
    "app.Money": () => {
      throw failure;
    },
  };
  for (const bytes of await pickles("Money(5)")) {
    expect(() => read(bytes, classes)).toThrow(
      expect.objectContaining({ code: "ERR_MEMCACHED_CODEC", cause: failure }),
    );
  }
});

test.each<[string, PickleClasses, unknown]>([
  ["Tags([1, 2])", { "app.Tags": (list) => ({ list }) }, { list: [1, 2] }],
  ["Settings(a=1)", { "app.Settings": (map) => ({ map }) }, { map: { a: 1 } }],
])(
  "what %s holds goes to a class that is not fresh, in protocols 0 and 1",
  async (expression, classes, value) => {
    for (const bytes of (await pickles(expression)).slice(0, 2)) {
      expect(read(bytes, classes)).toEqual(value);
    }
  },
);
