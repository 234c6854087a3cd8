import { ConnectError, ProtocolError } from "tslibmc";
import { describe, expect, test } from "vitest";
import type { Request } from "../../../src/protocol/request.js";
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
  version,
} from "./exchanges.js";

const TEN = Array.from({ length: 10 }, (_, i) => `k${i}`);

/** Bytes that no request of this shape is answered with. */
const HOSTILE: [string, Request | Request[], string][] = [
  // lengths
  ["a negative length", get("k"), "VALUE k 0 -1\r\n"],
  ["an empty length", get("k"), "VALUE k 0 \r\n"],
  ["no length", get("k"), "VALUE k 0\r\n"],
  ["a length with a sign", get("k"), "VALUE k 0 +5\r\n"],
  ["a hexadecimal length", get("k"), "VALUE k 0 0x10\r\n"],
  ["a colon in a length", get("k"), "VALUE k 0 :\r\n"],
  ["a slash in a length", get("k"), "VALUE k 0 /\r\n"],
  ["a fractional length", get("k"), "VALUE k 0 5.0\r\n"],
  ["an exponent", get("k"), "VALUE k 0 1e3\r\n"],
  ["a leading zero", get("k"), "VALUE k 0 05\r\n"],
  ["a length of words", get("k"), "VALUE k 0 NaN\r\n"],
  ["a length over 1 GiB", get("k"), `VALUE k 0 ${2 ** 30 + 1}\r\n`],
  ["a length of 2^31", get("k"), `VALUE k 0 ${2 ** 31}\r\n`],
  ["a length of 2^53", get("k"), `VALUE k 0 ${2 ** 53}\r\n`],
  ["a length of 10^30", get("k"), `VALUE k 0 1${"0".repeat(30)}\r\n`],
  ["a tab in the place of a blank", get("k"), "VALUE k 0\t5\r\n"],
  ["two blanks before the flags", get("k"), "VALUE k  0 5\r\n"],
  ["two blanks before the length", get("k"), "VALUE k 0  5\r\n"],
  ["a blank behind the length", get("k"), "VALUE k 0 5 \r\n"],
  ["a length of mg that is no number", get("k", { touch: 0 }), "VA x f0\r\n"],
  ["a length of mg with a leading zero", get("k", { touch: 0 }), "VA 05 f0\r\n"],
  ["a length of mg over 1 GiB", get("k", { touch: 0 }), `VA ${2 ** 30 + 1} f0\r\n`],
  ["a length of mg of 2^64", get("k", { touch: 0 }), `VA ${2n ** 64n} f0\r\n`],
  ["no length of mg", get("k", { touch: 0 }), "VA\r\n"],
  ["a number of 21 digits", count("k", { meta: {} }), `VA 21\r\n`],
  // flags and cas
  ["flags of 2^32", get("k"), "VALUE k 4294967296 1\r\n"],
  ["negative flags", get("k"), "VALUE k -1 1\r\n"],
  ["flags that are words", get("k"), "VALUE k x 1\r\n"],
  ["flags with a leading zero", get("k"), "VALUE k 00 1\r\n"],
  ["no flags", get("k"), "VALUE k\r\n"],
  ["flags of 2^32 from mg", get("k", { touch: 0 }), "VA 1 f4294967296\r\n"],
  ["a cas that was not asked for", get("k"), "VALUE k 0 1 5\r\n"],
  ["no cas where it was asked for", get("k", { cas: true }), "VALUE k 0 1\r\n"],
  ["a cas of 2^64", get("k", { cas: true }), `VALUE k 0 1 ${2n ** 64n}\r\n`],
  ["a cas that is no number", get("k", { cas: true }), "VALUE k 0 1 x\r\n"],
  ["a cas with something behind it", get("k", { cas: true }), "VALUE k 0 1 5 6\r\n"],
  ["a cas of 2^64 from mg", get("k", { touch: 0, cas: true }), `VA 1 f0 c${2n ** 64n}\r\n`],
  // keys
  ["another key", get("k"), "VALUE other 0 1\r\n"],
  ["a longer key", get("k"), "VALUE kk 0 1\r\n"],
  ["a shorter key", get("kk"), "VALUE k 0 1\r\n"],
  ["no key", get("k"), "VALUE  0 1\r\n"],
  ["nothing", get("k"), "VALUE \r\n"],
  ["a key that was not in the list", getMany(["a", "b"]), "VALUE c 0 1\r\n"],
  ["a key of the line behind", [get("a"), version, get("b")], "VALUE b 0 1\r\n"],
  ["a key of the next line", [get("a", { cas: true }), get("b")], "VALUE b 0 1 5\r\n"],
  ["a value of the line behind", [get("a", { cas: true }), get("b")], "VALUE b 0 1\r\n"],
  [
    "more items than keys",
    getMany(["a", "b"]),
    `${"VALUE b 0 1\r\nx\r\nVALUE a 0 1\r\nx\r\n".repeat(3)}`,
  ],
  ["one item without end", get("a"), "VALUE a 0 1\r\nx\r\n".repeat(3)],
  ["another key from mg", get("k", { touch: 0, meta: { returnKey: true } }), "VA 1 kother f0\r\n"],
  ["no key from mg", get("k", { touch: 0, meta: { returnKey: true } }), "VA 1 f0\r\n"],
  ["another opaque", get("k", { touch: 0, meta: { opaque: "1" } }), "VA 1 O2 f0\r\n"],
  ["another opaque with a miss", get("k", { touch: 0, meta: { opaque: "1" } }), "EN O2\r\n"],
  ["no opaque", del("k", { meta: { opaque: "1" } }), "HD\r\n"],
  ["an opaque that was not sent", del("k", { meta: {} }), "HD O1\r\n"],
  ["another key from me", debug("k"), "ME other exp=-1\r\n"],
  // data blocks
  ["a value without its CRLF", get("k"), "VALUE k 0 1\r\nvEND\r\n"],
  ["a value longer than its length", get("k"), "VALUE k 0 1\r\nvalue\r\nEND\r\n"],
  ["a value with CR alone behind it", get("k"), "VALUE k 0 1\r\nv\rxEND\r\n"],
  ["a value with LF alone behind it", get("k"), "VALUE k 0 1\r\nv\nEND\r\n"],
  ["a number from ma that is none", count("k", { meta: {} }), "VA 2\r\n4x\r\n"],
  ["a number from ma without its CRLF", count("k", { meta: {} }), "VA 2\r\n421\r\n"],
  // lines
  ["a line that ends in LF alone", get("k"), "END\n"],
  ["an empty line", get("k"), "\r\n"],
  ["an empty line that ends in LF alone", get("k"), "\n"],
  ["CR in a line", get("k"), "EN\rD\r\n"],
  ["a line without end", get("k"), "x".repeat(10_000)],
  ["a key without end", get("k"), `VALUE ${"k".repeat(10_000)}`],
  ["a line over the limit that ends", stats(), `STAT a ${"x".repeat(10_000)}\r\n`],
  ["statistics without end", stats(), `STAT a ${"x".repeat(8_000)}\r\n`.repeat(2_200)],
  ["bytes of the binary protocol", get("k"), `\x81\0\0\0\0\0\0\x01${"\0".repeat(20)}\r\n`],
  ["HTTP", get("k"), "HTTP/1.1 400 Bad Request\r\n"],
  ["a TLS alert", get("k"), "\x15\x03\x03\0\x02\x02\x46\r\n"],
  ["an unknown word", get("k"), "SOMETHING\r\n"],
  ["a word in lower case", set("k", "v"), "stored\r\n"],
  ["a word with a blank behind it", set("k", "v"), "STORED \r\n"],
  ["END with a blank behind it", get("k"), "END \r\n"],
  ["an error's word that goes on", get("k"), "ERRORS\r\n"],
  // words that answer another request
  ["STORED to get", get("k"), "STORED\r\n"],
  ["END to set", set("k", "v"), "END\r\n"],
  ["VALUE to set", set("k", "v"), "VALUE k 0 1\r\n"],
  ["VALUE to delete", del("k"), "VALUE k 0 1\r\n"],
  ["VALUE to mg", get("k", { touch: 0 }), "VALUE k 0 1\r\n"],
  ["DELETED to set", set("k", "v"), "DELETED\r\n"],
  ["EXISTS to set", set("k", "v"), "EXISTS\r\n"],
  ["NOT_FOUND to set", set("k", "v"), "NOT_FOUND\r\n"],
  ["NOT_FOUND to get", get("k"), "NOT_FOUND\r\n"],
  ["NOT_STORED to delete", del("k"), "NOT_STORED\r\n"],
  ["TOUCHED to get", get("k"), "TOUCHED\r\n"],
  ["OK to get", get("k"), "OK\r\n"],
  ["STORED to incr", count("k"), "STORED\r\n"],
  ["a negative number to incr", count("k"), "-1\r\n"],
  ["a fraction to incr", count("k"), "1.5\r\n"],
  ["2^64 to incr", count("k"), `${2n ** 64n}\r\n`],
  ["nothing but blanks to incr", count("k"), "  \r\n"],
  ["a number to get", get("k"), "5\r\n"],
  ["HD to get", get("k"), "HD\r\n"],
  ["EN to get", get("k"), "EN\r\n"],
  ["HD to mg that wants the value", get("k", { touch: 0 }), "HD f0\r\n"],
  ["a value to mg that wants none", get("k", { value: false }), "VA 1 f0 s1\r\nv\r\n"],
  ["a value of mg without its flags", get("k", { touch: 0 }), "VA 1\r\nv\r\n"],
  ["a value of mg without its cas", get("k", { touch: 0, cas: true }), "VA 1 f0\r\nv\r\n"],
  ["NF to mg", get("k", { touch: 0 }), "NF\r\n"],
  ["END to mg", get("k", { touch: 0 }), "END\r\n"],
  ["VA to ms", set("k", "v", { meta: {} }), "VA 1 f0\r\nv\r\n"],
  ["EN to ms", set("k", "v", { meta: {} }), "EN\r\n"],
  ["STORED to ms", set("k", "v", { meta: {} }), "STORED\r\n"],
  ["VA to md", del("k", { meta: {} }), "VA 1 f0\r\nv\r\n"],
  ["NS to md", del("k", { meta: {} }), "NS\r\n"],
  ["HD to ma that wants the number", count("k", { meta: {} }), "HD\r\n"],
  ["VA to ma that wants none", count("k", { meta: { returnValue: false } }), "VA 1\r\n1\r\n"],
  ["EN to ma", count("k", { meta: {} }), "EN\r\n"],
  ["a return flag of mg that is unknown", get("k", { touch: 0 }), "VA 1 f0 q\r\n"],
  ["a return flag of mg that is no number", get("k", { touch: 0 }), "VA 1 fx\r\n"],
  ["an unknown number from mg", get("k", { touch: 0 }), "VA 1 f0 q5\r\n"],
  ["a size of 2^60 from mg", get("k", { value: false }), `HD s${2 ** 60}\r\n`],
  ["two blanks in a reply of mg", get("k", { touch: 0 }), "VA 1  f0\r\n"],
  ["a negative size from mg", get("k", { value: false }), "HD s-5\r\n"],
  ["MN to version", version, "MN\r\n"],
  ["VERSION to mn", noop, "VERSION 1\r\n"],
  ["END to version", version, "END\r\n"],
  ["STAT to version", version, "STAT pid 1\r\n"],
  ["DELETED to flush_all", flushAll(), "DELETED\r\n"],
  ["VALUE to stats", stats(), "VALUE k 0 1\r\n"],
  ["STAT to get", get("k"), "STAT pid 1\r\n"],
  ["STAT without a name", stats(), "STAT\r\n"],
  // surplus replies
  ["a reply that nobody asked for", [], "END\r\n"],
  ["a value that nobody asked for", [], "VALUE k 0 1\r\nv\r\nEND\r\n"],
  ["an error that nobody asked for", [], "ERROR\r\n"],
  ["a second reply", set("k", "v"), "STORED\r\nSTORED\r\n"],
  ["a second END", get("k"), "END\r\nEND\r\n"],
  // what may leave data in the stream
  ["CLIENT_ERROR to set", set("k", "v"), "CLIENT_ERROR bad data chunk\r\n"],
  ["ERROR to set", set("k", "v"), "ERROR\r\n"],
  ["CLIENT_ERROR to ms", set("k", "v", { meta: {} }), "CLIENT_ERROR invalid flag\r\n"],
  [
    "an error behind a request that wants no reply",
    [set("a", "1", { noreply: true }), set("b", "2")],
    "SERVER_ERROR out of memory storing object\r\n",
  ],
];

describe("bytes that are no reply, or not the reply, are a ProtocolError", () => {
  test.each(HOSTILE)("%s", (_, requests, bytes) => {
    const read = (...cuts: number[]) => {
      const exchanges = new Exchanges();
      exchanges.write(...[requests].flat());
      return () => exchanges.read(bytes, ...cuts);
    };
    expect(read()).toThrow(ProtocolError);
    const step = Math.ceil(bytes.length / (bytes.length > 20_000 ? 3 : 100));
    for (let cut = 1; cut < bytes.length; cut += step) expect(read(cut)).toThrow(ProtocolError);
  });
});

test("an error's message shows the line escaped and shortened", () => {
  const read = () => new Exchanges().read(`\x1b[31m${"secret".repeat(100)}\r\n`);
  expect(read).toThrow(/^The server sent unasked: "\\u001b\[31m[a-z]{10,60}…"$/);
});

describe("what was answered before stays answered", () => {
  test("the reply that may have left data is its own request's answer", () => {
    const exchanges = new Exchanges();
    exchanges.write(set("a", "1"), set("b", "2"), get("c"));
    expect(() => exchanges.read("STORED\r\nCLIENT_ERROR bad data chunk\r\nERROR\r\n")).toThrow(
      "its data may remain",
    );
    expect(exchanges.outcomes.map(({ end }) => end)).toEqual([
      "stored",
      "clientError: CLIENT_ERROR bad data chunk",
      undefined,
    ]);
  });

  test("an error is the request's own where a get stands between it and one without a reply", () => {
    const exchanges = new Exchanges();
    exchanges.write(set("a", "1", { noreply: true }), get("b"), del("c"));
    exchanges.read("END\r\nSERVER_ERROR out of memory\r\n");
    expect(exchanges.outcomes.map(({ end }) => end)).toEqual([
      "miss",
      "serverError: SERVER_ERROR out of memory",
    ]);
  });

  test("a meta command behind one without a reply has the version asked for ahead of it", () => {
    const exchanges = new Exchanges();
    const silent = set("a", "1", { noreply: true });
    const has = get("b", { value: false });
    const bytes = exchanges.write(silent, has, del("c"));
    expect(bytes).toBe("set a 0 0 1 noreply\r\n1\r\nversion\r\nmg b s t\r\ndelete c\r\n");
    exchanges.read("VERSION 1.4.39\r\nERROR\r\nDELETED\r\n");
    expect(exchanges.outcomes.map(({ end }) => end)).toEqual(["notSupported: ERROR", "ok"]);
    exchanges.write(silent, has);
    expect(() => exchanges.read("ERROR\r\n")).toThrow("about the noreply request before");
  });

  test("a version that was not asked for answers nothing", () => {
    const exchanges = new Exchanges();
    exchanges.write(set("a", "1", { noreply: true }), del("b"));
    expect(() => exchanges.read("VERSION 1\r\n")).toThrow("no answer to delete");
    const others = new Exchanges();
    others.write(set("a", "1", { noreply: true }), get("b", { value: false }));
    expect(() => others.read("VERSION 1\r\nVERSION 1\r\n")).toThrow("no answer to get");
  });

  test("an error is the request's own if a reply came in between", () => {
    const exchanges = new Exchanges();
    exchanges.write(set("a", "1", { noreply: true }), set("b", "2"), set("c", "3"));
    exchanges.read("STORED\r\nSERVER_ERROR out of memory storing object\r\n");
    expect(exchanges.outcomes.map(({ end }) => end)).toEqual([
      "stored",
      "serverError: SERVER_ERROR out of memory storing object",
    ]);
  });
});

test.each([[[]], [[get("k")]], [[get("k", { touch: 0 })]], [[set("k", "v")]], [[stats()]]])(
  "a server without room for a connection has answered nothing: %j",
  (requests) => {
    const exchanges = new Exchanges();
    exchanges.write(...requests);
    expect(() => exchanges.read("ERROR Too many open connections\r\n")).toThrow(ConnectError);
    expect(exchanges.unanswered).toBe(requests.length);
  },
);

test("a length is not allocated before it is plausible", () => {
  const before = process.memoryUsage().arrayBuffers;
  const all = TEN.map((key) => {
    const exchanges = new Exchanges();
    exchanges.write(get(key));
    return exchanges.read(`VALUE ${key} 0 ${2 ** 30}\r\nx`);
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
  expect(all.every(({ unanswered }) => unanswered === 1)).toBe(true);
});
