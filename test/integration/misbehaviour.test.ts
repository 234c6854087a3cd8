import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import {
  AuthError,
  Client,
  ClientErrorReply,
  ConnectionClosedError,
  type MemcachedError,
  PartialError,
  ProtocolError,
  ServerErrorReply,
  TimeoutError,
  UnknownCommandReply,
  ValueTooLargeError,
} from "tslibmc";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { packet } from "../protocol/binary/exchanges.js";
import { listen } from "../support/port.js";

/**
 * What a server of the binary protocol can do wrong, as it was done to pylibmc when its
 * errors were recorded: an error that says so, no result that is none, and a client that
 * reads the right value right after.
 */

type Answer = (request: Buffer, socket: Socket) => Buffer | undefined;
type ErrorClass = new (...args: never[]) => MemcachedError;

const opcodeOf = (request: Buffer) => request[1]!;
const opaqueOf = (request: Buffer) => request.readUInt32BE(12);

const honest: Answer = (request) => {
  const [opcode, opaque] = [opcodeOf(request), opaqueOf(request)];
  const key = request.toString("latin1", 24, 24 + request.readUInt16BE(2));
  const extras = Buffer.alloc(4);
  return opcode === 0x0c || opcode === 0x0d
    ? packet({ opcode, opaque, key, extras, value: `value of ${key}` })
    : packet({ opcode, opaque });
};

let answer: Answer;
let server: Server;
let client: Client;

beforeEach(async () => {
  server = createServer((socket) => {
    let rest = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      rest = Buffer.concat([rest, data]);
      while (rest.length >= 24) {
        const end = 24 + rest.readUInt32BE(8);
        if (rest.length < end) return;
        const reply = answer(rest.subarray(0, end), socket);
        rest = rest.subarray(end);
        if (reply !== undefined && !socket.destroyed) socket.write(reply);
      }
    });
  });
  client = new Client(`127.0.0.1:${await listen(server)}`, { binary: true, timeoutMs: 5000 });
});
afterEach(async () => {
  await client.close({ drainMs: 0 });
  server.close();
});

const calls: Record<string, () => Promise<unknown>> = {
  get: () => client.get("k"),
  gets: () => client.gets("k"),
  getMulti: () => client.getMulti(["k", "l"]),
  set: () => client.set("k", "v"),
  add: () => client.add("k", "v"),
  replace: () => client.replace("k", "v"),
  append: () => client.append("k", "v"),
  cas: () => client.cas("k", "v", 1n),
  delete: () => client.delete("k"),
  incr: () => client.incr("k"),
  touch: () => client.touch("k", 1),
  setMulti: () => client.setMulti({ k: 1, l: 2 }),
  deleteMulti: () => client.deleteMulti(["k", "l"]),
  incrMulti: () => client.incrMulti(["k", "l"]),
  flushAll: () => client.flushAll(),
  getStats: () => client.getStats(),
};

const header = (request: Buffer, change: (bytes: Buffer) => void) => {
  const reply = honest(request, undefined as never)!;
  change(reply);
  return reply;
};

/** Says one thing on a connection, and then nothing. */
function only(say: Answer): Answer {
  const spoken = new WeakSet<Socket>();
  return (request, socket) => {
    if (spoken.has(socket)) return undefined;
    spoken.add(socket);
    return say(request, socket);
  };
}

const wrongs: [string, ErrorClass, Answer][] = [
  ["never answers", TimeoutError, () => undefined],
  [
    "hangs up after the request",
    ConnectionClosedError,
    (_, socket) => {
      socket.end();
      return undefined;
    },
  ],
  [
    "resets the connection",
    ConnectionClosedError,
    (_, socket) => {
      socket.resetAndDestroy();
      return undefined;
    },
  ],
  ["answers in text", ProtocolError, () => Buffer.from("ERROR\r\n")],
  [
    "answers in text and hangs up",
    ProtocolError,
    (_, socket) => {
      socket.end("ERROR\r\n");
      return undefined;
    },
  ],
  ["has a wrong magic", ProtocolError, (request) => header(request, (reply) => (reply[0] = 0x80))],
  ["has another opcode", ProtocolError, (request) => header(request, (reply) => (reply[1] = 0x1f))],
  [
    "has another opaque",
    ProtocolError,
    (request) => header(request, (reply) => reply.writeUInt32BE(opaqueOf(request) + 77, 12)),
  ],
  ["cuts the header", TimeoutError, only((request) => header(request, () => {}).subarray(0, 20))],
  [
    "declares a body that does not come",
    TimeoutError,
    only((request) => {
      const [opcode, opaque] = [opcodeOf(request), opaqueOf(request)];
      return packet({ opcode, opaque, status: 0x82, value: "Out" }).subarray(0, 25);
    }),
  ],
  [
    "declares a body of gigabytes",
    ProtocolError,
    (request) => header(request, (reply) => reply.writeUInt32BE(0xfffffff0, 8)),
  ],
];

describe.each(wrongs)("a server that %s", (_, expected, wrong) => {
  test.each(Object.keys(calls))("costs %s an error and nothing more", async (name) => {
    answer = wrong;
    if (expected === TimeoutError) client.behaviors._poll_timeout = 70;
    const error: unknown = await calls[name]!().then(
      () => undefined,
      (reason) => reason,
    );
    const cause = error instanceof PartialError ? error.cause : error;
    expect(cause).toBeInstanceOf(expected);
    answer = honest;
    if (expected === TimeoutError) client.disconnectAll(); // or it would wait for what it is owed
    if (expected === ConnectionClosedError) await delay(PAUSE_MS);
    await expectRightValue();
  });
});

/** Reads through the same client, from a server that has come to reason. */
async function expectRightValue(): Promise<void> {
  expect(String(await client.get("probe", { timeoutMs: 2000 }))).toBe("value of probe");
}

/** A server that hangs up twice without a word is left alone for a moment, by design. */
const PAUSE_MS = 100;

const refusals: [number, string, ErrorClass][] = [
  [0x04, "Invalid arguments", ClientErrorReply],
  [0x06, "Non-numeric server-side value for incr or decr", ClientErrorReply],
  [0x07, "I'm not responsible for this vbucket", ServerErrorReply],
  [0x20, "Auth failure.", AuthError],
  [0x21, "Continue", AuthError],
  [0x81, "Unknown command", UnknownCommandReply],
  [0x82, "Out of memory", ServerErrorReply],
  [0x84, "Internal error", ServerErrorReply],
  [0x85, "Busy", ServerErrorReply],
  [0x86, "Temporary failure", ServerErrorReply],
  [0x99, "", ServerErrorReply],
];

describe.each(refusals)("the status 0x%s %s", (status, value, expected) => {
  test.each(Object.keys(calls))("is the server's own error to %s", async (name) => {
    answer = (request) => {
      const [opcode, opaque] = [opcodeOf(request), opaqueOf(request)];
      return opcode === 0x0a
        ? packet({ opcode, opaque })
        : packet({ opcode, opaque, status, value });
    };
    const error: unknown = await calls[name]!().then(
      () => undefined,
      (reason) => reason,
    );
    const cause = error instanceof PartialError ? error.cause : error;
    expect(cause).toBeInstanceOf(expected);
    expect((cause as MemcachedError).sent).toBe(true);
    expect((cause as MemcachedError).message).toContain(value);
    answer = honest;
    await expectRightValue();
  });
});

test("too large is a ValueTooLargeError, whatever becomes of the question for the limit", async () => {
  answer = (request) =>
    packet({
      opcode: opcodeOf(request),
      opaque: opaqueOf(request),
      status: 3,
      value: "Too large.",
    });
  await expect(client.set("k", "v")).rejects.toThrow(ValueTooLargeError);
});
