import { OptionError } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { COMPAT } from "./support/counterpart.js";
import { exchange } from "./support/wire.js";

/**
 * What memcached 1.6.45 answers, and releases before it do not. Where the tests run with that
 * one (MEMCACHED), it is asked as well; most systems have an older one.
 */
const LONG = "k".repeat(251);
const FLUSH = "flush_all\r\n";

const CASES: readonly (readonly [what: string, request: string, reply: string])[] = [
  [
    "swallows the data of a bad key",
    `set ${LONG} 0 0 9\r\n${FLUSH}mg a\r\n`,
    "CLIENT_ERROR bad command line format\r\nHD\r\n",
  ],
  [
    "swallows the data of bad flags",
    `set a -1x 0 9\r\n${FLUSH}mg a\r\n`,
    "CLIENT_ERROR bad command line format\r\nHD\r\n",
  ],
  [
    "swallows the data of a bad cas",
    `cas a 0 0 9 x\r\n${FLUSH}mg a\r\n`,
    "CLIENT_ERROR bad command line format\r\nHD\r\n",
  ],
  [
    "runs the data of a bad length",
    `set b 0 0 9x\r\n${FLUSH}`,
    "CLIENT_ERROR bad command line format\r\nOK\r\n",
  ],
  [
    "runs the data of a flag that is no letter",
    `ms b 9 !\r\n${FLUSH}`,
    "CLIENT_ERROR bad command line format\r\nOK\r\n",
  ],
  [
    "swallows the data of an unknown flag",
    `ms b 9 z\r\n${FLUSH}mg a\r\n`,
    "CLIENT_ERROR invalid flag\r\nHD\r\n",
  ],
  [
    "adds an empty line to a bad get",
    `get ${LONG}\r\n`,
    "CLIENT_ERROR bad command line format\r\n\r\n",
  ],
  ["wants a key for gat", "gat 10\r\n", "CLIENT_ERROR bad command line format\r\n"],
  [
    "wants words",
    "get\r\nset a\r\nincr a\r\nxx\r\n",
    `${"CLIENT_ERROR bad command line format\r\n".repeat(3)}ERROR\r\n`,
  ],
  [
    "reads no short line",
    "x\r\n\r\nmn\nmn\r\n",
    `${"CLIENT_ERROR bad command line format\r\n".repeat(3)}MN\r\n`,
  ],
  ["ignores the hold time of a delete", "delete a 5\r\n", "DELETED\r\n"],
  ["has no level for verbosity", "verbosity\r\n", "CLIENT_ERROR bad command line format\r\n"],
  ["is silent on errors with noreply", "incr a x noreply\r\nmn\r\n", "MN\r\n"],
  [
    "takes signed numbers for none",
    "incr n +1\r\n",
    "CLIENT_ERROR invalid numeric delta argument\r\n",
  ],
  ["takes a NUL in a key", "set a\0b 0 0 1\r\nx\r\nmg a\0b k\r\n", "STORED\r\nHD ka\0b\r\n"],
  ["refuses to shut down", "shutdown\r\n", "SERVER_ERROR: shutdown not enabled\r\n"],
  ["sets a cas", "ms a 1 E42 c\r\nx\r\nmg a c\r\n", "HD c42\r\nHD c42\r\n"],
  [
    "sets the largest cas",
    "ms a 1 E18446744073709551615 c\r\nx\r\n",
    "HD c18446744073709551615\r\n",
  ],
  ["sets the cas of a number", "ma n E7 c\r\nmg n c\r\n", "HD c7\r\nHD c7\r\n"],
  ["sets the cas of what it vivifies", "mg new N30 E9 c v\r\n", "VA 0 c9 W\r\n\r\n"],
  ["returns the size", "ms a 1 MA s\r\nx\r\nms a 1 s\r\nx\r\n", "HD s4\r\nHD s1\r\n"],
  ["vivifies an append", "ms new 1 MA N30\r\nx\r\nmg new t v\r\n", "HD\r\nVA 1 t30\r\nx\r\n"],
  [
    "leaves out a value that is known",
    "ms a 1 E5\r\nx\r\nmg a v C5\r\nmg a v C4\r\n",
    "HD\r\nHD\r\nVA 1\r\nx\r\n",
  ],
  ["drops a value and keeps the item", "md a x\r\nmg a v t f\r\n", "HD\r\nVA 0 t-1 f0\r\n\r\n"],
  ["marks a dropped value stale", "md a x I T30\r\nmg a v t\r\n", "HD\r\nVA 0 t30 X W\r\n\r\n"],
  ["tells misses of a quiet delete", "md none q\r\nmd a q\r\nmn\r\n", "NF\r\nMN\r\n"],
  ["is silent on a quiet creation", "ma new q N30\r\nmn\r\n", "MN\r\n"],
  ["looks for the b of me too far on", "me YQ== b\r\n", "EN\r\n"],
  [
    "refuses a 32nd byte of opaque",
    `mg a O${"o".repeat(32)}\r\nmg a O${"o".repeat(31)}\r\n`,
    `CLIENT_ERROR opaque token too long\r\nHD O${"o".repeat(31)}\r\n`,
  ],
  [
    "dumps with OK, flags and a blank",
    "lru_crawler metadump 1\r\n",
    "OK\r\nkey=a exp=-1 la=T cas=N fetch=no cls=1 size=67 flags=5 \nkey=n exp=-1 la=T cas=N fetch=no cls=1 size=61 flags=0 \nEND\r\n",
  ],
  ["dumps keys", "lru_crawler mgdump all\r\n", "OK\r\nmg a\r\nmg n\r\nEN\r\n"],
  ["knows no bget", "bget a\r\n", "ERROR\r\n"],
  [
    "makes an item of what is appended or prepended, for as long as N says, and by these modes alone",
    [
      "ms v 1 MA N30\r\nx\r\nmg v t\r\nms v 1 MA N90\r\ny\r\nmg v t v\r\n",
      "ms p 1 MP N30 T90\r\nx\r\nmg p t\r\n",
      "ms s 1 N30\r\nx\r\nmg s t\r\nms e 1 ME N30\r\nx\r\nmg e t\r\n",
    ].join(""),
    "HD\r\nHD t30\r\nHD\r\nVA 2 t30\r\nxy\r\nHD\r\nHD t30\r\nHD\r\nHD t-1\r\nHD\r\nHD t-1\r\n",
  ],
  ["tracks no sizes on demand", "stats sizes_enable\r\n", "ERROR\r\n"],
  ["closes on web requests", "GET / HTTP/1.1\r\nversion\r\n", ""],
];

const SERVERS = {
  embedded: () => MemcachedServer.start(),
  real: () => startMemcached(),
};

describe.each(COMPAT === "newest" ? (["embedded", "real"] as const) : (["embedded"] as const))(
  "the newest release, %s",
  (which) => {
    let server: MemcachedServer | Memcached;
    beforeAll(async () => {
      server = await SERVERS[which]();
    });
    afterAll(async () => {
      await server[Symbol.asyncDispose]();
    });

    it.each(CASES)("%s", async (_, request, reply) => {
      await exchange(server.port, "flush_all\r\nset a 5 0 3\r\nabc\r\nset n 0 0 1\r\n5\r\n");
      const got = await exchange(server.port, request);
      expect(got.replace(/ la=\d+ cas=\d+/g, " la=T cas=N")).toBe(reply);
    });
  },
);

describe("as a 1.4 release", () => {
  it("knows no meta commands, no gat, and no surplus words", async () => {
    await using server = await MemcachedServer.start({ compat: "1.4" });
    expect(
      await exchange(server.port, "version\r\nmg a\r\nmn\r\ngat 0 a\r\nversion x\r\ntouch a 0\r\n"),
    ).toBe("VERSION 1.4.39\r\nERROR\r\nERROR\r\nERROR\r\nERROR\r\nNOT_FOUND\r\n");
  });
});

describe("options", () => {
  it.each<[object, string]>([
    [{ compat: "2.0" }, 'compat must be "newest", "1.6.18" or "1.4", not "2.0"'],
    [{ itemSizeMax: 10 }, "itemSizeMax must be a whole number from 1024 to 536870912, not 10"],
    [{ growthFactor: 1 }, "growthFactor must be greater than 1, not 1"],
    [{ maxConnection: 1 }, 'no option "maxConnection"; did you mean "maxConnections"?'],
    [{ udpport: 0 }, 'no option "udpport"; did you mean "udpPort"?'],
    [
      { memoryLimit: "64m" },
      'memoryLimit must be a whole number from 1 to 9007199254740991, not "64m"',
    ],
    [{ idleTimeout: -1 }, "idleTimeout must be a whole number from 0"],
    [{ port: 65536 }, "port must be a whole number from 0 to 65535, not 65536"],
    [{ evict: "no" }, 'evict must be true or false, not "no"'],
    [{ protocol: "text" }, 'protocol must be "auto", "ascii" or "binary", not "text"'],
    [{ log: "all" }, 'log must be "none", "bytes" or "requests", not "all"'],
    [{ faults: [{ do: { kind: "dealy", ms: 1 } }] }, 'not "dealy"'],
  ])("refuses %j", async (options, message) => {
    const refused = expect(MemcachedServer.start(options)).rejects;
    await refused.toThrow(message);
    await refused.toBeInstanceOf(OptionError);
  });

  it("switches commands off", async () => {
    await using server = await MemcachedServer.start({
      flushAll: false,
      dump: false,
      watch: false,
    });
    expect(
      await exchange(
        server.port,
        "flush_all\r\nstats cachedump 1 1\r\nlru_crawler metadump all\r\nwatch\r\n",
      ),
    ).toBe(
      "CLIENT_ERROR flush_all not allowed\r\nCLIENT_ERROR stats cachedump not allowed\r\n" +
        "ERROR metadump not allowed\r\nCLIENT_ERROR watch commands not allowed\r\n",
    );
  });

  it("ends itself by command where that is allowed", async () => {
    const server = await MemcachedServer.start({ shutdown: true });
    expect(await exchange(server.port, "shutdown now\r\n")).toBe(
      "CLIENT_ERROR invalid shutdown mode\r\n",
    );
    expect(await exchange(server.port, "shutdown\r\n")).toBe("");
    await server.close();
    expect(await exchange(server.port, "version\r\n")).toBe("");
  });
});
