import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { statsRequest, verbosityRequest } from "../../../src/commands/admin.js";
import { arithmeticRequest } from "../../../src/commands/arithmetic.js";
import { deleteRequest } from "../../../src/commands/deletion.js";
import {
  getAndTouchRequest,
  getRequest,
  getsRequest,
  hasRequest,
  manyRequest,
  touchRequest,
} from "../../../src/commands/retrieval.js";
import { setRequest } from "../../../src/commands/storage.js";
import { ProtocolError } from "../../../src/errors.js";
import { writePacket } from "../../../src/protocol/binary/packet.js";
import { BinaryWire } from "../../../src/protocol/binary/wire.js";
import { Outgoing } from "../../../src/protocol/outgoing.js";
import {
  type MetaArithmeticFlags,
  type MetaGetFlags,
  type MetaSetFlags,
  type Request,
  type SetMode,
  VERSION_REQUEST,
} from "../../../src/protocol/request.js";
import { answerTo, Exchanges, type Packet, packet, uint32 } from "./exchanges.js";

const set = (mode: SetMode, cas?: bigint, noreply = false): Request =>
  setRequest(mode, "k", "v", 0, 0, cas, noreply);

describe("what is written", () => {
  const hexOf = (request: Request) => new Exchanges().write(request).toString("hex");

  test("a get and touch of a key", () => {
    expect(hexOf(getAndTouchRequest("key", false, 60))).toBe(
      "801d00030400000000000007000000000000000000000000" + "0000003c" + "6b6579",
    );
  });

  test("a negative exptime as a date long past, since this wire has no signs", () => {
    expect(hexOf(touchRequest("k", -1, false))).toContain("00278d01");
    expect(hexOf(setRequest("set", "k", "", 0, -1, undefined, false))).toContain("00278d01");
    expect(hexOf(arithmeticRequest("incr", "k", 1, 0, -1, false))).toContain("00278d01");
  });

  test("numbers and tokens of 64 bits", () => {
    const max = 2n ** 64n - 1n;
    const request = arithmeticRequest("decr", "k", max, 2 ** 53 - 1, 5, false);
    expect(hexOf(request)).toBe(
      "800600011400000000000015000000000000000000000000" +
        ("ffffffffffffffff" + "001fffffffffffff" + "00000005" + "6b"),
    );
    expect(hexOf(set("set", max))).toContain("ffffffffffffffff");
  });

  test("a cas on a delete, and none where there is none", () => {
    const plain = deleteRequest("k", false);
    expect(hexOf({ ...plain, compareCas: 258n })).toBe(
      "800400010000000000000001000000000000000000000102" + "6b",
    );
    expect(hexOf(plain)).toBe("800400010000000000000001000000000000000000000000" + "6b");
  });

  test("keys and values of any bytes, large values as a piece of their own", () => {
    const key = Array.from({ length: 250 }, (_, i) => String.fromCharCode(i)).join("");
    const data = Buffer.alloc(100_000, 0xfe);
    const bytes = new Exchanges().write(setRequest("set", key, data, 7, 0, undefined, false));
    expect(bytes.readUInt32BE(8)).toBe(8 + 250 + 100_000);
    expect(bytes.toString("latin1", 32, 282)).toBe(key);
    expect(bytes.subarray(282).equals(data)).toBe(true);
  });

  test("lengths and opaques of any size", () => {
    const out = new Outgoing();
    const key = "k".repeat(0x0203);
    const data = Buffer.alloc(0x01020304 - key.length - 4);
    writePacket(out, 0x01, 0xfeddbb99, key, "\x80\x81\x82\x83", data, 0xfffefdfcfbfaf9f8n);
    const start = Buffer.from(
      out.pieces.find((piece) => typeof piece === "string") ?? out.text,
      "latin1",
    );
    expect(start.toString("hex", 0, 28)).toBe(
      "8001020304000000" + "01020304" + "feddbb99" + "fffefdfcfbfaf9f8" + "80818283",
    );
  });

  test("one opaque for each packet that is answered, none for silent ones", () => {
    const bytes = new Exchanges().write(
      getRequest("a"),
      set("set", undefined, true),
      manyRequest(["b", "c"], false),
      VERSION_REQUEST,
    );
    const opaques: number[][] = [];
    for (let at = 0; at < bytes.length; at += 24 + bytes.readUInt32BE(at + 8)) {
      opaques.push([bytes[at + 1]!, bytes.readUInt32BE(at + 12)]);
    }
    expect(opaques).toEqual([
      [0x0c, 0],
      [0x11, 1],
      [0x0d, 1],
      [0x0d, 2],
      [0x0a, 3],
      [0x0b, 4],
    ]);
  });
});

describe("what this wire has no words for is refused before a byte is written", () => {
  const get = (meta: MetaGetFlags): Request => ({ ...getRequest("k"), meta });
  const metaSet = (meta: MetaSetFlags): Request => ({ ...set("append"), meta }) as Request;
  const plainDelete = deleteRequest("k", false);
  const incr = arithmeticRequest("incr", "k", 1, undefined, 0, false);
  const cases: [string, Request, RegExp][] = [
    ["ttl", get({ returnTtl: true }), /no words for returnTtl/],
    ["hit before", get({ returnHitBefore: true }), /returnHitBefore/],
    ["last access", get({ returnLastAccess: true }), /returnLastAccess/],
    ["size", get({ returnSize: true }), /returnSize/],
    ["vivify", get({ vivify: 0 }), /vivify/],
    ["recache", get({ recache: 30 }), /recache/],
    ["unless cas", get({ unlessCas: 1n }), /unlessCas/],
    ["no bump", get({ noBump: true }), /noBump/],
    ["a cas of one's own in a get", get({ setCas: 1n }), /setCas/],
    ["a cas of one's own in a set", metaSet({ setCas: 1n }), /setCas/],
    ["a stale set", metaSet({ invalidate: true }), /invalidate/],
    ["an append that makes the item", metaSet({ vivify: 0 }), /vivify/],
    ["the stored size", metaSet({ returnSize: true }), /returnSize/],
    ["stale delete", { ...plainDelete, meta: { invalidate: true } }, /invalidate/],
    ["tombstone", { ...plainDelete, meta: { dropValue: true } }, /dropValue/],
    ["a cas of one's own in a delete", { ...plainDelete, meta: { setCas: 1n } }, /setCas/],
    ["exptime of a deleted item", { ...plainDelete, meta: { exptime: 0 } }, /exptime/],
    ["exptime of a counter", { ...incr, meta: { exptime: 0 } }, /exptime/],
    ["ttl of a counter", { ...incr, meta: { returnTtl: true } }, /returnTtl/],
    ["a cas of one's own in arithmetic", { ...incr, meta: { setCas: 1n } }, /setCas/],
    ["a cas of 0 in a set", set("set", 0n), /the cas 0/],
    ["a cas of 0 in a delete", { ...plainDelete, compareCas: 0n }, /the cas 0/],
    ["a cas of 0 in arithmetic", { ...incr, meta: { compareCas: 0n } }, /the cas 0/],
    ["a cas in an add", set("add", 1n), /cas in an add/],
    ["verbosity", verbosityRequest(1), /no verbosity/],
    ["debug", { verb: "admin", action: "debug", key: "k", base64Key: false }, /no debug/],
  ];
  test.each(cases)("%s", (_name, request, words) => {
    const out = new Outgoing();
    expect(
      new BinaryWire().write({ request, endsLine: true, afterSilent: false, quiet: false }, out),
    ).toMatch(words);
    expect(out.isEmpty).toBe(true);
  });

  test("a flag that asks for nothing is no hindrance", () => {
    expect(() => new Exchanges().write(get({ returnTtl: false, vivify: undefined }))).not.toThrow();
  });
});

describe("items", () => {
  test("with flags, and with a cas only where it was asked for", () => {
    const reply = {
      opcode: 0x0c,
      extras: uint32(0xfffffff0),
      key: "k",
      value: "v",
      cas: 2n ** 63n,
    };
    const item = { kind: "hit", value: "v", flags: 0xfffffff0, info: undefined };
    expect(answerTo(getRequest("k"), reply).reply).toEqual({ ...item, cas: undefined });
    expect(answerTo(getsRequest("k"), reply).reply).toEqual({ ...item, cas: 2n ** 63n });
  });

  test("has drops the value", () => {
    const reply = { opcode: 0x0c, extras: uint32(0), key: "k", value: "v" };
    expect(answerTo(hasRequest("k"), reply).reply).toMatchObject({ kind: "hit", value: undefined });
  });

  test("a meta get hears what this wire can tell", () => {
    const request: Request = { ...getsRequest("k"), meta: { returnKey: true, opaque: "me" } };
    const reply = { opcode: 0x0c, extras: uint32(9), key: "k", value: "v", cas: 3n };
    const { reply: hit } = answerTo(request, reply);
    const info = { key: "k", opaque: "me", cas: 3n, flags: 9, ttl: undefined, won: false };
    expect(hit).toMatchObject({ value: "v", info });
  });

  const nothing = {
    ...{ key: undefined, opaque: undefined, cas: undefined, flags: undefined },
    ...{ hitBefore: undefined, lastAccess: undefined, size: undefined, ttl: undefined },
    ...{ won: false, alreadyWon: false, stale: false },
  };
  const metaSet = (meta: MetaSetFlags): Request => ({ ...set("add"), meta }) as Request;
  const metaIncr = (meta: MetaArithmeticFlags): Request => ({
    ...arithmeticRequest("incr", "k", 1, undefined, 0, false),
    meta,
  });
  const metaDelete: Request = { ...deleteRequest("k", false), meta: { returnKey: true } };
  const five = Buffer.from("0000000000000005", "hex").toString("latin1");

  test.each<[string, Request, Packet, object]>([
    ["set", metaSet({ returnCas: true }), { opcode: 0x02 }, { kind: "stored", cas: 9n }],
    [
      "set, without its cas",
      metaSet({ opaque: "me" }),
      { opcode: 0x02 },
      { kind: "stored", opaque: "me" },
    ],
    [
      "set that failed",
      metaSet({ returnKey: true }),
      { opcode: 0x02, status: 2 },
      { kind: "notStored", key: "k" },
    ],
    ["delete", metaDelete, { opcode: 0x04 }, { kind: "ok", key: "k" }],
    ["delete that failed", metaDelete, { opcode: 0x04, status: 1 }, { kind: "notFound", key: "k" }],
    [
      "incr",
      metaIncr({ returnCas: true }),
      { opcode: 0x05, value: five },
      { kind: "number", value: 5, cas: 9n },
    ],
    [
      "incr, without its cas",
      metaIncr({}),
      { opcode: 0x05, value: five },
      { kind: "number", value: 5 },
    ],
    [
      "incr, without its number",
      metaIncr({ returnValue: false }),
      { opcode: 0x05, value: five },
      { kind: "ok" },
    ],
  ])("a meta %s hears what this wire can tell", (_name, request, reply, expected) => {
    const { kind, value, ...info } = expected as { kind: string; value?: number };
    const told = { ...nothing, ...info };
    expect(answerTo(request, { ...reply, cas: 9n }).reply).toEqual(
      value === undefined ? { kind, info: told } : { kind, value, info: told },
    );
  });

  test("of a many-key get find their places by their opaques", () => {
    const answer = answerTo(
      manyRequest(["a", "b", "c"], false),
      { opcode: 0x0d, opaque: 0, extras: uint32(0), key: "a", value: "1" },
      { opcode: 0x0d, opaque: 2, extras: uint32(0), key: "c", value: "" },
      { opcode: 0x0a, opaque: 3 },
    );
    expect([...answer.items].map(([place, { value }]) => [place, value])).toEqual([
      [0, "1"],
      [2, ""],
    ]);
    expect(answer.reply.kind).toBe("miss");
  });

  test("a many-key get of which one key is refused fails when it ends", () => {
    const answer = answerTo(
      manyRequest(["a", "b"], false),
      { opcode: 0x0d, opaque: 0, status: 0x82, value: "Out of memory" },
      { opcode: 0x0a, opaque: 2 },
    );
    expect(answer.reply).toMatchObject({ kind: "refused", reason: "serverError" });
  });

  test("results of arithmetic are exact", () => {
    const incr = arithmeticRequest("incr", "k", 1, undefined, 0, false);
    const number = (value: bigint) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(value);
      return answerTo(incr, { opcode: 0x05, value: bytes.toString("latin1") }).reply;
    };
    expect(number(0n)).toMatchObject({ value: 0 });
    expect(number(2n ** 53n - 1n)).toMatchObject({ value: Number.MAX_SAFE_INTEGER });
    expect(number(2n ** 53n)).toMatchObject({ value: 2n ** 53n });
    expect(number(2n ** 64n - 1n)).toMatchObject({ value: 2n ** 64n - 1n });
    expect(() => answerTo(incr, { opcode: 0x05, value: "1" })).toThrow(ProtocolError);
  });

  test("statistics are collected up to the packet without a name", () => {
    const request = statsRequest(undefined);
    const { reply } = answerTo(
      request,
      { opcode: 0x10, key: "pid", value: "42" },
      { opcode: 0x10, key: "empty", value: "" },
      { opcode: 0x10 },
    );
    expect(reply).toEqual({
      kind: "stats",
      entries: new Map([
        ["pid", "42"],
        ["empty", ""],
      ]),
    });
  });
});

describe("a challenge", () => {
  const request = {
    ...({ verb: "admin", action: "sasl", key: "", step: "start" } as const),
    ...({ mechanism: "SCRAM-SHA-256", response: "n,,n=me,r=1" } as const),
  };

  test("is an answer to a step of authentication", () => {
    const text = `r=${"x".repeat(500)}`;
    const { reply } = answerTo(request, { opcode: 0x21, status: 0x21, value: text });
    expect(reply).toEqual({ kind: "challenge", text });
  });

  test("is a refusal of everything else", () => {
    const { reply } = answerTo(getRequest("k"), { opcode: 0x0c, status: 0x21, value: "?" });
    expect(reply).toMatchObject({ kind: "refused", reason: "auth" });
  });

  test("a server that does not know SASL may lose what is behind a step with its data", () => {
    const exchanges = new Exchanges();
    exchanges.write(request);
    const unknown = packet({ opcode: 0x21, status: 0x81, value: "Unknown command" });
    expect(() => exchanges.push(unknown)).toThrow(ProtocolError);
  });

  test("a server that does not know SASL loses nothing by the question for it", () => {
    const list = { ...request, step: "list", mechanism: "", response: "" } as const;
    const { reply } = answerTo(list, { opcode: 0x20, status: 0x81, value: "Unknown command" });
    expect(reply).toMatchObject({ reason: "unknownCommand" });
  });
});

describe("a silent request that failed", () => {
  test("never shifts the reply to another", () => {
    const exchanges = new Exchanges();
    exchanges.write(getRequest("a"), set("add", undefined, true), getRequest("b"));
    exchanges.push(packet({ opcode: 0x0c, opaque: 0, status: 1, key: "a" }));
    exchanges.push(packet({ opcode: 0x12, opaque: 1, status: 2, value: "Data exists for key." }));
    exchanges.push(packet({ opcode: 0x0c, opaque: 1, extras: uint32(0), key: "b", value: "2" }));
    expect(exchanges.answers.map(({ reply }) => reply)).toMatchObject([
      { kind: "miss" },
      { kind: "hit", value: "2" },
    ]);
  });

  test("may be the last, with nobody waiting", () => {
    const exchanges = new Exchanges();
    exchanges.write(VERSION_REQUEST, set("set", undefined, true));
    exchanges.push(packet({ opcode: 0x0b, opaque: 0, value: "1.6.18" }));
    exchanges.push(packet({ opcode: 0x11, opaque: 1, status: 3, value: "Too large." }));
    expect(exchanges.answers.length).toBe(1);
  });
});

describe("what is no reply to what was asked ends the connection", () => {
  const hit = { opcode: 0x0c, extras: uint32(0), key: "k", value: "v" };
  const cases: [string, Buffer][] = [
    ["a text line", Buffer.from("CLIENT_ERROR this is a text-only server\r\n")],
    ["a request", packet({ ...hit, magic: 0x80 })],
    ["another opaque", packet({ ...hit, opaque: 1 })],
    ["another opcode", packet({ ...hit, opcode: 0x00 })],
    ["another key", packet({ ...hit, key: "j" })],
    ["a longer key", packet({ ...hit, key: "kk" })],
    ["no flags", packet({ ...hit, extras: Buffer.alloc(0) })],
    ["success of a silent request", packet({ opcode: 0x11 })],
    ["a key past the end of the body", Buffer.from(`810c0009${"00".repeat(20)}`, "hex")],
    ["two gigabytes", Buffer.from(`810c000104000000${"7fffffff"}${"00".repeat(12)}`, "hex")],
  ];
  test.each(cases)("%s", (_name, bytes) => {
    const exchanges = new Exchanges();
    exchanges.write(getRequest("k"));
    expect(() => exchanges.push(bytes)).toThrow(ProtocolError);
    expect(exchanges.answers).toEqual([]);
  });

  test("a body that no memcached can send is refused by its header, the largest is waited for", () => {
    const largest = 1024 * 1024 * 1024 + 0xff + 0xffff; // -I 1024m, extras and a key
    const header = (length: number) => {
      const bytes = packet(hit).subarray(0, 24);
      bytes.writeUInt32BE(length, 8);
      return bytes;
    };
    const exchanges = new Exchanges();
    exchanges.write(getRequest("k"));
    exchanges.push(header(largest));
    expect(exchanges.unanswered).toBe(1);
    const other = new Exchanges();
    other.write(getRequest("k"));
    expect(() => other.push(header(largest + 1))).toThrow(ProtocolError);
  });

  test("anything that nobody asked for", () => {
    expect(() => new Exchanges().push(packet({ opcode: 0x0a }))).toThrow(/nobody waits for/);
  });

  test("the end of a many-key get that is not its own", () => {
    const exchanges = new Exchanges();
    exchanges.write(manyRequest(["a"], false));
    expect(() => exchanges.push(packet({ opcode: 0x0a, opaque: 0 }))).toThrow(ProtocolError);
  });
});

describe("however the network cuts it", () => {
  const keyBytes = fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map((bytes) => Buffer.from(bytes).toString("latin1"));
  const valueBytes = fc
    .uint8Array({ maxLength: 300 })
    .map((bytes) => Buffer.from(bytes).toString("latin1"));

  test("every reply reaches its own request", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(keyBytes, fc.option(valueBytes, { nil: undefined }), fc.boolean()), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.array(fc.nat(4000), { maxLength: 40 }),
        (items, cuts) => {
          const exchanges = new Exchanges();
          const requests = items.flatMap(([key, , failing]) =>
            failing ? [set("add", undefined, true), getsRequest(key)] : [getsRequest(key)],
          );
          exchanges.write(...requests);
          const replies = items.flatMap(([key, value, failing], opaque) => [
            ...(failing ? [packet({ opcode: 0x12, opaque, status: 2, value: "exists" })] : []),
            value === undefined
              ? packet({ opcode: 0x0c, opaque, status: 1, key })
              : packet({ opcode: 0x0c, opaque, extras: uint32(1), key, value, cas: 7n }),
          ]);
          exchanges.push(Buffer.concat(replies), cuts);
          const seen = exchanges.answers.map(({ reply }) =>
            reply.kind === "hit" ? reply.value : reply.kind,
          );
          expect(seen).toEqual(items.map(([, value]) => value ?? "miss"));
        },
      ),
    );
  });

  test("noise is refused at its first byte", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (noise) => {
        fc.pre(noise[0] !== 0x81);
        const exchanges = new Exchanges();
        exchanges.write(getRequest("k"));
        expect(() => exchanges.push(Buffer.from(noise))).toThrow(ProtocolError);
        expect(exchanges.answers).toEqual([]);
      }),
    );
  });

  test("most of a large value is read to where it belongs", () => {
    const value = Array.from({ length: 30_000 }, (_, i) => `${i}`.padStart(10)).join("");
    const exchanges = new Exchanges();
    exchanges.write(getRequest("k"));
    const bytes = packet({ opcode: 0x0c, extras: uint32(0), key: "k", value });
    exchanges.push(bytes, [10, 24, 27, 29, 65_536, 131_072, 299_000]);
    expect(exchanges.answers[0]?.reply).toMatchObject({ value });
    expect(exchanges.rooms).toBeGreaterThan(2);
  });

  test("the opaque of an answered request answers nobody", () => {
    const exchanges = new Exchanges();
    exchanges.write(getRequest("a"));
    exchanges.push(packet({ opcode: 0x0c, status: 1, key: "a" }));
    const next = exchanges.write(getRequest("b")).readUInt32BE(12);
    expect(next).toBe(1);
    expect(() => exchanges.push(packet({ opcode: 0x0c, opaque: 0, status: 1, key: "b" }))).toThrow(
      ProtocolError,
    );
  });
});
