import { describe, expect, test } from "vitest";
import type { Request } from "../../../src/protocol/request.js";
import {
  count,
  debug,
  del,
  Exchanges,
  end,
  exchange,
  flushAll,
  get,
  getMany,
  type Item,
  item,
  noop,
  type Outcome,
  set,
  stats,
  verbosity,
  version,
} from "./exchanges.js";

const MAX_CAS = 2n ** 64n - 1n;
const cas = { compareCas: 5n };

function hit(data: string, fields: Partial<Item> = {}): Outcome {
  return { items: [item(data, fields)], end: "miss" };
}

/** Every reply to every verb (protocol.txt), and what it is read as. */
const REPLIES: [string, Request, string, Outcome][] = [
  ["get: hit", get("k"), "VALUE k 16 5\r\nvalue\r\nEND\r\n", hit("value", { flags: 16 })],
  ["get: miss", get("k"), "END\r\n", end("miss")],
  ["get: nothing in it", get("k"), "VALUE k 0 0\r\n\r\nEND\r\n", hit("")],
  [
    "get: a value that looks like a reply",
    get("k"),
    "VALUE k 0 19\r\nEND\r\nVALUE x 0 1\r\n\0\r\nEND\r\n",
    hit("END\r\nVALUE x 0 1\r\n\0"),
  ],
  [
    "get: the highest flags",
    get("k"),
    "VALUE k 4294967295 1\r\nv\r\nEND\r\n",
    hit("v", { flags: 0xffffffff }),
  ],
  [
    "get: high bytes in the key",
    get("\xc3\xa9"),
    "VALUE \xc3\xa9 0 1\r\n\xe9\r\nEND\r\n",
    hit("\xe9"),
  ],
  [
    "gets: hit",
    get("k", { cas: true }),
    `VALUE k 0 1 ${MAX_CAS}\r\nv\r\nEND\r\n`,
    hit("v", { cas: MAX_CAS }),
  ],
  [
    "get of many: some",
    getMany(["a", "b", "c"]),
    "VALUE a 0 1\r\n1\r\nVALUE c 1 2\r\n33\r\nEND\r\n",
    { items: [item("1", { index: 0 }), item("33", { index: 2, flags: 1 })], end: "miss" },
  ],
  [
    "get of many: in another order",
    getMany(["a", "b", "c"]),
    "VALUE c 0 1\r\n3\r\nVALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nEND\r\n",
    {
      items: [item("3", { index: 2 }), item("1", { index: 0 }), item("2", { index: 1 })],
      end: "miss",
    },
  ],
  ["touch: there", get("k", { value: false, touch: 1 }), "TOUCHED\r\n", end("ok")],
  ["touch: not there", get("k", { value: false, touch: 1 }), "NOT_FOUND\r\n", end("notFound")],
  [
    "has: there",
    get("k", { value: false }),
    "HD s5\r\n",
    {
      items: [item("(no value)", { info: { size: 5 } })],
      end: "hit",
    },
  ],
  [
    "has: there, until 1.6.10",
    get("k", { value: false }),
    "OK s5\r\n",
    {
      items: [item("(no value)", { info: { size: 5 } })],
      end: "hit",
    },
  ],
  ["has: not there", get("k", { value: false }), "EN\r\n", end(["miss", {}])],
  [
    "mg: hit",
    get("k", { touch: 1 }),
    "VA 5 f16\r\nvalue\r\n",
    {
      items: [item("value", { flags: 16, info: { flags: 16 } })],
      end: "hit",
    },
  ],
  [
    "mg: everything",
    get("k", {
      cas: true,
      meta: { returnKey: true, opaque: "o1", returnTtl: true },
    }),
    "VA 2 kk Oo1 h1 l12 t-1 f16 c5 s2 W X Z\r\nab\r\n",
    {
      items: [
        item("ab", {
          flags: 16,
          cas: 5n,
          info: {
            key: "k",
            opaque: "o1",
            hitBefore: true,
            lastAccess: 12,
            ttl: -1,
            flags: 16,
            cas: 5n,
            size: 2,
            won: true,
            stale: true,
            alreadyWon: true,
          },
        }),
      ],
      end: "hit",
    },
  ],
  [
    "mg: a key in base64 that was sent so",
    get("a b", { meta: { base64Key: true, returnKey: true } }),
    "VA 1 kYSBi b f0\r\nv\r\n",
    { items: [item("v", { info: { key: "a b", flags: 0 } })], end: "hit" },
  ],
  [
    "mg: a key in base64 that was not sent so",
    get("foo", { meta: { returnKey: true } }),
    "VA 1 kZm9v f0 b\r\nv\r\n",
    { items: [item("v", { info: { key: "foo", flags: 0 } })], end: "hit" },
  ],
  [
    "mg: a miss of memcached before 1.6.18, without key and opaque",
    get("k", { meta: { opaque: "o", returnKey: true } }),
    "EN\r\n",
    end(["miss", {}]),
  ],
  [
    "mg: the value left out, since the cas is the same",
    get("k", { meta: { unlessCas: 5n } }),
    "HD f0\r\n",
    { items: [item("(no value)", { info: { flags: 0 } })], end: "hit" },
  ],
  ["set: stored", set("k", "v"), "STORED\r\n", end("stored")],
  ["add: not stored", set("k", "v", { mode: "add" }), "NOT_STORED\r\n", end("notStored")],
  ["cas: changed", set("k", "v", cas), "EXISTS\r\n", end("exists")],
  ["cas: gone", set("k", "v", cas), "NOT_FOUND\r\n", end("notFound")],
  [
    "ms: stored",
    set("k", "v", { meta: { returnCas: true } }),
    "HD c7\r\n",
    end(["stored", { cas: 7n }]),
  ],
  ["ms: not stored", set("k", "v", { meta: {} }), "NS\r\n", end(["notStored", {}])],
  ["ms: changed", set("k", "v", { ...cas, meta: {} }), "EX\r\n", end(["exists", {}])],
  ["ms: gone", set("k", "v", { ...cas, meta: {} }), "NF\r\n", end(["notFound", {}])],
  ["delete: deleted", del("k"), "DELETED\r\n", end("ok")],
  ["delete: not there", del("k"), "NOT_FOUND\r\n", end("notFound")],
  ["md: deleted, until 1.6.10", del("k", { meta: {} }), "OK \r\n", end(["ok", {}])],
  ["md: deleted", del("k", { meta: { opaque: "o" } }), "HD Oo\r\n", end(["ok", { opaque: "o" }])],
  ["md: not there", del("k", cas), "NF\r\n", end(["notFound", {}])],
  ["md: changed", del("k", cas), "EX\r\n", end(["exists", {}])],
  ["incr: a number", count("k"), "42\r\n", end(42)],
  ["incr: a padded number", count("k"), "9  \r\n", end(9)],
  ["incr: the highest safe number", count("k"), "9007199254740991\r\n", end(2 ** 53 - 1)],
  ["incr: past it", count("k"), "9007199254740993\r\n", end(9007199254740993n)],
  ["incr: the highest number", count("k"), `${MAX_CAS}\r\n`, end(MAX_CAS)],
  ["incr: not there", count("k"), "NOT_FOUND\r\n", end("notFound")],
  ["ma: a number", count("k", { initial: 1 }), "VA 2\r\n42\r\n", end([42, {}])],
  [
    "ma: a number and more",
    count("k", { meta: { returnTtl: true, returnCas: true } }),
    `VA 20 t60 c5\r\n${MAX_CAS}\r\n`,
    end([MAX_CAS, { ttl: 60, cas: 5n }]),
  ],
  ["ma: no number wanted", count("k", { meta: { returnValue: false } }), "HD\r\n", end(["ok", {}])],
  ["ma: not there", count("k", { meta: {} }), "NF\r\n", end(["notFound", {}])],
  ["ma: not stored", count("k", { meta: {} }), "NS\r\n", end(["notStored", {}])],
  ["ma: changed", count("k", { meta: {} }), "EX\r\n", end(["exists", {}])],
  ["version", version, "VERSION 1.6.18\r\n", end("1.6.18")],
  ["noop", noop, "MN\r\n", end("ok")],
  ["verbosity", verbosity, "OK\r\n", end("ok")],
  ["flush_all", flushAll(), "OK\r\n", end("ok")],
  [
    "stats",
    stats(),
    "STAT pid 5\r\nSTAT version 1.6.18\r\nSTAT empty \r\nEND\r\n",
    end({
      pid: "5",
      version: "1.6.18",
      empty: "",
    }),
  ],
  ["stats: nothing", stats("items"), "END\r\n", end({})],
  ["stats reset", stats("reset"), "RESET\r\n", end({})],
  ["stats detail on", stats("detail on"), "OK\r\n", end({})],
  [
    "stats detail dump",
    stats("detail dump"),
    "PREFIX a get 1 hit 1 set 1 del 0\r\nEND\r\n",
    end({ a: "get 1 hit 1 set 1 del 0" }),
  ],
  [
    "stats cachedump",
    stats("cachedump 1 0"),
    "ITEM k [5 b; 0 s]\r\nEND\r\n",
    end({ k: "[5 b; 0 s]" }),
  ],
  ["me", debug("k"), "ME k exp=-1 la=0 cas=1\r\n", end("ME k exp=-1 la=0 cas=1")],
  [
    "me: a binary key, as it is",
    debug("a\xffb", true),
    "ME a\xffb exp=-1\r\n",
    end("ME a\xffb exp=-1"),
  ],
  ["me: miss", debug("k"), "EN\r\n", end("miss")],
  ["ERROR", get("k"), "ERROR\r\n", end("unknownCommand: ERROR")],
  ["ERROR to a meta command", get("k", { touch: 1 }), "ERROR\r\n", end("notSupported: ERROR")],
  ...["invalid flag", "invalid or duplicate flag", "incorrect number of tokens supplied"].map(
    (words): [string, Request, string, Outcome] => [
      `${words}, to a meta command of another release`,
      get("k", { touch: 1 }),
      `CLIENT_ERROR ${words}\r\n`,
      end(`notSupported: CLIENT_ERROR ${words}`),
    ],
  ),
  ["ERROR to me", debug("k"), "ERROR\r\n", end("notSupported: ERROR")],
  [
    "ERROR with a colon",
    version,
    "ERROR: shutdown not enabled\r\n",
    end("unknownCommand: ERROR: shutdown not enabled"),
  ],
  [
    "CLIENT_ERROR",
    count("k"),
    "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n",
    end("clientError: CLIENT_ERROR cannot increment or decrement non-numeric value"),
  ],
  ["SERVER_ERROR", get("k"), "SERVER_ERROR busy\r\n", end("serverError: SERVER_ERROR busy")],
  [
    "SERVER_ERROR to a storage command, whose data were read",
    set("k", "v"),
    "SERVER_ERROR out of memory storing object\r\n",
    end("serverError: SERVER_ERROR out of memory storing object"),
  ],
  [
    "too large",
    set("k", "v"),
    "SERVER_ERROR object too large for cache\r\n",
    end("tooLarge: SERVER_ERROR object too large for cache"),
  ],
  [
    "unauthenticated",
    get("k"),
    "CLIENT_ERROR unauthenticated\r\n",
    end("auth: CLIENT_ERROR unauthenticated"),
  ],
  [
    "mg: the mark of a binary key without the key",
    get("a b", { touch: 0, meta: { base64Key: true } }),
    "VA 1 b f0\r\nv\r\n",
    { items: [item("v", { info: { flags: 0 } })], end: "hit" },
  ],
  [
    "set: authentication failure",
    set("k", "v"),
    "CLIENT_ERROR authentication failure\r\n",
    end("auth: CLIENT_ERROR authentication failure"),
  ],
  ["stats: refused", stats("nonsense"), "ERROR\r\n", end("unknownCommand: ERROR")],
  [
    "SERVER_ERROR to a many-key read of one key",
    getMany(["a"]),
    "SERVER_ERROR busy\r\n",
    end("serverError: SERVER_ERROR busy"),
  ],
];

test.each(REPLIES)("%s", (_, request, reply, outcome) => {
  expect(exchange(request, reply)).toEqual(outcome);
});

describe("a reply that is cut at any byte is the same reply", () => {
  test.each(REPLIES)("%s", (_, request, reply, outcome) => {
    for (let cut = 0; cut <= reply.length; cut++) {
      expect(exchange(request, reply, cut), `cut at ${cut}`).toEqual(outcome);
    }
    expect(exchange(request, reply, ...Array.from(reply, (_, i) => i))).toEqual(outcome);
  });
});

describe("a line that several gets share", () => {
  function read(keys: string[], reply: string): Outcome[] {
    const exchanges = new Exchanges();
    exchanges.write(...keys.map((key) => get(key)));
    return exchanges.read(reply).outcomes;
  }

  test("each gets its item or a miss", () => {
    const outcomes = read(["a", "b", "c"], "VALUE a 0 1\r\n1\r\nVALUE c 0 1\r\n3\r\nEND\r\n");
    expect(outcomes).toEqual([hit("1"), end("miss"), hit("3")]);
  });

  test("an item comes when its bytes do, not at the end of the line", () => {
    const exchanges = new Exchanges();
    exchanges.write(get("a"), get("b"));
    exchanges.read("VALUE a 0 1\r\n1\r\n");
    expect(exchanges.outcomes).toEqual([
      { items: [item("1")], end: undefined },
      { items: [], end: undefined },
    ]);
  });

  test("a proxy may mix the items", () => {
    const outcomes = read(["a", "b"], "VALUE b 0 1\r\n2\r\nVALUE a 0 1\r\n1\r\nEND\r\n");
    expect(outcomes).toEqual([hit("1"), hit("2")]);
  });

  test("a proxy may mix the items of each line anew, of many keys and of neighbours", () => {
    const keys = ["a", "b", "c"];
    const reversed = keys.map((key) => `VALUE ${key} 0 1\r\n${key}\r\n`).reverse();
    const exchanges = new Exchanges();
    for (let line = 0; line < 3; line++) {
      exchanges.write(getMany(keys), ...keys.map((key) => get(key)));
      exchanges.read(`${reversed.join("")}END\r\n`.repeat(2));
    }
    const many = {
      items: ["c", "b", "a"].map((key, i) => item(key, { index: 2 - i })),
      end: "miss",
    };
    const line = [many, ...keys.map((key) => hit(key))];
    expect(exchanges.outcomes).toEqual([...line, ...line, ...line]);
  });

  test.each([
    ["a a b", ["a", "b", "a"]],
    ["b a a", ["a", "b", "a"]],
    ["a a b", ["b", "a", "a"]],
    ["b a a c", ["a", "b", "a", "c"]],
    ["a a c b", ["a", "b", "a", "c"]],
  ])("a key that was asked for twice is answered twice: %s to %j", (order, keys) => {
    const items = order.split(" ").map((key) => `VALUE ${key} 0 1\r\n${key}\r\n`);
    expect(read(keys, `${items.join("")}END\r\n`)).toEqual(keys.map((key) => hit(key)));
  });
});

describe("statistics", () => {
  const two = (first: string) => {
    const exchanges = new Exchanges();
    exchanges.write(stats(), stats());
    return exchanges.read(`${first}STAT b 2\r\nEND\r\n`).outcomes.map(({ end }) => end);
  };

  test("of one answer are not in the next, whole or refused", () => {
    expect(two("STAT a 1\r\nEND\r\n")).toEqual([{ a: "1" }, { b: "2" }]);
    expect(two("STAT a 1\r\nSERVER_ERROR busy\r\n")).toEqual([
      "serverError: SERVER_ERROR busy",
      { b: "2" },
    ]);
  });

  test("are limited in each answer, and not in all together", () => {
    const large = `STAT a ${"x".repeat(8000)}\r\n`.repeat(1100);
    expect(two(`${large}END\r\n${large}`)).toEqual([
      { a: "x".repeat(8000) },
      { a: "x".repeat(8000), b: "2" },
    ]);
  });
});

test("most of a large value is read to where it belongs", () => {
  const exchanges = new Exchanges();
  exchanges.write(get("k"), version);
  const value = Array.from({ length: 300_000 }, (_, i) => `${i}`.padStart(10)).join("");
  exchanges.read(
    `VALUE k 0 ${value.length}\r\n${value}\r\nEND\r\nVERSION 1\r\n`,
    70_000,
    2_000_000,
  );
  expect(exchanges.outcomes[0]?.items[0]?.data === value).toBe(true);
  expect(exchanges.outcomes[1]).toEqual(end("1"));
  expect(exchanges.rooms).toBeGreaterThan(2);
});

test.each([-1, 0, 1, 9_998, 40_000])(
  "a value of 1 MiB and %i bytes is whole, although no more is taken at its word",
  (more) => {
    const value = Array.from({ length: 110_000 }, (_, i) => `${i}`.padStart(10)).join("");
    const data = value.slice(0, 1024 * 1024 + more);
    const exchanges = new Exchanges();
    exchanges.write(get("k"));
    exchanges.read(`VALUE k 0 ${data.length}\r\n${data}\r\nEND\r\n`, 65_536, 131_072);
    expect(exchanges.outcomes[0]?.items[0]?.data === data).toBe(true);
  },
);
