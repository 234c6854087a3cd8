import { createServer, type Server } from "node:net";
import { inspect } from "node:util";
import {
  Client,
  ClientErrorReply,
  type ClientOptions,
  CodecError,
  ConnectError,
  KeyError,
  MemcachedError,
  PartialError,
  TimeoutError,
  ValueTooLargeError,
} from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { listen } from "../support/port.js";

/** What an operator has is what was logged: each error has to say what it is about by itself. */
describe("an error in a log", () => {
  let memcached: Memcached;
  let silent: Server;
  let client: Client;
  let hanging: Client;

  beforeAll(async () => {
    memcached = await startMemcached();
    client = new Client(memcached.address);
    silent = createServer(() => {});
    hanging = new Client(`127.0.0.1:${await listen(silent)}`, {
      timeoutMs: 300, // connecting is part of it
      keyPrefix: "shop:",
    });
  });
  afterAll(async () => {
    await client.close();
    await hanging.close({ drainMs: 0 });
    silent.close();
    await memcached[Symbol.asyncDispose]();
  });

  async function failure(call: Promise<unknown>): Promise<MemcachedError> {
    const error: unknown = await call.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!(error instanceof MemcachedError)) throw new Error("the call did not fail as it should");
    return error;
  }

  test.each<[string, () => Promise<unknown>, new (...args: never[]) => MemcachedError, object]>([
    [
      "a deadline",
      () => hanging.get("user:1"),
      TimeoutError,
      { command: "get", key: "shop:user:1", sent: true },
    ],
    [
      "a server's refusal",
      async () => {
        await client.set("log:é", "text");
        await client.incr("log:é");
      },
      ClientErrorReply,
      { command: "incr", key: "log:é", sent: true },
    ],
    [
      "data that cannot be decoded",
      async () => {
        await client.set("log:broken", "{broken", { flags: 48 });
        await client.get("log:broken");
      },
      CodecError,
      { command: "get", key: "log:broken" },
    ],
    [
      "a counter that no number holds",
      async () => {
        await client.set("log:counter", 2n ** 60n);
        await client.incr("log:counter");
      },
      CodecError,
      { command: "incr", key: "log:counter", sent: true },
    ],
    [
      "data that cannot be inflated on another thread",
      async () => {
        await client.set("log:deflated", "x".repeat(300_000), { flags: 24 });
        await client.get("log:deflated");
      },
      CodecError,
      { key: "log:deflated" },
    ],
    [
      "a value that cannot be encoded, among others",
      () => client.setMulti({ "log:a": 1, "log:b": new Map() }),
      CodecError,
      { command: "setMulti", key: "log:b" },
    ],
    [
      "a value that cannot be encoded, after a while",
      async () => {
        const serialize = async () => {
          throw new CodecError("not today");
        };
        await using own = new Client<unknown>(memcached.address, {
          serializer: { serialize, deserialize: () => undefined },
        });
        await own.set("log:later", 1);
      },
      CodecError,
      { command: "set", key: "log:later" },
    ],
    [
      "a value over the client's limit, among others",
      () => client.setMulti({ "log:a": 1, "log:large": "x".repeat(2 ** 20 + 1) }),
      ValueTooLargeError,
      { command: "setMulti", key: "log:large" },
    ],
    [
      "a value over the server's limit",
      () => client.set("log:large", "x".repeat(2 ** 20)),
      ValueTooLargeError,
      { command: "set", key: "log:large", sent: true },
    ],
  ])("%s names its key", async (_, call, type, fields) => {
    const error = await failure(call());
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject(fields);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({
      name: type.name,
      message: error.message,
      code: error.code,
      ...fields,
    });
  });

  test("a call on many keys names the one that failed, and all of it in JSON", async () => {
    await client.set("log:broken", "{broken", { flags: 48 });
    await client.set("log:whole", "the secret of log:whole");
    const error = await failure(client.getMulti(["log:whole", "log:broken"]));
    expect(error).toBeInstanceOf(PartialError);
    expect(error.key).toBeUndefined();
    const logged = JSON.parse(JSON.stringify({ error })).error;
    expect(logged).toMatchObject({
      name: "PartialError",
      command: "getMulti",
      errors: {
        [memcached.address]: {
          name: "CodecError",
          key: "log:broken",
          cause: { name: "CodecError" },
        },
      },
    });
    expect(logged).not.toHaveProperty("cause"); // it is there once
    expect(error.cause).toBeInstanceOf(CodecError);
    expect(error.stack).toBe(`PartialError: ${error.message}`);
  });

  test("has none of the values that arrived", async () => {
    await client.set("log:broken", "{broken", { flags: 48 });
    await client.set("log:whole", "the secret of log:whole");
    const error = await failure(client.getMulti(["log:whole", "log:broken"]));
    const { results } = error as PartialError<Map<string, unknown>>;
    expect([...results]).toEqual([["log:whole", "the secret of log:whole"]]);
    for (const text of [JSON.stringify(error), inspect(error, { depth: 10 })]) {
      expect(text).toContain("PartialError");
      expect(text).not.toContain("the secret");
    }
  });

  test.each<[string, number, string]>([
    ["JSON", 48, "default"],
    ["an integer", 4, "default"],
    ["a boolean", 2, "default"],
    ["a pickle", 1, "default"],
    ["the client memcached's JSON", 2, "memcached"],
    ["the client memcached's number", 8, "memcached"],
  ])("has nothing of what is no %s", async (_, flags, codec) => {
    const options = codec === "memcached" ? { codec } : {};
    await using reader = new Client(memcached.address, options as ClientOptions);
    await client.set("log:secret", "hunter2", { flags });
    const error = await failure(reader.get("log:secret"));
    expect(error).toBeInstanceOf(CodecError);
    expect(inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toMatch(/hunter|unter2/);
  });

  test("has no more of a foreign cause than what it is", async () => {
    const cause = Object.assign(new Error("refused"), { code: "EWHATEVER", request: {} });
    cause.request = { cause };
    const error = new ConnectError("no connection", { cause });
    expect(JSON.parse(JSON.stringify(error)).cause).toEqual({
      name: "Error",
      message: "refused",
      code: "EWHATEVER",
    });
  });

  test("a key in a message is the text that was given", async () => {
    const error = await failure(client.get("é".repeat(126)));
    expect(error).toBeInstanceOf(KeyError);
    expect(error.message).toContain(`"${"é".repeat(40)}…"`);
  });

  test("a key of bytes that are no text has a character for each", async () => {
    const error = await failure(hanging.get(Buffer.from([0xff, 0x41])));
    expect(error.key).toBe("shop:\xffA");
  });
});
