import { Client, type ClientOptions, MemcachedError } from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcome } from "../support/outcome.js";
import { type Script, ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";

/** Says that it is new enough for everything, and nothing else. */
const tellsVersion: Script = (connection) =>
  connection.onLine((line, n) => {
    if (n === 1 && line === "version") connection.send("VERSION 1.6.45\r\n");
  });

/**
 * Callers without types can put anything in the place of a number, a key or a flag. What is
 * not what it should be is refused, or sent in a form that cannot be a command: the server
 * here records every line, and none may be the injected one.
 */
let server: ScriptedServer;
let client: Client;
beforeAll(async () => {
  server = await ScriptedServer.start(tellsVersion);
  client = new Client(server.address, {
    timeoutMs: 50,
    stallTimeoutMs: 60_000,
    behaviors: { failure_limit: 1_000_000 }, // it never answers, and is to be asked all the same
  });
  void outcome(client.metaSet("k", "x", { setCas: 7n, timeoutMs: 5000 }));
  await until(() => /^version\r\nms k 1 .*E7/.test(server.received));
});
afterAll(async () => {
  await client.close({ drainMs: 0 });
  await server[Symbol.asyncDispose]();
});

const HOSTILE: [string, unknown][] = [
  ["a string with a command", "1\r\nflush_all 77\r\n"],
  ["a string with a command and a body", "5\r\nset pwn 0 0 1\r\nx"],
  ["a string with LF alone", "1\nflush_all 77\n"],
  ["a string with blanks", "1 2 3"],
  ["a number as a string", "1"],
  ["an empty string", ""],
  ["an array", ["1\r\nflush_all 77\r\n"]],
  [
    "an object that turns into a command",
    { toString: () => "1\r\nflush_all 77\r\n", valueOf: () => 1 },
  ],
  ["a boxed string", Object("1\r\nflush_all 77\r\n")],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["a fraction", 1.5],
  ["a negative number", -1],
  ["2^64", 2n ** 64n],
  ["2^53", 2 ** 53],
  ["null", null],
  ["true", true],
  ["a symbol", Symbol("1\r\nflush_all 77\r\n")],
  ["a function", () => "1\r\nflush_all 77\r\n"],
];

/** Each public method with the hostile value in each place of a number or a word. */
const PLACES: [string, (value: never) => unknown][] = [
  ["get(key)", (v) => client.get(v)],
  ["get keyPrefix", (v) => client.get("k", { keyPrefix: v })],
  ["get groupKey", (v) => client.get("k", { groupKey: v })],
  ["get timeoutMs", (v) => client.get("k", { timeoutMs: v })],
  ["get signal", (v) => client.get("k", { signal: v })],
  ["gets(key)", (v) => client.gets(v)],
  ["getMulti(keys)", (v) => client.getMulti([v])],
  ["getMulti", (v) => client.getMulti(v)],
  ["getsMulti(keys)", (v) => client.getsMulti([v])],
  ["has(key)", (v) => client.has(v)],
  ["getAndTouch ttl", (v) => client.getAndTouch("k", v)],
  ["getsAndTouch ttl", (v) => client.getsAndTouch("k", v)],
  ["set(key)", (v) => client.set(v, "x")],
  ["set ttl", (v) => client.set("k", "x", v)],
  ["set { ttl }", (v) => client.set("k", "x", { ttl: v })],
  ["set { flags }", (v) => client.set("k", "x", { flags: v })],
  ["add { ttl }", (v) => client.add("k", "x", { ttl: v })],
  ["replace { ttl }", (v) => client.replace("k", "x", { ttl: v })],
  ["prepend(key)", (v) => client.prepend(v, "x")],
  ["cas token", (v) => client.cas("k", "x", v)],
  ["cas ttl", (v) => client.cas("k", "x", 1n, v)],
  ["setMulti(keys)", (v) => client.setMulti([[v, "x"]])],
  ["setMulti ttl", (v) => client.setMulti({ k: "x" }, v)],
  ["addMulti { flags }", (v) => client.addMulti({ k: "x" }, { flags: v })],
  ["delete(key)", (v) => client.delete(v)],
  ["deleteMulti(keys)", (v) => client.deleteMulti([v])],
  ["touch ttl", (v) => client.touch("k", v)],
  ["touchMulti ttl", (v) => client.touchMulti(["k"], v)],
  ["incr delta", (v) => client.incr("k", v)],
  ["incr { initial }", (v) => client.incr("k", 1, { initial: v })],
  ["incr { ttl }", (v) => client.incr("k", 1, { initial: 1, ttl: v })],
  ["decr delta", (v) => client.decr("k", v)],
  ["decr { initial }", (v) => client.decr("k", 1, { initial: v })],
  ["incrMulti delta", (v) => client.incrMulti(["k"], v)],
  ["incrMulti Map", (v) => client.incrMulti(new Map([["k", v]]))],
  ["decrMulti delta", (v) => client.decrMulti(["k"], v)],
  ["flushAll { delay }", (v) => client.flushAll({ delay: v })],
  ["getStats argument", (v) => client.getStats(v)],
  ["verbosity level", (v) => client.verbosity(v)],
  ["metaGet(key)", (v) => client.metaGet(v)],
  ["metaGet { opaque }", (v) => client.metaGet("k", { opaque: v })],
  ["metaGet { touch }", (v) => client.metaGet("k", { touch: v })],
  ["metaGet { vivify }", (v) => client.metaGet("k", { vivify: v })],
  ["metaGet { recache }", (v) => client.metaGet("k", { recache: v })],
  ["metaGet { setCas }", (v) => client.metaGet("k", { setCas: v })],
  ["metaGet { unlessCas }", (v) => client.metaGet("k", { unlessCas: v })],
  ["metaSet { mode }", (v) => client.metaSet("k", "x", { mode: v })],
  ["metaSet { ttl }", (v) => client.metaSet("k", "x", { ttl: v })],
  ["metaSet { flags }", (v) => client.metaSet("k", "x", { flags: v })],
  ["metaSet { compareCas }", (v) => client.metaSet("k", "x", { compareCas: v })],
  ["metaSet { setCas }", (v) => client.metaSet("k", "x", { setCas: v })],
  ["metaSet { vivify }", (v) => client.metaSet("k", "x", { mode: "append", vivify: v })],
  ["metaDelete { compareCas }", (v) => client.metaDelete("k", { compareCas: v })],
  ["metaDelete { setCas }", (v) => client.metaDelete("k", { setCas: v })],
  ["metaDelete { ttl }", (v) => client.metaDelete("k", { invalidate: true, ttl: v })],
  ["metaArithmetic { mode }", (v) => client.metaArithmetic("k", { mode: v })],
  ["metaArithmetic { delta }", (v) => client.metaArithmetic("k", { delta: v })],
  ["metaArithmetic { initial }", (v) => client.metaArithmetic("k", { initial: v })],
  [
    "metaArithmetic { initialTtl }",
    (v) => client.metaArithmetic("k", { initial: 1, initialTtl: v }),
  ],
  ["metaArithmetic { ttl }", (v) => client.metaArithmetic("k", { ttl: v })],
  ["metaArithmetic { compareCas }", (v) => client.metaArithmetic("k", { compareCas: v })],
  ["metaArithmetic { setCas }", (v) => client.metaArithmetic("k", { setCas: v })],
  ["metaDebug(key)", (v) => client.metaDebug(v)],
];

/** Places of a yes or no, where anything may be taken for one of them. */
const SWITCHES: [string, (value: never) => unknown][] = [
  ["set { noreply }", (v) => client.set("k", "x", { noreply: v })],
  ["set { compress }", (v) => client.set("k", "x", { compress: v })],
  ["append { noreply }", (v) => client.append("k", "x", { noreply: v })],
  ["delete { noreply }", (v) => client.delete("k", { noreply: v })],
  ["touch { noreply }", (v) => client.touch("k", 1, { noreply: v })],
  ["touchMulti { noreply }", (v) => client.touchMulti(["k"], 1, { noreply: v })],
  ["flushAll { noreply }", (v) => client.flushAll({ noreply: v })],
  ["metaGet { returnTtl }", (v) => client.metaGet("k", { returnTtl: v })],
  ["metaGet { value }", (v) => client.metaGet("k", { value: v })],
  ["metaSet { invalidate }", (v) => client.metaSet("k", "x", { invalidate: v })],
  ["metaDebug { base64Key }", (v) => client.metaDebug("k", { base64Key: v })],
];

/** What of the text protocol a client may send at all. */
const LINE = new RegExp(
  [
    "^(?:",
    "(?:get|gets)(?: [!-~]{1,250})+",
    "|(?:set|add|replace|append|prepend) [!-~]{1,250} \\d{1,10} -?\\d{1,10} \\d{1,7}(?: noreply)?",
    "|cas [!-~]{1,250} \\d{1,10} -?\\d{1,10} \\d{1,7} \\d{1,20}(?: noreply)?",
    "|(?:incr|decr) [!-~]{1,250} \\d{1,20}(?: noreply)?",
    "|delete [!-~]{1,250}(?: noreply)?",
    "|touch [!-~]{1,250} -?\\d{1,10}(?: noreply)?",
    "|m[gsda] [!-~]{1,250}(?: [!-~]+)*",
    "|me [!-~]{1,250}(?: b b)?",
    "|flush_all(?: \\d+)?(?: noreply)?|stats(?: \\w+)*|verbosity \\d+|version",
    "|x", // the value that every call here stores
    ")$",
  ].join(""),
);

/** What becomes of a call with each hostile value. */
function results(call: (value: never) => unknown): Promise<unknown[]> {
  return Promise.all(HOSTILE.map(([, value]) => outcome((async () => call(value as never))())));
}

function expectNothingHostile(): void {
  const lines = server.received.split("\r\n").slice(0, -1);
  for (const line of lines) if (!LINE.test(line)) expect(line).toMatch(LINE);
  expect(server.received).not.toMatch(/flush_all 77|pwn/);
}

describe.each(PLACES)("%s", (_, call) => {
  test("takes nothing that is not what it should be", async () => {
    for (const [i, result] of (await results(call)).entries()) {
      const [name, value] = HOSTILE[i]!;
      // Nobody answers: what was accepted times out, and everything else is an error of ours.
      expect(result, name).toBeInstanceOf(MemcachedError);
      if (typeof value === "string" && /[\r\n]/.test(value)) {
        expect(result, name).toMatchObject({ sent: false });
        expect(result, name).not.toMatchObject({ name: "TimeoutError" });
      }
    }
    expectNothingHostile();
  });
});

test.each(SWITCHES)("%s brings nothing onto the wire", async (_, call) => {
  await results(call);
  expectNothingHostile();
});

/** A key that only base64 can send; as it is, it would be a command. */
const COMMAND = "k\r\nflush_all 77\r\n";

/** Each call with a key in base64, which anything may be said of. */
const IN_BASE64: [string, (base64Key: never) => unknown][] = [
  ["metaGet", (base64Key) => client.metaGet(COMMAND, { base64Key })],
  ["metaSet", (base64Key) => client.metaSet(COMMAND, "x", { base64Key })],
  ["metaSet mode", (base64Key) => client.metaSet(COMMAND, "x", { mode: "append", base64Key })],
  ["metaDelete", (base64Key) => client.metaDelete(COMMAND, { base64Key })],
  ["metaArithmetic", (base64Key) => client.metaArithmetic(COMMAND, { base64Key })],
  ["metaDebug", (base64Key) => client.metaDebug(COMMAND, { base64Key })],
];

test.each(IN_BASE64)("%s sends a key for base64 in base64, or not at all", async (_, call) => {
  await results(call);
  await outcome((async () => call(true as never))());
  expectNothingHostile();
});

/** Each public method with a key of any bytes, in whatever place a key can have. */
const WITH_ANY_KEY: [string, (own: Client, key: string) => unknown][] = [
  ["get", (own, key) => own.get(key)],
  ["get, with a prefix", (own, key) => own.get("k", { keyPrefix: key })],
  ["get, with a group", (own, key) => own.get("k", { groupKey: key })],
  ["gets", (own, key) => own.gets(key)],
  ["has", (own, key) => own.has(key)],
  ["getMulti", (own, key) => own.getMulti([key, "l"])],
  ["getsMulti", (own, key) => own.getsMulti(["k", key, "l"])],
  ["getAndTouch", (own, key) => own.getAndTouch(key, 5)],
  ["getsAndTouch", (own, key) => own.getsAndTouch(key, 5)],
  ["set", (own, key) => own.set(key, "x")],
  ["silent set", (own, key) => own.set(key, "x", { noreply: true })],
  ["add", (own, key) => own.add(key, "x", 5)],
  ["replace", (own, key) => own.replace(key, "x")],
  ["append", (own, key) => own.append(key, "x")],
  ["prepend", (own, key) => own.prepend(key, "x")],
  ["cas", (own, key) => own.cas(key, "x", 1n)],
  ["setMulti", (own, key) => own.setMulti([[key, "x"] as const, ["l", "x"] as const])],
  ["addMulti", (own, key) => own.addMulti([[key, "x"] as const])],
  ["delete", (own, key) => own.delete(key)],
  ["silent delete", (own, key) => own.delete(key, { noreply: true })],
  ["deleteMulti", (own, key) => own.deleteMulti([key, "l"])],
  ["touch", (own, key) => own.touch(key, 5)],
  ["silent touch", (own, key) => own.touch(key, 5, { noreply: true })],
  ["touchMulti", (own, key) => own.touchMulti([key, "l"], 5)],
  ["incr", (own, key) => own.incr(key)],
  ["incr, with an initial", (own, key) => own.incr(key, 1, { initial: 5 })],
  ["silent decr", (own, key) => own.decr(key, 1, { noreply: true })],
  ["incrMulti", (own, key) => own.incrMulti([key, "l"])],
  ["metaGet", (own, key) => own.metaGet(key)],
  ["metaSet", (own, key) => own.metaSet(key, "x")],
  ["metaDelete", (own, key) => own.metaDelete(key)],
  ["metaArithmetic", (own, key) => own.metaArithmetic(key)],
  ["metaDebug", (own, key) => own.metaDebug(key)],
  ["explain", (own, key) => own.explain(key, { look: true })],
];

describe.each<[string, ClientOptions]>([
  ["text", {}],
  ["base64", { encodeKeys: "base64" }],
  ["base64 and a prefix", { encodeKeys: "base64", keyPrefix: "p\r\nflush_all 77\r\n" }],
  ["hashes", { hashLongKeys: true }],
])("a client with keys as %s", (_, options) => {
  test.each(WITH_ANY_KEY)("makes no command of one: %s", async (_, call) => {
    await using own = new Client(server.address, { timeoutMs: 20, ...options });
    await outcome((async () => call(own, COMMAND))());
    expectNothingHostile();
  });
});

test("what an option says is asked once: getters, and objects that are changed meanwhile", async () => {
  const large = "x".repeat(100_000); // is compressed on another thread, and sent afterwards
  await using other = await ScriptedServer.start(tellsVersion);
  await using own = new Client(other.address, { timeoutMs: 500, compress: true });
  const turning = () => {
    let asked = 0;
    return {
      get base64Key() {
        return asked++ === 0;
      },
    };
  };
  const changed = { base64Key: true, mode: "set" as const };
  const calls = [
    client.metaGet(COMMAND, turning()),
    client.metaSet(COMMAND, "x", turning()),
    client.metaDelete(COMMAND, turning()),
    client.metaArithmetic(COMMAND, turning()),
    client.metaDebug(COMMAND, turning()),
    own.metaSet(COMMAND, large, changed),
  ];
  Object.assign(changed, { base64Key: false, mode: "toString" });
  for (const result of await Promise.all(calls.map(outcome))) {
    expect(result).toMatchObject({ name: "TimeoutError" });
  }
  expect(other.received).toMatch(/^version\r\nms \S+ \d+ b F24 T0\r\n/);
  expect(server.received + other.received).not.toMatch(/flush_all 77|native code/);
});

/** Each call with options that are all valid. */
const VALID: [string, object, (options: never) => unknown][] = [
  ["get", {}, (o) => client.get("k", o)],
  ["getMulti", {}, (o) => client.getMulti(["k", "l"], o)],
  ["getAndTouch", {}, (o) => client.getAndTouch("k", 5, o)],
  ["set", { ttl: 5, flags: 1, noreply: false }, (o) => client.set("k", "x", o)],
  ["setMulti", { ttl: 5, flags: 1, noreply: false }, (o) => client.setMulti({ k: "x", l: "x" }, o)],
  ["append", { noreply: false }, (o) => client.append("k", "x", o)],
  ["cas", { ttl: 5, flags: 1, noreply: false }, (o) => client.cas("k", "x", 1n, o)],
  ["delete", { noreply: false }, (o) => client.delete("k", o)],
  ["deleteMulti", { noreply: false }, (o) => client.deleteMulti(["k", "l"], o)],
  ["touch", { noreply: false }, (o) => client.touch("k", 5, o)],
  ["incr", { noreply: false }, (o) => client.incr("k", 1, o)],
  ["incr, with an initial", { initial: 1, ttl: 5 }, (o) => client.incr("k", 1, o)],
  [
    "metaGet",
    {
      base64Key: false,
      opaque: "o",
      touch: 5,
      vivify: 5,
      recache: 5,
      returnTtl: true,
      value: true,
    },
    (o) => client.metaGet("k", o),
  ],
  [
    "metaSet",
    { base64Key: false, opaque: "o", mode: "add", ttl: 5, flags: 1, vivify: 5, invalidate: true },
    (o) => client.metaSet("k", "x", o),
  ],
  [
    "metaDelete",
    { base64Key: false, opaque: "o", compareCas: 1n, invalidate: true, ttl: 5 },
    (o) => client.metaDelete("k", o),
  ],
  [
    "metaArithmetic",
    { opaque: "o", mode: "decr", delta: 1n, initial: 1n, initialTtl: 5, ttl: 5, compareCas: 1n },
    (o) => client.metaArithmetic("k", o),
  ],
  ["metaDebug", { base64Key: false }, (o) => client.metaDebug("k", o)],
];

const COMMON = { keyPrefix: "p:", groupKey: "g", timeoutMs: 30 };

test.each(VALID)(
  "%s sends what it has checked, though an option is another each time",
  async (_, own, call) => {
    const valid: Record<string, unknown> = { ...COMMON, ...own };
    const hostile = HOSTILE.map(([, value]) => value);
    const calls: Promise<unknown>[] = [];
    for (const name of Object.keys(valid)) {
      for (const value of hostile) {
        for (const from of [1, 2, 3]) {
          let asked = 0;
          const get = (_: object, option: string | symbol) =>
            option === name && ++asked > from ? value : Reflect.get(valid, option);
          const options = new Proxy(valid, { get });
          calls.push(outcome((async () => call(options as never))()));
        }
      }
    }
    for (const result of await Promise.all(calls)) expect(result).toBeInstanceOf(MemcachedError);
    expectNothingHostile();
  },
);

test.each<[string, unknown]>([
  ["no flags", { data: COMMAND }],
  ["flags that are a command", { data: "x", flags: "0 0 1\r\nx\r\nflush_all 77\r\n" }],
  ["flags that are no number", { data: COMMAND, flags: Number.NaN }],
  ["flags past 32 bits", { data: COMMAND, flags: 2 ** 32 }],
  ["negative flags", { data: COMMAND, flags: -1 }],
  ["no data", { flags: 0 }],
  ["data of another length", { data: { length: 1, toString: () => COMMAND }, flags: 0 }],
  ["text past one byte a character", { data: "€", flags: 0 }],
  ["nothing", undefined],
])("a codec of the program's own brings nothing onto the wire by %s", async (_, encoded) => {
  const codec = { encode: () => encoded as never, decode: () => undefined };
  await using own = new Client(server.address, { codec, timeoutMs: 50 });
  const later = { ...codec, encode: async () => encoded as never };
  await using ownLater = new Client(server.address, { codec: later, timeoutMs: 50 });
  const calls = [
    own.set("k", 1),
    own.set("k", 1, 60),
    own.setMulti({ k: 1 }),
    own.metaSet("k", 1),
    own.append("k", "x"),
    ownLater.set("k", 1),
  ];
  for (const result of await Promise.all(calls.map(outcome))) {
    expect(result).toMatchObject({ name: "CodecError", sent: false });
  }
  expect(server.received).not.toContain("flush_all 77");
});

test("a proxy of bytes is not bytes, and ends neither the connection nor the process", async () => {
  await using own = new Client(server.address, { timeoutMs: 50 });
  const proxied = new Proxy(Buffer.from("value"), {
    get(bytes, name) {
      const found: unknown = Reflect.get(bytes, name);
      return typeof found === "function" ? found.bind(bytes) : found;
    },
  });
  const calls = [own.set("k", proxied), own.append("k", proxied), own.get(proxied)];
  for (const result of await Promise.all(calls.map(outcome))) {
    expect(result).toBeInstanceOf(MemcachedError);
  }
  expect(server.received).not.toContain("undefined");
});

test("some of it did arrive, so that the server did listen", () => {
  expect(server.received).toContain("touch k -1\r\n");
  expect(server.received.length).toBeGreaterThan(1_000);
});
