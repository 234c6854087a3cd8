import { inspect } from "node:util";
import fc from "fast-check";
import { type Client, MemcachedError, type ReplyError } from "tslibmc";
import { elasticache } from "tslibmc/discovery";
import { describe, expect, test } from "vitest";
import { packet } from "../protocol/binary/exchanges.js";
import { errorOf } from "../support/outcome.js";
import { answers, ScriptedServer } from "../support/scripted.js";
import { clientOf, use } from "../support/use.js";

/** Ends a line of a log, clears a terminal (also by one byte of C1), turns text around. */
const STEERING = "\n\x1b[2J\x7f\x9b2J\u2028\u2029\u202e\u2066 forged";

const CONTROLS = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

function expectPrintable(error: unknown): void {
  expect(error).toBeInstanceOf(MemcachedError);
  const { message } = error as MemcachedError;
  expect(message).not.toMatch(CONTROLS);
  // The stack has lines of its own, and nothing else.
  expect((error as MemcachedError).stack?.replaceAll("\n", "")).not.toMatch(CONTROLS);
  expect(JSON.stringify(error)).not.toMatch(CONTROLS);
  expect(inspect(error, { depth: 9 }).replaceAll("\n", "")).not.toMatch(CONTROLS);
}

test("a message has nothing that steers, whatever it is made of, and is otherwise as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...STEERING), (text, odd) => {
      expectPrintable(new MemcachedError(`${text}${odd}`));
      const plain = text.replace(new RegExp(CONTROLS, "g"), "");
      expect(new MemcachedError(plain).message).toBe(plain);
    }),
  );
  expect(new MemcachedError("a\r\nb\x1b\x9b\u202e").message).toBe("a\\r\\nb\\u001b\\u009b\\u202e");
});

test("of its fields and its cause neither, as a log has them", () => {
  const cause = Object.assign(new Error(STEERING), { code: "EWHATEVER" });
  const error = new MemcachedError("it failed", { key: STEERING, server: STEERING, cause });
  expect(JSON.stringify(error)).not.toMatch(CONTROLS);
  expect(error.key).toBe(STEERING);
});

const LATIN1 = STEERING.replace(/[^\0-\xff]/g, "");

describe("a server's words", () => {
  const text = LATIN1.replace("\n", "\r");

  async function failureOf(
    reply: string,
    call: (client: Client) => Promise<unknown>,
    binary = false,
  ) {
    const server = use(
      await ScriptedServer.start((connection) => {
        connection.socket.on("data", () => connection.send(reply));
      }),
    );
    return errorOf(call(clientOf(server.address, { timeoutMs: 1000, binary })));
  }

  test.each<[string, string]>([
    ["an error", `SERVER_ERROR ${text}\r\n`],
    ["what is no reply", `${text}\r\n`],
    ["an item that nobody asked for", `VALUE ${text.replaceAll(" ", "")} 0 1\r\nx\r\nEND\r\n`],
    ["an item that is none", `VALUE k ${text}\r\n`],
    ["one connection too many", `ERROR Too many open connections ${text}\r\n`],
    ["a demand for credentials", `CLIENT_ERROR unauthenticated ${text}\r\n`],
  ])("are printable: %s", async (_, reply) => {
    expectPrintable(await failureOf(reply, (client) => client.get("k")));
  });

  test.each([0x03, 0x04, 0x06, 0x20, 0x81, 0x82, 0x85])(
    "over the binary protocol, with status %i",
    async (status) => {
      const reply = packet({ opcode: 0x0c, status, value: LATIN1 }).toString("latin1");
      expectPrintable(await failureOf(reply, (client) => client.get("k"), true));
    },
  );

  test("are printable where they are no packet, and where they are a version", async () => {
    expectPrintable(await failureOf(LATIN1.repeat(4), (client) => client.get("k"), true));
    const version = `VERSION 1.4.0${text}\r\n`;
    expectPrintable(await failureOf(version, (client) => client.metaGet("k", { setCas: 1n })));
  });

  test("are short in the message, and whole in `reply`", async () => {
    const words = `SERVER_ERROR ${"x".repeat(5000)}`;
    const error = await failureOf(`${words}\r\n`, (client) => client.get("k"));
    expectPrintable(error);
    expect((error as ReplyError).message.length).toBeLessThan(300);
    expect((error as ReplyError).reply).toBe(words);
  });

  test("are printable in the list of a cluster, and in its refusal", async () => {
    for (const reply of [
      `CONFIG cluster 0 ${LATIN1.length + 2}\r\n1\n${LATIN1}\r\nEND\r\n`,
      `${text}\r\n`,
    ]) {
      const server = use(await ScriptedServer.start(answers(reply)));
      const lists = elasticache(server.address)[Symbol.asyncIterator]();
      expectPrintable(await errorOf(lists.next()));
    }
  });

  test("are printable where they refuse credentials", async () => {
    const server = use(await ScriptedServer.start(answers("", `CLIENT_ERROR ${text}\r\n`)));
    const options = { username: "u", password: "p" };
    const client = clientOf(server.address, options);
    expectPrintable(await errorOf(client.get("k")));
    const endpoint = use(await ScriptedServer.start(answers("", `CLIENT_ERROR ${text}\r\n`)));
    expectPrintable(
      await errorOf(elasticache(endpoint.address, options)[Symbol.asyncIterator]().next()),
    );
  });
});

test("what a caller took from elsewhere is short in a message: a name, or what calls itself a class", async () => {
  const client = clientOf("127.0.0.1:1");
  const long = "x".repeat(1_000_000);
  const classy = JSON.parse(`{"constructor":{"name":"${long}"}}`);
  const options = JSON.parse(`{"${long}":1}`);
  for (const call of [
    () => client.get(classy),
    () => client.getMulti(classy),
    () => client.set("k", 1, { ttl: classy }),
    () => client.set("k", 1, options),
    () => client.setMulti({ k: 1 }, options),
    () => client.metaGet("k", options),
    async () => clientOf("127.0.0.1:1", options),
    async () => clientOf([options]),
  ]) {
    const error = await errorOf(call());
    expectPrintable(error);
    expect((error as MemcachedError).message.length).toBeLessThan(500);
  }
});

test("keys are printable in a message", async () => {
  const client = clientOf("127.0.0.1:1", { encodeKeys: "base64" });
  expectPrintable(await errorOf(client.get(STEERING.repeat(9))));
  expectPrintable(await errorOf(clientOf("127.0.0.1:1").get(STEERING)));
});
