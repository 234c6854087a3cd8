import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arithmeticRequest } from "../../../src/commands/arithmetic.js";
import { deleteRequest } from "../../../src/commands/deletion.js";
import { getRequest, manyRequest, touchRequest } from "../../../src/commands/retrieval.js";
import { setRequest } from "../../../src/commands/storage.js";
import { ProtocolError } from "../../../src/errors.js";
import { type KeyRequest, type SetMode, VERSION_REQUEST } from "../../../src/protocol/request.js";
import { Exchanges, packet, packetsIn, uint32 } from "./exchanges.js";

/** Changes of which only failures are answered, in a line with a noop behind it. */

const change = (mode: SetMode | "delete", noreply = false): KeyRequest =>
  mode === "delete"
    ? deleteRequest("k", noreply)
    : setRequest(mode, "k", "v", 0, 0, undefined, noreply);

const quiet = (mode: SetMode | "delete") => ({ request: change(mode), quiet: true });
const loud = (request: KeyRequest | typeof VERSION_REQUEST) => ({ request, quiet: false });

/** Opcode and opaque of each packet. */
function packets(bytes: Buffer): number[][] {
  return packetsIn(bytes).map((each) => [each[1]!, each.readUInt32BE(12)]);
}

function kinds({ answers }: Exchanges): string[] {
  return answers.map(({ reply }) => reply.kind);
}

function line(...modes: (SetMode | "delete")[]): Exchanges {
  const exchanges = new Exchanges();
  exchanges.writeSome(...modes.map(quiet));
  return exchanges;
}

const exists = { status: 2, value: "Data exists for key." };
const notFound = { status: 1, value: "Not found" };

describe("what is written", () => {
  test("the quiet form of each change, and a noop with a number of its own", () => {
    const bytes = new Exchanges().writeSome(
      ...[quiet("set"), quiet("add"), quiet("replace"), quiet("delete")],
    );
    expect(packets(bytes)).toEqual([
      [0x11, 0],
      [0x12, 1],
      [0x13, 2],
      [0x14, 3],
      [0x0a, 4],
    ]);
  });

  test("the noop has nothing but its number", () => {
    const bytes = new Exchanges().writeSome(quiet("delete"));
    expect(packetsIn(bytes)[1]!.toString("hex")).toBe(
      "800a00000000000000000000000000010000000000000000",
    );
  });

  test("what has no quiet form, or wants more than a status, is asked loud", () => {
    const bytes = new Exchanges().writeSome(
      quiet("set"),
      { request: arithmeticRequest("incr", "k", 1, undefined, 0, false), quiet: true },
      { request: touchRequest("k", 1, false), quiet: true },
      { request: { ...change("set"), meta: { returnCas: true } } as KeyRequest, quiet: true },
    );
    expect(packets(bytes).map(([opcode]) => opcode)).toEqual([0x11, 0x0a, 0x05, 0x1c, 0x01]);
  });

  test("whatever else is asked ends the line, and so does the batch", () => {
    const exchanges = new Exchanges();
    const first = exchanges.writeSome(quiet("set"), loud(getRequest("k")), quiet("set"));
    expect(packets(first)).toEqual([
      [0x11, 0],
      [0x0a, 1],
      [0x0c, 2],
      [0x11, 3],
      [0x0a, 4],
    ]);
    expect(packets(exchanges.writeSome(quiet("delete")))).toEqual([
      [0x14, 5],
      [0x0a, 6],
    ]);
  });

  test("no line begins behind a silent request, whose failure would look the same", () => {
    const exchanges = new Exchanges();
    const bytes = exchanges.writeSome(loud(change("set", true)), quiet("set"), quiet("set"));
    expect(packets(bytes)).toEqual([
      [0x11, 0],
      [0x01, 0],
      [0x11, 1],
      [0x0a, 2],
    ]);
    exchanges.push(packet({ opcode: 0x11, opaque: 0, status: 0x82 }));
    expect(kinds(exchanges)).toEqual([]);
    exchanges.push(packet({ opcode: 0x01, opaque: 0 }));
    exchanges.push(packet({ opcode: 0x11, opaque: 1, status: 0x82 }));
    exchanges.push(packet({ opcode: 0x0a, opaque: 2 }));
    expect(kinds(exchanges)).toEqual(["stored", "refused"]);
  });
});

describe("what is answered", () => {
  test("nothing but the noop: all are done", () => {
    const exchanges = line("set", "delete", "add");
    exchanges.push(packet({ opcode: 0x0a, opaque: 3 }));
    expect(kinds(exchanges)).toEqual(["stored", "ok", "stored"]);
  });

  test("a failure in the middle: those before it are done, and those behind it not known", () => {
    const exchanges = line("set", "add", "set", "set");
    exchanges.push(packet({ opcode: 0x12, opaque: 1, ...exists }));
    expect(kinds(exchanges)).toEqual(["stored", "notStored"]);
    expect(exchanges.unanswered).toBe(2);
    exchanges.push(packet({ opcode: 0x0a, opaque: 4 }));
    expect(kinds(exchanges)).toEqual(["stored", "notStored", "stored", "stored"]);
  });

  test("a failure of the last, which is over with the noop", () => {
    const exchanges = line("set", "delete");
    exchanges.push(packet({ opcode: 0x14, opaque: 1, ...notFound }));
    expect(kinds(exchanges)).toEqual(["stored"]);
    exchanges.push(packet({ opcode: 0x0a, opaque: 2 }));
    expect(kinds(exchanges)).toEqual(["stored", "notFound"]);
  });

  test("a refusal, in the server's words", () => {
    const exchanges = line("set", "set");
    exchanges.push(packet({ opcode: 0x11, opaque: 0, status: 3, value: "Too large." }));
    exchanges.push(packet({ opcode: 0x0a, opaque: 2 }));
    expect(exchanges.answers.map(({ reply }) => reply)).toEqual([
      { kind: "refused", reason: "tooLarge", text: "Too large." },
      { kind: "stored", info: undefined },
    ]);
  });

  test.each([
    ["a success", { opcode: 0x11, opaque: 0 }],
    ["a failure of another command", { opcode: 0x12, opaque: 0, status: 2 }],
    ["a failure of the loud command", { opcode: 0x01, opaque: 0, status: 2 }],
    ["a failure of none of them", { opcode: 0x11, opaque: 3, status: 2 }],
    ["a noop in the middle", { opcode: 0x0a, opaque: 1 }],
    ["a noop that failed", { opcode: 0x0a, opaque: 2, status: 0x81 }],
    ["a noop of later", { opcode: 0x0a, opaque: 3 }],
    ["an opaque of before", { opcode: 0x11, opaque: 0xffffffff, status: 2 }],
  ])("%s is no answer to a line", (_name, parts) => {
    const exchanges = line("set", "set");
    expect(() => exchanges.push(packet(parts))).toThrow(ProtocolError);
    expect(kinds(exchanges)).toEqual([]);
  });

  test.each([0, 1])("after an unknown opcode nothing is trusted (place %i)", (place) => {
    const exchanges = line("set", "set");
    const unknown = packet({ opcode: 0x11, opaque: place, status: 0x81, value: "Unknown" });
    expect(() => exchanges.push(unknown)).toThrow(ProtocolError);
  });
});

/** What a memcached that carries out every packet or not says to them. */
function replies(bytes: Buffer, fails: (packet: number) => boolean): Buffer {
  const said = packetsIn(bytes).map((each, n) => {
    const opcode = each[1]!;
    const opaque = each.readUInt32BE(12);
    const isQuiet = opcode === 0x0d || (opcode >= 0x11 && opcode <= 0x14);
    if (opcode === 0x0a) return packet({ opcode, opaque });
    if (opcode === 0x0d && fails(n)) return Buffer.alloc(0); // a miss
    if (fails(n)) return packet({ opcode, opaque, status: 0x82, value: "Out of memory" });
    if (isQuiet && opcode !== 0x0d) return Buffer.alloc(0);
    const item = opcode === 0x0c || opcode === 0x0d;
    if (!item) return packet({ opcode, opaque, value: opcode === 0x0b ? "1.6" : "" });
    const keyLength = each.readUInt16BE(2);
    const key = each.toString("latin1", 24, 24 + keyLength);
    return packet({ opcode, opaque, extras: uint32(0), key, value: "v" });
  });
  return Buffer.concat(said);
}

test("every answer goes to its own request, whatever stands in a batch and fails", () => {
  const mode = fc.constantFrom<SetMode | "delete">("set", "add", "replace", "delete");
  const part = fc.oneof(
    { weight: 4, arbitrary: mode.map(quiet) },
    mode.map((each) => loud(change(each))),
    mode.map((each) => loud(change(each, true))),
    fc.constant(loud(getRequest("k"))),
    fc.constant(loud(manyRequest(["a", "b"], false))),
    fc.constant(loud(VERSION_REQUEST)),
  );
  const batch = fc.array(part, { maxLength: 12 });
  fc.assert(
    fc.property(
      fc.array(batch, { minLength: 1, maxLength: 3 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
      fc.array(fc.nat(2000), { maxLength: 5 }),
      (batches, failing, cuts) => {
        const exchanges = new Exchanges();
        const bytes = Buffer.concat(batches.map((parts) => exchanges.writeSome(...parts)));
        const fails = (n: number) => failing[n % failing.length]!;
        const expected: string[] = [];
        let n = 0;
        for (const { request } of batches.flat()) {
          while (packetsIn(bytes)[n]![1] === 0x0a) n++; // noops of lines
          const isMany = request.verb === "get" && request.keys !== undefined;
          const failed = fails(n);
          n += isMany ? 3 : 1;
          if (request.verb !== "get" && request.verb !== "admin" && request.noreply) continue;
          if (isMany) expected.push("miss");
          else if (failed) expected.push("refused");
          else if (request.verb === "admin") expected.push("text");
          else if (request.verb === "get") expected.push("hit");
          else expected.push(request.verb === "delete" ? "ok" : "stored");
        }
        exchanges.push(replies(bytes, fails), cuts);
        expect(exchanges.unanswered).toBe(0);
        expect(kinds(exchanges)).toEqual(expected);
      },
    ),
    { numRuns: 1000 },
  );
});
