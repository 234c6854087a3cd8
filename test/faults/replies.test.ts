import {
  Client,
  ClientErrorReply,
  ConnectionClosedError,
  ProtocolError,
  ServerErrorReply,
  TimeoutError,
  UnknownCommandReply,
  ValueTooLargeError,
} from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { statsRequest } from "../../src/commands/admin.js";
import { setRequest } from "../../src/commands/storage.js";
import { parseAddress } from "../../src/connection/address.js";
import { Connection } from "../../src/connection/connection.js";
import { Turnstile } from "../../src/connection/turnstile.js";
import { Operation } from "../../src/operation.js";
import type { Reply } from "../../src/protocol/reply.js";
import { type Request, VERSION_REQUEST } from "../../src/protocol/request.js";
import { TextWire } from "../../src/protocol/text/wire.js";
import { createCodec } from "../../src/value/factory.js";
import { type Memcached, memcachedVersion, startMemcached } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { answers, type Script, ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { clientOf, use } from "../support/use.js";

/** Scenarios of the fault catalogue about replies; the numbers are the catalogue's. */

async function scripted(script: Script, options = {}) {
  const server = use(await ScriptedServer.start(script));
  return { server, client: clientOf(server.address, { timeoutMs: 5_000, ...options }) };
}

/** The first connection is played by a script, and the next by a server that answers `get` with a miss. */
function first(script: Script): Script {
  return (connection, number) => {
    if (number === 1) script(connection, number);
    else connection.onLine((line) => connection.send(line.startsWith("get") ? "END\r\n" : ""));
  };
}

describe("a request meets a connection that its peer has closed", () => {
  test("what can do no harm goes out once more, on a new connection", async () => {
    const { server, client } = await scripted(
      first((connection) => connection.onLine(() => connection.socket.resetAndDestroy())),
    );
    expect(await client.get("k")).toBeUndefined();
    expect(server.connections.length).toBe(2);
  });

  test("for the rest nobody knows, and the error says so", async () => {
    const { client } = await scripted(
      first((connection) => connection.onLine(() => connection.socket.destroy())),
    );
    const error = await outcome(client.incr("k"));
    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toMatchObject({ sent: true, command: "incr" });
  });

  test("it goes out twice and no more", async () => {
    const { server, client } = await scripted((connection) =>
      connection.onLine(() => connection.socket.destroy()),
    );
    expect(await outcome(client.get("k"))).toBeInstanceOf(ConnectionClosedError);
    expect(server.received).toBe("get k\r\nget k\r\n");
  });
});

describe("half a reply, then the end", () => {
  const reply = "VALUE k 0 5\r\nvalue\r\nEND\r\n";
  const cuts = Array.from(reply, (_, i) => i);

  test.each(["FIN", "RST"])("a value is whole or it is not, by %s", async (how) => {
    for (const cut of cuts) {
      const { client } = await scripted((connection) =>
        connection.onLine(() => {
          connection.socket.write(reply.slice(0, cut), "latin1", () => {
            if (how === "FIN") connection.socket.end();
            else connection.socket.resetAndDestroy();
          });
        }),
      );
      const settled = await outcome(client.get("k"));
      // The value itself is whole before its END has come.
      if (cut >= 20 && !(settled instanceof Error)) expect(settled).toEqual(Buffer.from("value"));
      else expect(settled).toBeInstanceOf(ConnectionClosedError);
    }
  });

  test("a many-key read without its END fails, and keeps what did arrive", async () => {
    const { client } = await scripted((connection) =>
      connection.onLine(() => connection.socket.end("VALUE a 0 1\r\n1\r\n")),
    );
    await expect(client.getMulti(["a", "b"])).rejects.toMatchObject({
      name: "PartialError",
      results: new Map([["a", Buffer.from("1")]]),
    });
  });
});

describe("late reply", () => {
  test("it is eaten in its place, and the connection goes on", async () => {
    const { server, client } = await scripted((connection) => {
      connection.onLine((line) => {
        if (line !== "get next") return;
        connection.send("VALUE late 0 1\r\nx\r\nEND\r\n");
        setTimeout(() => connection.send("VALUE next 0 1\r\ny\r\nEND\r\n"), 50);
      });
    });
    const late = outcome(client.get("late", { timeoutMs: 300 })); // connecting is part of it
    expect(await late).toBeInstanceOf(TimeoutError);
    expect(await client.get("next")).toEqual(Buffer.from("y"));
    expect(server.connections.length).toBe(1);
  });

  test("the time is over for one of a shared line alone", async () => {
    const { server, client } = await scripted((connection) => connection.onLine(() => {}));
    const both = [client.get("a", { timeoutMs: 300 }), client.get("b")].map(outcome);
    expect(await both[0]).toBeInstanceOf(TimeoutError);
    server.connections[0]?.send("VALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nEND\r\n");
    expect(await both[1]).toEqual(Buffer.from("2"));
  });
});

describe("a reply for another", () => {
  test.each([
    ["another key", "VALUE other 0 1\r\nx\r\nEND\r\n"],
    ["a surplus item", "VALUE k 0 1\r\nx\r\nVALUE other 0 1\r\nx\r\nEND\r\n"],
  ])("%s is given to nobody, and all in flight fail", async (_, reply) => {
    const { server, client } = await scripted(
      first((connection) =>
        connection.onLine((line) => line === "get k" && connection.send(reply)),
      ),
    );
    const calls = [client.gets("before"), client.get("k"), client.gets("after")].map(outcome);
    const settled = await Promise.all(calls);
    expect(settled[0]).toBeInstanceOf(ProtocolError);
    expect(settled[2]).toBeInstanceOf(ProtocolError);
    expect(settled[2]).toMatchObject({ sent: true });
    expect(await client.get("later")).toBeUndefined();
    expect(server.connections.length).toBe(2);
  });

  test("another opaque", async () => {
    const { client } = await scripted(answers("VA 1 Oother f0\r\nx\r\n"));
    await expect(client.metaGet("k", { opaque: "mine" })).rejects.toThrow(ProtocolError);
  });

  test("reordered items of a many-key read reach their own keys", async () => {
    const { client } = await scripted(
      answers("VALUE c 16 1\r\n3\r\nVALUE a 16 1\r\n1\r\nVALUE b 16 1\r\n2\r\nEND\r\n"),
    );
    const expected = { a: "1", b: "2", c: "3" };
    expect(Object.fromEntries(await client.getMulti(["a", "b", "c"]))).toEqual(expected);
  });
});

test("a reply that nobody asked for ends the connection as it comes", async () => {
  const { server, client } = await scripted((connection, number) => {
    connection.onLine(() =>
      connection.send(number === 1 ? "END\r\nVALUE k 0 1\r\nx\r\n" : "END\r\n"),
    );
  });
  const ended = new Promise((resolve) => client.on("disconnect", ({ error }) => resolve(error)));
  expect(await client.get("k")).toBeUndefined();
  expect(await ended).toBeInstanceOf(ProtocolError);
  expect(await client.get("k")).toBeUndefined();
  expect(server.connections.length).toBe(2);
});

describe("one byte at a time", () => {
  const trickle =
    (reply: string, everyMs: number): Script =>
    (connection) => {
      connection.onLine(() => {
        const bytes = [...reply];
        const timer = setInterval(() => {
          connection.send(bytes.shift() ?? "");
          if (bytes.length === 0 || connection.socket.destroyed) clearInterval(timer);
        }, everyMs);
      });
    };

  test("is the right answer if it comes in time", async () => {
    const { client } = await scripted(trickle("VALUE k 0 5\r\nvalue\r\nEND\r\n", 1));
    expect(await client.get("k")).toEqual(Buffer.from("value"));
  });

  test("does not put off the deadline, and ends the connection in the end", async () => {
    const { server, client } = await scripted(trickle(`VALUE k 0 5000\r\n${"x".repeat(5000)}`, 5), {
      timeoutMs: 50,
      stallTimeoutMs: 200,
    });
    expect(await outcome(client.get("k"))).toBeInstanceOf(TimeoutError);
    await until(() => server.connections[0]?.socket.destroyed === true);
    expect(client.stats().get(server.address)).toMatchObject({ connected: false });
  });
});

test("a length that cannot be is refused before anything is allocated", async () => {
  const before = process.memoryUsage().arrayBuffers;
  for (const length of [2 ** 31, 2 ** 53, `1${"0".repeat(30)}`]) {
    const { client } = await scripted(answers(`VALUE k 0 ${length}\r\n`));
    await expect(client.get("k")).rejects.toThrow(ProtocolError);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
});

test("a line without end ends the connection, not the memory", async () => {
  let sent = 0;
  const { client } = await scripted((connection) => {
    connection.onLine(() => {
      const more = () => {
        while (!connection.socket.destroyed && sent < 100_000_000) {
          sent += 65_536;
          if (!connection.socket.write("x".repeat(65_536))) break;
        }
      };
      connection.socket.on("drain", more);
      more();
    });
  });
  await expect(client.get("k")).rejects.toThrow("a reply line is over 8192 bytes".slice(2));
  expect(sent).toBeLessThan(100_000_000);
});

test("a value without its CRLF is given to nobody", async () => {
  const { client } = await scripted(answers("VALUE k 0 1\r\nxxEND\r\n"));
  await expect(client.get("k")).rejects.toThrow(ProtocolError);
});

describe("an error in the middle of a batch", () => {
  test("is its own call's, where the framing is certain", async () => {
    const { server, client } = await scripted(
      answers(
        "DELETED\r\n",
        "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n",
        "ERROR\r\n",
        "TOUCHED\r\n",
      ),
    );
    const calls = [client.delete("a"), client.incr("b"), client.has("c"), client.touch("d", 1)];
    const [deleted, counted, had, touched] = await Promise.all(calls.map(outcome));
    expect(deleted).toBe(true);
    expect(counted).toBeInstanceOf(ClientErrorReply);
    expect(had).toMatchObject({ name: "NotSupportedError" });
    expect(touched).toBe(true);
    expect(server.connections.length).toBe(1);
  });

  test.each(["ERROR", "CLIENT_ERROR bad data chunk"])(
    "%s to a storage command poisons the connection",
    async (error) => {
      const { server, client } = await scripted(
        first((connection) =>
          connection.onLine((line) => line.startsWith("set") && connection.send(`${error}\r\n`)),
        ),
      );
      const [stored, read] = await Promise.all(
        [client.set("a", "get x"), client.incr("b")].map(outcome),
      );
      expect(stored).toBeInstanceOf(error === "ERROR" ? UnknownCommandReply : ClientErrorReply);
      expect(read).toBeInstanceOf(ProtocolError);
      expect(read).toMatchObject({ sent: true });
      expect(await client.get("c")).toBeUndefined();
      expect(server.connections.length).toBe(2);
    },
  );
});

describe("the program's own code fails while a reply is read", () => {
  class Careless extends Client {
    override deserialize(): never {
      this.disconnectAll();
      throw new RangeError("mine");
    }
  }

  test("its call fails with its error, and nothing shifts on the next connection", async () => {
    const items = "VALUE a 48 1\r\n1\r\nVALUE b 48 1\r\n2\r\nEND\r\n";
    const script: Script = (connection, number) =>
      connection.onLine((line) => {
        if (number === 1) connection.send(`${items}STORED\r\n`);
        else connection.send(line.startsWith("delete") ? "NOT_FOUND\r\n" : "");
      });
    const server = use(await ScriptedServer.start(script));
    const client = use(new Careless(server.address));
    const settled = await Promise.all([client.get("a"), client.get("b")].map(outcome));
    expect(settled[0]).toMatchObject({ name: "CodecError", cause: { message: "mine" } });
    expect(settled[1]).toBeInstanceOf(ConnectionClosedError);
    expect(await client.delete("c")).toBe(false);
    expect(server.connections.length).toBe(2);
  });
});

test("a proxy's errors are given on in its own words", async () => {
  const { client } = await scripted(answers("SERVER_ERROR Connection timed out\r\n"));
  await expect(client.get("k")).rejects.toMatchObject({
    code: "ERR_MEMCACHED_SERVER_ERROR",
    reply: "SERVER_ERROR Connection timed out",
  });
});

describe("with a real memcached", () => {
  let memcached: Memcached;
  let client: Client;
  beforeAll(async () => {
    memcached = await startMemcached({ args: ["-m", "2", "-M"] });
    client = new Client(memcached.address, { maxValueSize: 64 * 1024 * 1024 });
  });
  afterAll(async () => {
    await client.close();
    await memcached[Symbol.asyncDispose]();
  });

  test.each([
    ["END", "END\r\n"],
    ["an item", "VALUE x 0 1\r\nx\r\nEND\r\n"],
    ["NUL and CR", "\0\r\0\n\r"],
    ["nothing", ""],
  ])("a value of %s comes back byte for byte", async (_, value) => {
    await client.set("looks-alike", Buffer.from(value));
    expect(await client.get("looks-alike")).toEqual(Buffer.from(value));
  });

  test("values that end where chunks do", async () => {
    for (const border of [16_384, 65_536]) {
      for (let size = border - 40; size <= border + 2; size++) {
        const value = Buffer.alloc(size, "v");
        await client.set("border", value);
        const read = await client.get<Uint8Array>("border");
        if (read === undefined || !value.equals(read)) expect(read).toEqual(value);
      }
    }
    await client.delete("border");
  });

  test("out of memory is the server's error, and the connection goes on", async () => {
    const { connects } = client.stats().get(memcached.address)!;
    const writes = Array.from({ length: 10 }, (_, i) => client.set(`m${i}`, "x".repeat(400_000)));
    const settled = await Promise.all(writes.map(outcome));
    const refused = settled.filter((each) => each !== true);
    expect(refused.length).toBeGreaterThan(0);
    for (const each of refused) {
      expect(each).toBeInstanceOf(ServerErrorReply);
      expect(each).toMatchObject({ reply: "SERVER_ERROR out of memory storing object" });
    }
    expect(client.stats().get(memcached.address)).toMatchObject({ connects });
    await client.flushAll();
  });

  test("too large is an error with both sizes, and drops the old value", async () => {
    await client.set("large", "small");
    const error = await outcome(client.set("large", Buffer.alloc(2_000_000)));
    expect(error).toBeInstanceOf(ValueTooLargeError);
    expect(error).toMatchObject({ size: 2_000_000, limit: 1_048_576, sent: true });
    expect(error).toHaveProperty("message", expect.stringContaining("raise it (memcached -I)"));
    expect(await client.get("large")).toBeUndefined();
  });

  test("flags, cas tokens and counters at their limits", async () => {
    await client.set("flags", "v", { flags: 0xffffffe0 });
    expect((await client.metaGet("flags", { value: false, returnFlags: true }))?.flags).toBe(
      0xffffffe0,
    );
    await client.set("counter", 2n ** 64n - 2n);
    expect(await client.incr("counter", 1n)).toBe(2n ** 64n - 1n);
    expect(await client.incr("counter", 1n)).toBe(0n);
    expect(await client.decr("counter", 5)).toBe(0);
    const item = await client.gets("counter");
    expect(typeof item?.cas).toBe("bigint");
  });

  test("a meta flag that the server does not know is an error, and no other call's answer", async () => {
    await client.set("meta", "v");
    const calls = [client.metaGet("meta", { setCas: 5n }), client.get("meta")];
    const [told, read] = await Promise.all(calls.map(outcome));
    const knowsFlag = memcachedVersion().localeCompare("1.6.27", "en", { numeric: true }) >= 0;
    expect(told).toMatchObject(
      knowsFlag ? { value: "v" } : { message: expect.stringContaining("memcached 1.6.27") },
    );
    expect(read).toBe("v");
  });

  test("a body that the server takes for commands costs the connection, and shifts no answer", async () => {
    const failed: string[] = [];
    const connection = new Connection({
      address: parseAddress(memcached.address),
      wire: () => new TextWire(),
      socket: {},
      tls: undefined,
      greet: undefined,
      connecting: { connectTimeoutMs: 1_000 },
      stallTimeoutMs: 5_000,
      backoff: { retryTimeoutMs: 2_000 },
      limits: { maxOperations: 100, maxBytes: 1_000_000, waits: false },
      turnstile: new Turnstile(1),
      onEvent: () => {},
      onReply: () => {},
      onFailure: () => {},
      onLost: () => false,
      onUnsent: () => {},
      onFailed: () => {},
      onRefused: (operation, { text }) => {
        failed.push(text);
        operation.fail(new ServerErrorReply(text, text));
      },
    });
    const run = (request: Request) =>
      new Promise((resolve, reject) => {
        const command = { name: request.verb, idempotent: false, read: (reply: Reply) => reply };
        const deadline = performance.now() + 5_000;
        connection.execute(
          new Operation(command, request, "", createCodec({}), deadline, resolve, reject),
        );
      });
    // No client would send this key: it is what 1.6.18 answers with an error, and then runs the value.
    const settled = await Promise.all(
      [
        run(setRequest("set", "k".repeat(251), "version", 0, 0, undefined, false)),
        run(statsRequest("settings")),
      ].map(outcome),
    );
    expect(settled[0]).toBeInstanceOf(ServerErrorReply);
    expect(settled[1]).toBeInstanceOf(ProtocolError);
    expect(failed).toHaveLength(1);
    expect(await run(VERSION_REQUEST)).toMatchObject({ kind: "text" });
    connection.end();
  });
});
