import { describe, expect, test } from "vitest";
import { Outgoing } from "../../../src/protocol/outgoing.js";
import type { Request } from "../../../src/protocol/request.js";
import { TextWire } from "../../../src/protocol/text/wire.js";
import {
  count,
  debug,
  del,
  Exchanges,
  flushAll,
  get,
  getMany,
  noop,
  set,
  stats,
  verbosity,
  version,
} from "./exchanges.js";

const MAX_CAS = 2n ** 64n - 1n;

/** Every shape of every verb, and its bytes (protocol.txt). */
const SHAPES: [string, Request, string][] = [
  ["get", get("k"), "get k\r\n"],
  ["gets", get("k", { cas: true }), "gets k\r\n"],
  ["get of many", getMany(["a", "b", "c"]), "get a b c\r\n"],
  ["gets of many", getMany(["a", "b"], { cas: true }), "gets a b\r\n"],
  ["touch", get("k", { value: false, touch: 60 }), "touch k 60\r\n"],
  ["touch to expire", get("k", { value: false, touch: -1 }), "touch k -1\r\n"],
  ["get and touch", get("k", { touch: 0 }), "mg k T0 f v\r\n"],
  ["gets and touch", get("k", { touch: 60, cas: true }), "mg k T60 f c v\r\n"],
  ["has", get("k", { value: false }), "mg k s t\r\n"],
  [
    "mg with every flag",
    get("k", {
      cas: true,
      touch: 60,
      meta: {
        returnKey: true,
        opaque: "o1",
        returnHitBefore: true,
        returnLastAccess: true,
        returnSize: true,
        returnTtl: true,
        returnFlags: true,
        noBump: true,
        vivify: 30,
        recache: 10,
        setCas: MAX_CAS,
        unlessCas: 5n,
      },
    }),
    `mg k k Oo1 T60 N30 R10 E${MAX_CAS} C5 u h l t f c s v\r\n`,
  ],
  ["mg of flags alone", get("k", { value: false, meta: { returnFlags: true } }), "mg k f s\r\n"],
  ["mg of a binary key", get("a b", { meta: { base64Key: true } }), "mg YSBi b f v\r\n"],
  ["set", set("k", "value"), "set k 0 0 5\r\nvalue\r\n"],
  ["set of nothing", set("k", ""), "set k 0 0 0\r\n\r\n"],
  ["set of bytes", set("k", Buffer.from([0, 13, 10, 255])), "set k 0 0 4\r\n\0\r\n\xff\r\n"],
  [
    "set with flags and exptime",
    set("k", "v", { flags: 0xffffffff, exptime: 1700000000 }),
    "set k 4294967295 1700000000 1\r\nv\r\n",
  ],
  ["set without a reply", set("k", "v", { noreply: true }), "set k 0 0 1 noreply\r\nv\r\n"],
  ["add", set("k", "v", { mode: "add" }), "add k 0 0 1\r\nv\r\n"],
  ["replace", set("k", "v", { mode: "replace" }), "replace k 0 0 1\r\nv\r\n"],
  ["append", set("k", "v", { mode: "append" }), "append k 0 0 1\r\nv\r\n"],
  ["prepend", set("k", "v", { mode: "prepend" }), "prepend k 0 0 1\r\nv\r\n"],
  ["cas", set("k", "v", { compareCas: MAX_CAS }), `cas k 0 0 1 ${MAX_CAS}\r\nv\r\n`],
  ["cas of zero", set("k", "v", { compareCas: 0n }), "cas k 0 0 1 0\r\nv\r\n"],
  [
    "cas without a reply",
    set("k", "v", { compareCas: 7n, noreply: true }),
    "cas k 0 0 1 7 noreply\r\nv\r\n",
  ],
  ["ms", set("k", "v", { meta: {} }), "ms k 1 F0 T0\r\nv\r\n"],
  ["ms add", set("k", "v", { mode: "add", meta: {} }), "ms k 1 ME F0 T0\r\nv\r\n"],
  ["ms replace", set("k", "v", { mode: "replace", meta: {} }), "ms k 1 MR F0 T0\r\nv\r\n"],
  ["ms append", set("k", "v", { mode: "append", meta: {} }), "ms k 1 MA F0 T0\r\nv\r\n"],
  ["ms prepend", set("k", "v", { mode: "prepend", meta: {} }), "ms k 1 MP F0 T0\r\nv\r\n"],
  [
    "ms with every flag",
    set("a b", "v", {
      flags: 16,
      exptime: 60,
      compareCas: 5n,
      meta: {
        base64Key: true,
        returnKey: true,
        opaque: "o",
        setCas: 6n,
        vivify: 30,
        invalidate: true,
        returnSize: true,
        returnCas: true,
      },
    }),
    "ms YSBi 1 b k Oo F16 T60 C5 E6 N30 I s c\r\nv\r\n",
  ],
  ["delete", del("k"), "delete k\r\n"],
  ["delete without a reply", del("k", { noreply: true }), "delete k noreply\r\n"],
  ["md", del("k", { meta: {} }), "md k\r\n"],
  ["delete by cas", del("k", { compareCas: 5n }), "md k C5\r\n"],
  [
    "md with every flag",
    del("k", {
      compareCas: 5n,
      meta: {
        returnKey: true,
        opaque: "o",
        setCas: 6n,
        invalidate: true,
        exptime: 30,
        dropValue: true,
      },
    }),
    "md k k Oo C5 E6 I T30 x\r\n",
  ],
  ["incr", count("k"), "incr k 1\r\n"],
  ["incr by the most", count("k", { delta: MAX_CAS }), `incr k ${MAX_CAS}\r\n`],
  ["decr", count("k", { mode: "decr", delta: 5 }), "decr k 5\r\n"],
  [
    "touch without a reply",
    get("k", { value: false, touch: 5, noreply: true }),
    "touch k 5 noreply\r\n",
  ],
  ["flush_all without a reply", flushAll(0, true), "flush_all noreply\r\n"],
  ["flush_all later without a reply", flushAll(5, true), "flush_all 5 noreply\r\n"],
  ["incr without a reply", count("k", { noreply: true }), "incr k 1 noreply\r\n"],
  [
    "incr with an initial number",
    count("k", { initial: 10, initialExptime: 60 }),
    "ma k D1 N60 J10 v\r\n",
  ],
  [
    "decr with an initial number",
    count("k", { mode: "decr", initial: 0n }),
    "ma k MD D1 N0 J0 v\r\n",
  ],
  [
    "ma with every flag",
    count("k", {
      meta: {
        returnKey: true,
        opaque: "o",
        compareCas: 5n,
        setCas: 6n,
        exptime: 30,
        returnTtl: true,
        returnCas: true,
        returnValue: false,
      },
    }),
    "ma k k Oo D1 C5 E6 T30 t c\r\n",
  ],
  ["version", version, "version\r\n"],
  ["noop", noop, "mn\r\n"],
  ["verbosity", verbosity, "verbosity 1\r\n"],
  ["stats", stats(), "stats\r\n"],
  ["stats of something", stats("detail dump"), "stats detail dump\r\n"],
  ["flush_all", flushAll(), "flush_all\r\n"],
  ["flush_all later", flushAll(30), "flush_all 30\r\n"],
  ["me", debug("k"), "me k\r\n"],
  ["me of a binary key", debug("a b", true), "me YSBi b b\r\n"],
];

test.each(SHAPES)("%s", (_, request, bytes) => {
  expect(new Exchanges().write(request)).toBe(bytes);
});

describe("gets of one tick share a line", () => {
  test("neighbours do, in their order", () => {
    expect(new Exchanges().write(get("a"), get("b"), get("a"))).toBe("get a b a\r\n");
  });

  test("gets and get are apart", () => {
    const written = new Exchanges().write(get("a"), get("b", { cas: true }), get("c"));
    expect(written).toBe("get a\r\ngets b\r\nget c\r\n");
  });

  test("nothing is moved past another command", () => {
    const written = new Exchanges().write(get("a"), set("a", "1"), get("a"), del("a"), get("b"));
    expect(written).toBe("get a\r\nset a 0 0 1\r\n1\r\nget a\r\ndelete a\r\nget b\r\n");
  });

  test("a many-key read has a line of its own", () => {
    expect(new Exchanges().write(get("a"), getMany(["b", "c"]), get("d"))).toBe(
      "get a\r\nget b c\r\nget d\r\n",
    );
  });

  test("a batch ends its line", () => {
    const exchanges = new Exchanges();
    expect(exchanges.write(get("a"))).toBe("get a\r\n");
    expect(exchanges.write(get("b"))).toBe("get b\r\n");
  });

  test("a line has at most 100 keys and 8,000 bytes", () => {
    const gets = (length: number, count: number) =>
      Array.from({ length: count }, (_, i) => get(String(i).padStart(length, "k")));
    const lines = (requests: Request[]) =>
      new Exchanges()
        .write(...requests)
        .split("\r\n")
        .slice(0, -1);
    expect(lines(gets(3, 250)).map((line) => line.split(" ").length - 1)).toEqual([100, 100, 50]);
    for (const line of lines(gets(250, 100))) expect(line.length).toBeLessThanOrEqual(8000);
    expect(lines(gets(250, 100)).join(" ").split(" ")).toHaveLength(100 + 4);
  });

  test("a line has 8,000 bytes and no more", () => {
    const line = (last: number) => {
      const keys = [...new Array(31).fill(250), last].map((length) => "k".repeat(length));
      return new Exchanges().write(...keys.map((key) => get(key, { cas: true })));
    };
    expect(line(214)).toHaveLength(8000 + 2);
    expect(line(214).split("\r\n")).toHaveLength(2);
    expect(line(215).split("\r\n")).toHaveLength(3);
  });
});

test("what an exchange was told of an earlier line is told anew", () => {
  const again = { request: get("a"), endsLine: false, afterSilent: true, quiet: false };
  const wire = new TextWire();
  const out = new Outgoing();
  wire.write(again, out);
  wire.finish(out);
  expect([again.endsLine, again.afterSilent]).toEqual([true, false]);
});

test("large data go out as they are, between the lines around them", () => {
  const large = Buffer.alloc(20_000, "x");
  const written = new Exchanges().write(get("a"), set("k", large), get("b"));
  expect(written).toBe(`get a\r\nset k 0 0 20000\r\n${large}\r\nget b\r\n`);
});

test("what the wire cannot say is refused before a byte is written", () => {
  const exchanges = new Exchanges();
  const sasl = { verb: "admin", action: "sasl", key: "", step: "list" } as const;
  expect(() => exchanges.write({ ...sasl, mechanism: "", response: "" })).toThrow("has no SASL");
  expect(exchanges.write(get("k"))).toBe("get k\r\n");
});

test("what the wire cannot say silently is said aloud, and its failure is its own", () => {
  const exchanges = new Exchanges();
  const silent = set("k", "v", { noreply: true, meta: { base64Key: true } });
  expect(exchanges.write(silent, get("k"))).toBe("ms aw== 1 b F0 T0\r\nv\r\nget k\r\n");
  const { outcomes } = exchanges.read("SERVER_ERROR out of memory\r\nEND\r\n");
  expect(outcomes.map(({ end }) => end)).toEqual([
    "serverError: SERVER_ERROR out of memory",
    "miss",
  ]);
});
