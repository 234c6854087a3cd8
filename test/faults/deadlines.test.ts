import type { LookupFunction } from "node:net";
import {
  type ClientOptions,
  ConnectionClosedError,
  type SocketOptions,
  TimeoutError,
} from "tslibmc";
import { describe, expect, test } from "vitest";
import { messageOf } from "../../src/errors.js";
import { busy } from "../support/busy.js";
import { Authority } from "../support/certificates.js";
import { startMemcached } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { type Script, ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { clientOf, PATIENT, use } from "../support/use.js";

async function silent(script: Script = () => {}): Promise<ScriptedServer> {
  return use(await ScriptedServer.start(script));
}

/** What a call that fails has to say. */
async function message(call: Promise<unknown>): Promise<string> {
  return messageOf(await outcome(call));
}

describe("a server that stopped", () => {
  test("every call is settled by its deadline while traffic goes on, and it recovers by itself", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, {
      timeoutMs: 300,
      stallTimeoutMs: 60_000,
      behaviors: { failure_limit: 1_000_000 },
    });
    await client.set("k", "v", PATIENT);
    await memcached.pause();
    let settled = 0;
    const calls: Promise<unknown>[] = [];
    const call = async (i: number) => {
      const result = await outcome(i % 2 === 0 ? client.get("k") : client.set("k", "w"));
      settled++;
      return result;
    };
    // It would go on for ever if traffic put the deadlines off.
    while (settled < 20_000) {
      for (let i = 0; i < 200; i++) calls.push(call(i));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const result of await Promise.all(calls)) expect(result).toBeInstanceOf(TimeoutError);

    const { connects } = client.stats().get(memcached.address)!;
    memcached.resume();
    await until(() => client.stats().get(memcached.address)!.inFlight === 0);
    expect(["v", "w"]).toContain(await client.get("k", PATIENT));
    expect(client.stats().get(memcached.address)).toMatchObject({ connects });
  });

  test("once it is dead, a client's end does not wait for its answer to a probe", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, {
      timeoutMs: 200,
      connectTimeoutMs: 60_000,
      stallTimeoutMs: 60_000,
      behaviors: { failure_limit: 1 },
    });
    const stats = () => client.stats().get(memcached.address)!;
    await client.set("k", "v", PATIENT);
    await memcached.pause();
    await until(async () => {
      await outcome(client.get("k"));
      return stats().state === "dead";
    });
    await until(() => stats().inFlight === 1);
    await client.close({ drainMs: 60_000 }); // longer than a test may take
    expect(stats().inFlight).toBe(0);
  });

  test("the connection is given up when nothing came for stallTimeoutMs", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, { timeoutMs: 10_000, stallTimeoutMs: 200 });
    await client.set("k", "v");
    await memcached.pause();
    const error = await outcome(client.get("k"));
    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toMatchObject({ sent: true });
    memcached.resume();
    expect(await client.get("k")).toBe("v");
  });

  test("that is not read, too, by a program that wants no replies", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, { timeoutMs: 100, stallTimeoutMs: 200 });
    await client.set("k", "v", PATIENT);
    await memcached.pause();
    const value = Buffer.alloc(500_000);
    await Promise.all(
      Array.from({ length: 40 }, () => outcome(client.set("k", value, { noreply: true }))),
    );
    await until(() => !client.stats().get(memcached.address)!.connected);
    memcached.resume();
    expect(await client.set("after", 1, PATIENT)).toBe(true);
  });
});

test("the deadline covers connecting, and says that nothing was sent", async () => {
  const server = await silent();
  const client = clientOf(server.address, { timeoutMs: 100, tls: true, connectTimeoutMs: 60_000 });
  const error = await outcome(client.get("k"));
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error).toMatchObject({
    sent: false,
    message: expect.stringMatching("no connection within 100 ms$"),
  });
  // Its time began with the call, and a busy machine may take some of it before it waits.
  const many = await outcome(client.setMulti({ a: 1 }, { timeoutMs: 150 }));
  expect(many).toMatchObject({
    message: expect.stringMatching(/no connection within \d+ ms$/),
  });
});

test("a deadline that passed says how long it was, and how much else the server owes", async () => {
  const memcached = use(await startMemcached());
  const client = clientOf(memcached.address, {
    timeoutMs: 200,
    stallTimeoutMs: 60_000,
    behaviors: { failure_limit: 1_000_000 },
  });
  await client.set("k", "v", PATIENT);
  await memcached.pause();
  const name = memcached.address;
  expect(await message(client.get("k"))).toBe(
    `get timed out at ${name}: its reply did not come within 200 ms`,
  );
  expect(await message(client.incr("k", 1, { timeoutMs: 60 }))).toMatch(
    /its reply did not come within 60 ms, one of [23] that the server owes$/, // a probe may be one
  );
  const large = Buffer.alloc(1_000_000);
  const calls = Array.from({ length: 30 }, () => outcome(client.set("large", large)));
  const unsent = await message(client.get("k"));
  expect(unsent).toBe(`get timed out at ${name}: it could not be sent within 200 ms`);
  await Promise.all(calls);
  memcached.resume();
});

test("a call that lost its connection and waits for the next one says that", async () => {
  const server = await silent((connection) => {
    connection.onLine((line) => {
      if (line === "get k") connection.socket.destroy();
      else connection.send("END\r\n");
    });
  });
  let lookups = 0;
  const lookup: LookupFunction = (_, __, found) => {
    if (++lookups === 1) found(null, [{ address: "127.0.0.1", family: 4 }]);
  };
  const client = clientOf(server.address.replace("127.0.0.1", "some.host"), {
    timeoutMs: 500,
    socket: { lookup },
  });
  await client.get("first", PATIENT);
  expect(await outcome(client.get("k"))).toMatchObject({
    sent: true,
    message: expect.stringMatching("^get timed out at .* no second connection within 500 ms$"),
  });
});

describe("a program that is busy", () => {
  test("reads a reply that is there, and then looks at its deadline", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, { timeoutMs: 100 });
    await client.set("k", "v", PATIENT);
    const read = client.get("k");
    await new Promise((resolve) => setImmediate(resolve)); // the request is on its way
    busy(1_500); // in which a starved machine gets to the server, too
    expect(await read).toBe("v");
  });

  /** What comes of a call after which the program is busy for longer than connecting may take. */
  async function connectBusily(servers: string, options: ClientOptions) {
    const behaviors = { failure_limit: 1 };
    const client = clientOf(servers, { timeoutMs: 10_000, behaviors, ...options });
    const states: string[] = [];
    client.on("health", ({ state }) => states.push(state));
    const read = outcome(client.get("k"));
    busy(1_200);
    expect(await read).toBeUndefined();
    expect(states).toEqual([]);
  }

  test("while it connects finds its server by its name", async () => {
    const { port } = use(await startMemcached());
    await connectBusily(`localhost:${port}`, {});
    const lookup: SocketOptions["lookup"] = (_, { all }, done) => {
      const answer = () =>
        all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
      setImmediate(() => setTimeout(answer, 100));
    };
    await connectBusily(`name.test:${port}`, { socket: { lookup } });
  });

  test("while it connects shakes hands with its server", async () => {
    using authority = new Authority("authority of the busy");
    const { certFile, keyFile } = authority.issue("server", ["IP:127.0.0.1"]);
    const args = ["-Z", "-o", `ssl_chain_cert=${certFile},ssl_key=${keyFile}`];
    const memcached = use(await startMemcached({ args }));
    await connectBusily(memcached.address, { tls: { ca: authority.cert } });
  });

  test("takes no server for dead or stalled for the time that it was not looking", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, {
      timeoutMs: 300,
      stallTimeoutMs: 1_000,
      behaviors: { failure_limit: 1 },
    });
    const states: string[] = [];
    client.on("health", ({ state }) => states.push(state));
    await client.set("k", "v", PATIENT);
    await memcached.pause();
    const read = outcome(client.get("k"));
    await new Promise((resolve) => setImmediate(resolve)); // the request is on its way
    busy(1_500);
    expect(await read).toBeInstanceOf(TimeoutError);
    await new Promise((resolve) => setTimeout(resolve, 50));
    memcached.resume();
    const stats = () => client.stats().get(memcached.address)!;
    await until(() => stats().inFlight === 0);
    expect(stats()).toMatchObject({ connects: 1, connected: true });
    expect(states).toEqual([]);
  });

  test("all the time still ends its calls and its attempts to connect", async () => {
    const server = await silent();
    const ends: string[] = [];
    const turns = setInterval(() => busy(70), 1);
    const connects = clientOf(server.address, { tls: true, connectTimeoutMs: 150 });
    const asks = clientOf(server.address, { timeoutMs: 150 });
    const errors = [connects.get("k", { timeoutMs: 60_000 }), asks.get("k")].map(outcome);
    try {
      ends.push(...(await Promise.all(errors)).map((error) => (error as Error).name));
    } finally {
      clearInterval(turns);
    }
    expect(ends).toEqual(["ConnectError", "TimeoutError"]);
  });
});

describe("abort", () => {
  const reason = new Error("mine");

  test("before the call: nothing is sent", async () => {
    const server = await silent();
    const client = clientOf(server.address, PATIENT);
    const signal = AbortSignal.abort(reason);
    expect(await outcome(client.get("k", { signal }))).toBe(reason);
    expect(await outcome(client.getMulti(["a", "b"], { signal }))).toBe(reason);
    expect(server.connections.length).toBe(0);
  });

  test("while it waits to be sent: it leaves the queue unsent", async () => {
    const server = await silent((connection) => connection.socket.pause());
    const client = clientOf(server.address, { timeoutMs: 60_000, stallTimeoutMs: 60_000 });
    const large = Buffer.alloc(1_000_000);
    const stats = () => client.stats().get(server.address)!;
    const filling = Array.from({ length: 30 }, (_, i) => outcome(client.set(`fill${i}`, large)));
    await until(() => stats().connected && stats().waiting > 0);
    const { waiting } = stats();
    const controller = new AbortController();
    const calls = Array.from({ length: 1_000 }, () =>
      outcome(client.get("aborted", { signal: controller.signal })),
    );
    expect(stats().waiting).toBe(waiting + 1_000);
    controller.abort(reason);
    expect(new Set(await Promise.all(calls))).toEqual(new Set([reason]));
    await until(() => stats().waiting === waiting);
    server.connections[0]?.socket.resume();
    await until(() => stats().inFlight === 30);
    expect(server.received).not.toContain("aborted");
    client.disconnectAll();
    await Promise.all(filling);
  });

  test("in flight: its reply is eaten in its place", async () => {
    let answer = () => {};
    const server = await silent((connection) => {
      let lines = 0;
      connection.onLine(() => {
        if (++lines === 2) answer = () => connection.send("5\r\n6\r\n");
      });
    });
    const client = clientOf(server.address, PATIENT);
    const controller = new AbortController();
    const aborted = outcome(client.incr("a", 1, { signal: controller.signal }));
    const kept = client.incr("b");
    await until(() => server.received === "incr a 1\r\nincr b 1\r\n");
    controller.abort(reason);
    expect(await aborted).toBe(reason);
    answer();
    expect(await kept).toBe(6);
    expect(server.connections.length).toBe(1);
  });

  test("by a signal that is none of this realm's class", async () => {
    class Elsewhere extends EventTarget {
      aborted = false;
      readonly reason: Error = reason;
    }
    const signal = new Elsewhere();
    const server = await silent();
    const client = clientOf(server.address, PATIENT);
    const aborted = outcome(client.get("k", { signal: signal as EventTarget as AbortSignal }));
    await until(() => server.received === "get k\r\n");
    signal.aborted = true;
    signal.dispatchEvent(new Event("abort"));
    expect(await aborted).toBe(reason);
  });

  test("before its reply: those behind it still have their deadlines", async () => {
    const server = await silent();
    const client = clientOf(server.address, PATIENT);
    const controller = new AbortController();
    const aborted = outcome(client.incr("a", 1, { signal: controller.signal }));
    await until(() => server.received === "incr a 1\r\n"); // so that the next is sent in time
    const late = outcome(client.incr("b", 1, { timeoutMs: 300 }));
    await until(() => server.received === "incr a 1\r\nincr b 1\r\n");
    controller.abort(reason);
    expect(await aborted).toBe(reason);
    await new Promise((resolve) => setTimeout(resolve, 50)); // deadlines are looked at meanwhile
    server.connections[0]?.send("5\r\n");
    expect(await late).toBeInstanceOf(TimeoutError);
  });

  test("before the connection is lost: it is no loss, and goes out no more", async () => {
    const server = await silent();
    const client = clientOf(server.address, { ...PATIENT, behaviors: { failure_limit: 1 } });
    const states: string[] = [];
    client.on("health", ({ state }) => states.push(state));
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [client.get("a", { signal }), client.incr("b", 1, { signal })].map(outcome);
    await until(() => server.received === "get a\r\nincr b 1\r\n");
    controller.abort(reason);
    expect(await Promise.all(calls)).toEqual([reason, reason]);
    server.connections[0]?.socket.destroy();
    await until(() => !client.stats().get(server.address)!.connected);
    expect(client.stats().get(server.address)).toMatchObject({ state: "up", waiting: 0 });
    expect(states).toEqual([]);
  });

  test("after the reply: nothing", async () => {
    const server = await silent((connection) => connection.onLine(() => connection.send("5\r\n")));
    const client = clientOf(server.address, PATIENT);
    const controller = new AbortController();
    expect(await client.incr("a", 1, { signal: controller.signal })).toBe(5);
    controller.abort(reason);
    expect(await client.incr("a")).toBe(5);
  });

  test("no listener is left behind, however a call ends", async () => {
    const server = await silent((connection) =>
      connection.onLine((line) => {
        if (line.startsWith("incr")) connection.send("5\r\n");
        if (line.startsWith("delete")) connection.send("ERROR\r\n");
      }),
    );
    const client = clientOf(server.address, PATIENT);
    const { signal } = new AbortController();
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on("warning", warned);
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await client.incr("a", 1, { signal });
    await outcome(client.delete("a", { signal }));
    await outcome(client.get("a", { signal, timeoutMs: 50 }));
    await outcome(client.get("bad key", { signal }));
    const lost = outcome(client.gets("a", { signal }));
    client.disconnectAll();
    await lost;
    await Promise.all(Array.from({ length: 100 }, () => client.incr("a", 1, { signal })));
    expect(listeners).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", warned);
    expect(warnings).toEqual([]);
  });
});
