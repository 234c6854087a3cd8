import { createServer, type Server, type Socket } from "node:net";
import {
  ArgumentError,
  Client,
  type ClientOptions,
  ClientPool,
  CodecError,
  hashKey,
  KeyError,
  MemcachedError,
  OptionError,
  parseConfiguration,
  parseServerList,
  type Servers,
  ThreadMappedPool,
  ValueTooLargeError,
} from "tslibmc";
import { Migration } from "tslibmc/migration";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../support/port.js";

/**
 * What cannot be meant is refused before anything is sent: the server here records every
 * byte and every connection, and must have seen none.
 */
describe("refused before anything is sent", () => {
  let server: Server;
  let client: Client;
  let arrived = "";
  let connections = 0;

  beforeAll(async () => {
    server = createServer((socket: Socket) => {
      connections++;
      socket.on("error", () => {}); // a client that gives up resets its sockets
      socket.on("data", (data) => {
        arrived += data.toString("latin1");
      });
    });
    client = new Client(`127.0.0.1:${await listen(server)}`);
  });
  afterAll(async () => {
    await client.close();
    server.close();
    expect(arrived).toBe("");
    expect(connections).toBe(0);
  });

  const INJECTION = "1\r\nflush_all\r\n";
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;

  const keys: [string, unknown, RegExp][] = [
    ["empty", "", /is empty/],
    ["empty bytes", new Uint8Array(0), /is empty/],
    ["of 251 bytes", "k".repeat(251), /is 251 bytes; memcached allows 250/],
    ["of 126 characters and 252 bytes", "é".repeat(126), /is 252 bytes/],
    ["with a blank", "hello world", /byte 0x20 at 5/],
    ["with a tab", "a\tb", /byte 0x09/],
    ["with a line's end", "a\r\nflush_all", /byte 0x0d/],
    ["with NUL", "a\0b", /byte 0x00/],
    ["with DEL", "a\x7fb", /byte 0x7f/],
    ["of bytes with a blank", Buffer.from("a b"), /byte 0x20/],
    ["with a lone surrogate", "a\ud800", /lone surrogate/],
    ["a number", 5, /must be a string or a Uint8Array, not 5/],
    ["null", null, /not null/],
    ["undefined", undefined, /not undefined/],
    ["an object", { toString: () => "k" }, /not an object/],
    ["an array", ["k"], /not an array/],
  ];
  const calls: [string, (key: never) => Promise<unknown>][] = [
    ["get", (key) => client.get(key)],
    ["gets", (key) => client.gets(key)],
    ["getMulti", (key) => client.getMulti(["fine", key])],
    ["getAndTouch", (key) => client.getAndTouch(key, 1)],
    ["has", (key) => client.has(key)],
    ["set", (key) => client.set(key, "value")],
    ["add", (key) => client.add(key, "value")],
    ["append", (key) => client.append(key, "value")],
    ["cas", (key) => client.cas(key, "value", 1n)],
    ["setMulti", (key) => client.setMulti([["fine", 1] as const, [key, 1] as const])],
    ["delete", (key) => client.delete(key)],
    ["deleteMulti", (key) => client.deleteMulti(["fine", key])],
    ["touch", (key) => client.touch(key, 1)],
    ["incr", (key) => client.incr(key)],
    ["incrMulti", (key) => client.incrMulti(["fine", key])],
    ["metaGet", (key) => client.metaGet(key)],
    ["metaSet", (key) => client.metaSet(key, 1)],
    ["metaDebug", (key) => client.metaDebug(key)],
  ];
  describe.each(keys)("a key %s", (_, key, message) => {
    test.each(calls)("by %s", async (_, call) => {
      const error = await call(key as never).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(KeyError);
      expect(error).toMatchObject({
        code: "ERR_MEMCACHED_KEY",
        retcode: 33,
        sent: false,
        message: expect.stringMatching(message),
      });
    });
  });

  test.each(keys.filter(([, key]) => key !== undefined))("a group key %s", async (_, groupKey) => {
    const call = client.get("fine", { groupKey: groupKey as never });
    expect(await call.catch((error: unknown) => error)).toBeInstanceOf(KeyError);
  });

  test("a key in a message is shortened and escaped", async () => {
    const error = await client.get(`${"k".repeat(300)}\r\n`).catch((error: Error) => error.message);
    expect(error).not.toContain("\r");
    expect((error as string).length).toBeLessThan(200);
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["NaN", () => client.set("k", 1, Number.NaN), /whole number of seconds, not NaN/],
    ["a fraction", () => client.set("k", 1, 1.5), /not 1.5/],
    ["infinity", () => client.touch("k", Number.POSITIVE_INFINITY), /not Infinity/],
    ["past 2038", () => client.set("k", 1, { ttl: 2 ** 40 }), /2038/],
    ["a Date past 2038", () => client.set("k", 1, new Date("2040-01-01")), /2038/],
    ["an invalid Date", () => client.touch("k", new Date("never")), /invalid Date/],
    ["a string", () => client.set("k", 1, { ttl: INJECTION as never }), /a Date, not "1\\r\\n/],
    ["null", () => client.touch("k", null as never), /not null/],
    ["of nothing", () => client.touch("k", Object.create(null)), /not an object/],
    ["of an initial", () => client.incr("k", 1, { initial: 1, ttl: "1" as never }), /a Date/],
    ["without an initial", () => client.incr("k", 1, { ttl: 5 }), /there is no initial/],
  ])("a ttl: %s", async (_, call, message) => {
    const error = await call().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ sent: false, message: expect.stringMatching(message) });
  });

  test.each<[string, () => Promise<unknown>]>([
    ["ttl without initial", () => client.incr("k", 1, { ttl: 5 })],
    ["initial", () => client.incr("k", 1, { initial: -1 })],
    ["initial of many", () => client.incrMulti(["k"], 1, { initial: -1 })],
    ["initial and noreply", () => client.incr("k", 1, { initial: 1, noreply: true })],
    ["mode", () => client.metaSet("k", 1, { mode: "put" as never })],
    ["mode of counting", () => client.metaArithmetic("k", { mode: "inc" as never })],
    ["delta of metaArithmetic", () => client.metaArithmetic("k", { delta: -1 })],
    ["compareCas", () => client.metaDelete("k", { compareCas: 1 as never })],
    ["setCas", () => client.metaSet("k", 1, { setCas: -1n })],
    ["opaque", () => client.metaGet("k", { opaque: "a b" })],
  ])("an option that is wrong is an OptionError: %s", async (_, call) => {
    const error = await call().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ code: "ERR_MEMCACHED_OPTION", sent: false });
  });

  test("a key that is refused says which option would take it", async () => {
    await expect(client.get("a b")).rejects.toThrow('unless encodeKeys is "base64"');
    await expect(client.get("k".repeat(251))).rejects.toThrow("or set hashLongKeys");
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["a negative delta", () => client.incr("k", -1), /delta must be .* not -1/],
    ["a fraction as delta", () => client.decr("k", 0.5), /delta/],
    ["a delta past 2^64", () => client.incr("k", 2n ** 64n), /delta/],
    ["an inexact delta", () => client.incr("k", 2 ** 60), /delta/],
    ["text as delta", () => client.incr("k", INJECTION as never), /delta/],
    ["text as one of many deltas", () => client.incrMulti(new Map([["k", "1" as never]])), /delta/],
    ["text as initial", () => client.incr("k", 1, { initial: INJECTION as never }), /initial/],
    ["a number as cas", () => client.cas("k", 1, 5 as never), /the bigint that gets\(\)/],
    ["undefined as cas", () => client.cas("k", 1, undefined as never), /cas must be/],
    ["text as cas", () => client.cas("k", 1, INJECTION as never), /cas must be/],
    ["a negative cas", () => client.cas("k", 1, -1n), /cas must be/],
    [
      "text as compareCas",
      () => client.metaDelete("k", { compareCas: "1" as never }),
      /compareCas/,
    ],
    ["text as setCas", () => client.metaSet("k", 1, { setCas: INJECTION as never }), /setCas/],
    ["text as flags", () => client.set("k", 1, { flags: INJECTION as never }), /flags/],
    ["flags past 32 bits", () => client.set("k", 1, { flags: 2 ** 32 }), /flags/],
    ["a delay that is text", () => client.flushAll({ delay: INJECTION as never }), /delay/],
    ["a delay past 30 days", () => client.flushAll({ delay: 2_592_001 }), /delay .* to 2592000/],
    ["a level that is text", () => client.verbosity(INJECTION as never), /level/],
    ["stats that memcached never ends", () => client.getStats("sizes_enable"), /never ends/],
    [
      "more words in stats than a line has",
      () => client.getStats("x".repeat(200)),
      /argument of stats/,
    ],
    ["a line's end in stats", () => client.getStats(INJECTION), /argument of stats/],
    ["a recache that is text", () => client.metaGet("k", { recache: "1" as never }), /recache/],
    ["an opaque with a blank", () => client.metaGet("k", { opaque: "a b" }), /opaque/],
    ["an opaque of 32 bytes", () => client.metaGet("k", { opaque: "o".repeat(32) }), /opaque/],
    ["an unknown mode", () => client.metaSet("k", 1, { mode: "S T0" as never }), /mode/],
    ["text as noreply", () => client.set("k", 1, { noreply: "yes" as never }), /noreply/],
    ["a number as noreply", () => client.touch("k", 1, { noreply: 1 as never }), /noreply/],
    ["noreply as text", () => client.flushAll({ noreply: "no" as never }), /noreply/],
    ["timeoutMs 0", () => client.get("k", { timeoutMs: 0 }), /timeoutMs/],
    ["timeoutMs NaN", () => client.get("k", { timeoutMs: Number.NaN }), /timeoutMs/],
    ["a signal that is none", () => client.get("k", { signal: {} as never }), /signal/],
    ["a number to append", () => client.append("k", 5 as never), /append takes a string/],
    [
      "a number to append by metaSet",
      () => client.metaSet("k", 5, { mode: "append" }),
      /metaSet takes a string/,
    ],
    ["an object to prepend", () => client.prepend("k", {} as never), /prepend takes a string/],
    ["keys that are no list", () => client.getMulti("abc" as never), /iterable/],
    ["a mapping that is none", () => client.setMulti("abc" as never), /Map or an object/],
    ["entries that are no pairs", () => client.setMulti([1] as never), /pair/],
  ])("%s", async (_, call, message) => {
    const error = await call().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ sent: false, message: expect.stringMatching(message) });
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ["get", () => client.get("k", { timeout: 5 } as never), 'did you mean "timeoutMs"'],
    ["getMulti", () => client.getMulti(["k"], { ttl: 5 } as never), 'has no option "ttl"'],
    ["deleteMulti", () => client.deleteMulti(["k"], { ttl: 5 } as never), 'has no option "ttl"'],
    ["setMulti", () => client.setMulti({ k: 1 }, { tll: 5 } as never), 'did you mean "ttl"'],
    ["set", () => client.set("k", 1, { tll: 5 } as never), 'did you mean "ttl"'],
    ["incr", () => client.incr("k", 1, { inital: 5 } as never), 'did you mean "initial"'],
    ["metaGet", () => client.metaGet("k", { returnTTL: true } as never), '"returnTtl"'],
    ["flushAll", () => client.flushAll({ delayMs: 5 } as never), 'did you mean "delay"'],
    ["append", () => client.append("k", "x", { ttl: 5 } as never), 'has no option "ttl"'],
    [
      "set's compress",
      () => client.set("k", 1, { compress: { minSize: 5 } } as never),
      'compress has no option "minSize"',
    ],
    ["set", () => client.set("k", 1, { compress: "zlib" } as never), "an object such as"],
    ["cas", () => client.cas("k", 1, 1n, { compress: null } as never), "not null"],
    ["set", () => client.set("k", 1, { flags: -1 }), "flags must be a whole number"],
  ])("an unknown option of %s is named, with the nearest", async (_, call, hint) => {
    const error = await call().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OptionError);
    expect((error as Error).message).toContain(hint);
  });

  test.each<[string, unknown]>([
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["undefined", undefined],
    ["a cycle", cycle],
    ["a bigint inside JSON", { n: 1n }],
    ["NaN", Number.NaN],
  ])("a value that cannot be encoded: %s", async (_, value) => {
    const calls = {
      set: client.set("k", value),
      setMulti: client.setMulti({ fine: 1, k: value }),
      metaSet: client.metaSet("k", value),
    };
    for (const [command, call] of Object.entries(calls)) {
      const error = await call.catch((error: unknown) => error);
      expect(error).toBeInstanceOf(CodecError);
      expect(error).toMatchObject({ sent: false, command });
      expect((error as Error).message).toContain(`${command} cannot encode the value of "k": `);
    }
  });

  test("a value over maxValueSize is refused with both sizes", async () => {
    const value = "x".repeat(1024 * 1024 + 1);
    for (const call of [
      client.set("k", value),
      client.setMulti({ fine: 1, k: value }),
      client.metaSet("k", value),
    ]) {
      const error = await call.catch((error) => error);
      expect(error).toBeInstanceOf(ValueTooLargeError);
      expect(error).toMatchObject({ size: 1024 * 1024 + 1, limit: 1024 * 1024, sent: false });
      expect(error.message).toContain('The value of "k" is 1048577 bytes');
    }
  });

  test("a key in a message is the text that it was, shortened", async () => {
    await expect(client.get(`größe:${"é".repeat(125)}`)).rejects.toThrow(
      `The key "größe:${"é".repeat(34)}…" is 258 bytes`,
    );
    await expect(client.get(Buffer.from([0xff, 0x20]))).rejects.toThrow(
      'The key "ÿ " has the byte 0x20',
    );
  });
});

describe("a client that cannot be", () => {
  const client = () => new Client("127.0.0.1");

  test.each<[string, unknown, RegExp]>([
    ["no servers", [], /list of servers is empty/],
    ["an empty string", "", /is empty/],
    ["no host", ":11211", /names no host/],
    ["no port behind the colon", "h:", /has the port ""/],
    ["a host without an end", "h".repeat(254), /"h{100}…" has a host of over 253 characters/],
    [
      "a port without an end",
      `h:${"1".repeat(9999)}`,
      /^The server "h:1{98}…" has the port "1{20}…"/,
    ],
    ["a port that is no number", "h:x", /port of a server must be 1 to/],
    ["port 0", "h:0", /1 to 65535/],
    ["a port past 65535", "h:70000", /1 to 65535/],
    ["a negative port", "h:-1", /1 to 65535/],
    ["a weight of 0", "h:11211:0", /has the weight "0"/],
    ["a weight past 65535", "h:11211:65536", /has the weight/],
    ["too many fields", "h:1:2:3", /too many colons/],
    ["IPv6 without brackets", "::1", /brackets/],
    ["a longer IPv6 without brackets", "fe80::1", /brackets/],
    ["an open bracket", "[::1", /bracket that is not closed/],
    ["something behind a bracket", "[::1]x", /behind its bracket/],
    ["tcp:", "tcp:h:1", /starts with "tcp:"/],
    ["unix:", "unix:/a", /starts with "unix:"/],
    ["a blank", "h 1", /whitespace/],
    ["several in one string of a list", ["h1,h2"], /element of its own/],
    ["a relative path", "run/mc.sock", /slash/],
    ["a foreign URL", "redis://h", /must begin with "memcached:\/\/"/],
    ["a number", 11211, /must be a string or an array/],
    ["a number in the list", [11211], /must be a string such as/],
    ["bytes in the list", [Buffer.from("h")], /has no option/],
    ["an object without a host", [{ port: 1 }], /host must be a string/],
    [
      "an object that is not in a list",
      { host: "h" },
      /an array such as \[{ host, port }\], not an object/,
    ],
    ["a port out of range in an object", [{ host: "h", port: 0 }], /port must be a whole number/],
    ["a URL with a query", "memcached://h?timeout=5", /has a "\?"/],
    ["another separator", "h1;h2", /has ";" in its host/],
    ["an assignment", "--SERVER=h", /has "=" in its host/],
    ["a host with a blank in an object", [{ host: "a b" }], /has " " in its host/],
    ["an object with an unknown field", [{ hots: "h" }], /did you mean "host"/],
    ["an object with a path and a host", [{ path: "/a", host: "h" }], /either a path or a host/],
  ])("%s", (_, servers, message) => {
    expect(() => new Client(servers as Servers)).toThrow(OptionError);
    expect(() => new Client(servers as Servers)).toThrow(message);
  });

  test.each<[string, unknown, RegExp]>([
    ["an unknown option", { timeout: 5 }, /did you mean "timeoutMs"/],
    ["a part of a name", { prefix: "app:" }, /did you mean "keyPrefix"/],
    ["a part of several names", { queue: 5 }, /no option "queue"$/],
    ["a timeout that is text", { timeoutMs: "5" }, /timeoutMs must be/],
    ["an infinite timeout", { timeoutMs: Number.POSITIVE_INFINITY }, /timeoutMs must be/],
    ["a prefix with a blank", { keyPrefix: "a b" }, /byte 0x20/],
    ["a limit of 0", { maxValueSize: 0 }, /maxValueSize/],
    ["options that are none", 5, /must be an object/],
    [
      "compression by name alone",
      { compress: "gzip" },
      /an object such as { level: 6 }, not "gzip"/,
    ],
    ["compression's unknown option", { compress: { lvl: 1 } }, /did you mean "level"/],
    ["pickle's unknown option", { pickle: { protocl: 2 } }, /did you mean "protocol"/],
    ["pickle's classes without functions", { pickle: { classes: { "a.B": 1 } } }, /for "a.B"/],
    ["pickle's classes that cannot", { pickle: { classes: { "a.B": null } } }, /for "a.B"/],
    ["encryption that is none", { encryption: "secret" }, /must be an object, not a string/],
    ["encryption without keys", { encryption: {} }, /encryption.keys must be an array/],
    ["encryption's unknown option", { encryption: { key: "x" } }, /did you mean "keys"/],
    ["a codec without methods", { codec: {} }, /methods encode and decode/],
    ["behaviors that are null", { behaviors: null }, /behaviors must be an object/],
    ["a gutter without servers", { failover: {} }, /failover needs servers/],
    ["chunks that are a number", { chunk: 1 }, /chunk must be true, false or an object/],
    [
      "hedging past all reads",
      { hedge: { percentile: 100 } },
      /percentile must be .* 99\.99, not 100/,
    ],
    ["hedging below all", { hedge: { percentile: 0.5 } }, /percentile must be a number from 1 /],
    ["hedging at once", { hedge: { minDelayMs: 0 } }, /minDelayMs must be a number from 1 /],
    ["more hedging than reads", { hedge: { maxShare: 1.5 } }, /maxShare must be .* to 1, not 1\.5/],
    ["hedging that is a number", { hedge: 5 }, /hedge must be true, false or an object/],
  ])("%s", (_, options, message) => {
    expect(() => new Client("127.0.0.1", options as ClientOptions)).toThrow(MemcachedError);
    expect(() => new Client("127.0.0.1", options as ClientOptions)).toThrow(message);
  });

  test.each<ClientOptions>([
    { maxQueueLength: 0 },
    { maxQueueBytes: 1.5 },
    { maxConnecting: -1 },
    { rampUpMs: -1 },
    { maxRemembered: 0.5 },
    { chunk: { size: 1 } },
    { failover: { servers: "h", ttl: 0 } },
  ])("an option out of its range: %j", (options) => {
    expect(() => new Client("127.0.0.1", options)).toThrow(OptionError);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      "an event that never comes",
      () => client().on("error" as never, () => {}),
      /there are connect/,
    ],
    [
      "an event that is none",
      () => client().on(undefined as never, () => {}),
      /no event undefined/,
    ],
    ["a listener that is none", () => client().on("health", undefined as never), /be a function/],
  ])("nobody listens to %s", (_, listen, message) => {
    expect(listen).toThrow(ArgumentError);
    expect(listen).toThrow(message);
  });

  test.each<[string, Servers, object]>([
    ["a name of another script", "käse.example", { host: "käse.example" }],
    ["an underscore", "memcached_1:11211", { host: "memcached_1" }],
    ["a scope", "[fe80::1%eth0]", { host: "fe80::1%eth0" }],
    ["an object that leaves something open", [{ host: "h", port: undefined }], { name: "h:11211" }],
    ["a bare host", "h", { name: "h:11211", host: "h", port: 11211, weight: 1 }],
    ["a port", "h:1", { name: "h:1", port: 1 }],
    ["a weight", "h:1:2", { name: "h:1", weight: 2 }],
    ["IPv6", "[::1]", { name: "[::1]:11211", host: "::1", port: 11211 }],
    ["IPv6 with a port and a weight", ["[::1]:1:2"], { host: "::1", port: 1, weight: 2 }],
    ["a unix socket", "/run/mc.sock", { name: "/run/mc.sock", host: "/run/mc.sock", port: 0 }],
    ["a URL", "memcached://h1:1,h2:2", { name: "h1:1", index: 0 }],
    ["an object", [{ host: "h", port: 5, weight: 7 }], { name: "h:5", weight: 7 }],
    ["an object with a path", [{ path: "/s" }], { name: "/s", port: 0 }],
  ])("and one that can: %s", (_, servers, expected) => {
    const client = new Client(servers, { behaviors: { hash: () => 0 } });
    expect(client.serverFor("k")).toMatchObject(expected);
  });

  test("a hash function that throws is the cause of an OptionError", async () => {
    const cause = new Error("mine");
    const hash = () => {
      throw cause;
    };
    const client = new Client(["h1", "h2"], { behaviors: { hash } });
    const error = await client.get("k").catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ cause });
  });

  test("the caller's options and servers stay as they were", () => {
    const options = Object.freeze({ timeoutMs: 5, behaviors: Object.freeze({ ketama: true }) });
    const servers = Object.freeze(["h1", "h2"]);
    expect(new Client(servers, options).clone().serverFor("k").index).toBeLessThan(2);
  });
});

describe("what stands beside a client refuses what cannot be meant", () => {
  const client = () => new Client("127.0.0.1");

  test.each<[string, () => unknown, RegExp]>([
    ["a hash of a number", () => hashKey("md5", 5 as never), /not 5/],
    ["a list of servers that is none", () => parseServerList(5 as never), /a string, not 5/],
    ["a configuration that is none", () => parseConfiguration(5 as never), /a string, not 5/],
    ["no configuration", () => Client.fromConfiguration(undefined as never), /not undefined/],
    ["a pool of nothing", () => new ClientPool().fill(null as never, 1), /clones of a Client/],
    [
      "a pool of a number",
      () => new ThreadMappedPool(5 as never),
      /clones of a Client of its own copy of tslibmc, not of 5/,
    ],
    ["a count that is none", () => new ClientPool(client(), "2" as never), /count must be/],
    ["no migration", () => new Migration(undefined as never), /two clients/],
    ["one client", () => new Migration({ from: client() } as never), /two clients/],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });

  test("a pool that is not told what to run", async () => {
    const call = new ThreadMappedPool(client()).reserve(3 as never);
    await expect(call).rejects.toThrow(ArgumentError);
  });

  test("close, before it has closed anything", async () => {
    const open = client();
    await expect(open.close({ drain: 5 } as never)).rejects.toThrow('did you mean "drainMs"');
    await expect(open.close({ drainMs: -1 })).rejects.toThrow("drainMs must be");
    await expect(open.close(null as never)).rejects.toThrow(OptionError);
    expect(open.closed).toBe(false);
  });

  test("a client closes whose timeout is no whole number", async () => {
    const precise = new Client("127.0.0.1", { timeoutMs: 99.5 });
    await precise.close();
    expect(precise.closed).toBe(true);
  });
});
