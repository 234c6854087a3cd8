import { channel, tracingChannel } from "node:diagnostics_channel";
import { inspect } from "node:util";
import {
  Client,
  ConnectError,
  type ConnectionEvents,
  MemcachedError,
  NotSupportedError,
} from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gate } from "../support/gate.js";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";

let memcached: Memcached;
let client: Client;
beforeAll(async () => {
  memcached = await startMemcached();
  client = new Client(memcached.address);
});
afterAll(async () => {
  await client.close();
  await memcached[Symbol.asyncDispose]();
});

describe("client.stats()", () => {
  test("counts by server", async () => {
    await using counted = new Client(memcached.address);
    const stats = () => counted.stats().get(memcached.address)!;
    expect(stats()).toEqual({
      connected: false,
      operations: 0,
      hits: 0,
      misses: 0,
      errors: 0,
      timeouts: 0,
      bytesRead: 0,
      bytesWritten: 0,
      connects: 0,
      connectErrors: 0,
      waiting: 0,
      inFlight: 0,
      latency: { count: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 },
      state: "up",
      remembered: 0,
      rejoinFlushes: 0,
      rejoinDeletions: 0,
    });
    await counted.set("stats:a", "1");
    await counted.set("stats:b", "2", { noreply: true });
    await Promise.all([counted.get("stats:a"), counted.get("stats:none"), counted.get("stats:b")]);
    await counted.getMulti(["stats:a", "stats:b", "stats:c", "stats:d", "stats:e"]);
    await counted.getAndTouch("stats:a", 0);
    await counted.getAndTouch("stats:none", 0);
    await outcome(counted.incr("stats:a", 1));
    await counted.append("stats:a", "x");
    await outcome(counted.incr("stats:a", 1));
    expect(stats()).toMatchObject({
      connected: true,
      operations: 11,
      hits: 5,
      misses: 5,
      errors: 1,
      timeouts: 0,
      connects: 1,
      waiting: 0,
      inFlight: 0,
      latency: { count: 10 },
    });
    const { bytesRead, bytesWritten, latency } = stats();
    expect(bytesRead).toBeGreaterThan(100);
    expect(bytesWritten).toBeGreaterThan(100);
    expect(latency.p50).toBeGreaterThan(0);
    expect(latency.max).toBeGreaterThanOrEqual(latency.p999);
    counted.disconnectAll();
    await counted.get("stats:a");
    expect(stats()).toMatchObject({ connects: 2 });
  });

  test("counts what the wire has no words for as an error, and not as an operation", async () => {
    await using binary = new Client(memcached.address, { binary: true });
    await binary.version();
    expect(await outcome(binary.metaGet("k", { returnTtl: true }))).toBeInstanceOf(
      NotSupportedError,
    );
    expect(binary.stats().get(memcached.address)).toMatchObject({ operations: 1, errors: 1 });
  });

  test("tells what waits", async () => {
    await using server = await ScriptedServer.start();
    const waiting = new Client(server.address, { timeoutMs: 500 }); // connecting is part of it
    const call = outcome(waiting.get("k"));
    expect(waiting.stats().get(server.address)).toMatchObject({ waiting: 1, inFlight: 0 });
    await until(() => server.received !== "");
    expect(waiting.stats().get(server.address)).toMatchObject({ waiting: 0, inFlight: 1 });
    await call;
    expect(waiting.stats().get(server.address)).toMatchObject({ errors: 1, timeouts: 1 });
    await waiting.close();
  });
});

describe("events", () => {
  test("tell when connections come and go, and why", async () => {
    const seen: unknown[] = [];
    await using server = await ScriptedServer.start((connection, number) => {
      connection.onLine(() => connection.send(number === 1 ? "END\r\nEND\r\n" : "END\r\n"));
    });
    const watched = new Client(server.address);
    const types = ["connect", "disconnect", "connectError"] as const;
    for (const type of types) {
      watched.on(type, (event: ConnectionEvents[typeof type]) => seen.push([type, event]));
    }
    await watched.get("k");
    await until(() => seen.length === 2);
    await watched.get("k");
    await watched.close();
    const { address } = server;
    expect(seen).toEqual([
      ["connect", { server: address }],
      [
        "disconnect",
        { server: address, error: expect.objectContaining({ name: "ProtocolError" }) },
      ],
      ["connect", { server: address }],
      ["disconnect", { server: address, error: undefined }],
    ]);
  });

  test("are not told to those who are off", async () => {
    const seen: unknown[] = [];
    const listener = (event: unknown) => seen.push(event);
    const watched = new Client(memcached.address);
    watched.on("connect", listener).off("connect", listener);
    await watched.get("k");
    await watched.close();
    expect(seen).toEqual([]);
  });
});

/** Collects what a tracing channel says while something runs. */
async function traced(name: string, run: () => Promise<unknown>): Promise<[string, unknown][]> {
  const traces = tracingChannel(name);
  const seen: [string, unknown][] = [];
  const on = (event: string) => (message: unknown) =>
    seen.push([event, { ...(message as object) }]);
  const subscribers = {
    start: on("start"),
    end: on("end"),
    asyncStart: on("asyncStart"),
    asyncEnd: on("asyncEnd"),
    error: on("error"),
  };
  traces.subscribe(subscribers);
  try {
    await run();
  } finally {
    traces.unsubscribe(subscribers);
  }
  return seen;
}

describe("diagnostics channels", () => {
  test("tslibmc:command traces a call about one key", async () => {
    const seen = await traced("tslibmc:command", () => client.set("traced", 1));
    const message = { command: "set", key: "traced", server: memcached.address };
    expect(seen).toEqual([
      ["start", message],
      ["end", message],
      ["asyncStart", message],
      ["asyncEnd", message],
    ]);
  });

  test("tslibmc:command traces one that fails", async () => {
    await client.set("traced", "text");
    const seen = await traced("tslibmc:command", () => outcome(client.incr("traced")));
    const error = expect.any(MemcachedError);
    expect(seen.map(([event]) => event)).toEqual([
      "start",
      "end",
      "error",
      "asyncStart",
      "asyncEnd",
    ]);
    expect(seen.at(-1)?.[1]).toMatchObject({ command: "incr", error });
  });

  test("tslibmc:batch traces a call on many keys, and on every server", async () => {
    const seen = await traced("tslibmc:batch", async () => {
      await client.getMulti(["a", "b"]);
      await client.setMulti({ a: 1, b: 2 });
      await client.version();
    });
    const started = seen.filter(([event]) => event === "start").map(([, message]) => message);
    expect(started).toEqual([
      { command: "getMulti", size: 1 },
      { command: "setMulti", size: 2 },
      { command: "version", size: 1 },
    ]);
    expect(seen.filter(([event]) => event === "asyncEnd")).toHaveLength(3);
  });

  test.each<[string, string, (client: Client, options: object) => Promise<unknown>]>([
    ["command", "set", (client, options) => client.set("k", 1, options)],
    ["command", "get", (client, options) => client.get("k", options)],
    ["batch", "getMulti", (client, options) => client.getMulti(["k", "j"], options)],
    ["batch", "setMulti", (client, options) => client.setMulti({ k: 1, j: 2 }, options)],
    ["batch", "deleteMulti", (client, options) => client.deleteMulti(["k", "j"], options)],
  ])(
    "tslibmc:%s traces %s where it waits for a value in the making",
    async (kind, command, call) => {
      const { serializer, open } = new Gate();
      await using waiting = new Client(memcached.address, { serializer });
      const events = (seen: [string, unknown][]) => seen.map(([event]) => event);
      const first = waiting.set("k", 0);
      const late = await traced(`tslibmc:${kind}`, () => outcome(call(waiting, { timeoutMs: 30 })));
      expect(events(late)).toEqual(["start", "end", "error", "asyncStart", "asyncEnd"]);
      expect(late.at(-1)?.[1]).toMatchObject({ command, error: { name: "TimeoutError" } });
      const sent = await traced(`tslibmc:${kind}`, async () => {
        const called = call(waiting, {});
        setTimeout(open, 10);
        await Promise.all([first, called]);
      });
      // The call that waited first began before anybody listened.
      expect(events(sent)).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    },
  );

  test("tslibmc:command traces a read until its value is decoded", async () => {
    await client.set("traced", Buffer.from("1"));
    const { serializer, open } = new Gate();
    await using waiting = new Client(memcached.address, { serializer });
    const read = (options: object) =>
      traced("tslibmc:command", () => outcome(waiting.get("traced", options)));
    const late = await read({ timeoutMs: 30 });
    expect(late.map(([event]) => event)).toEqual([
      "start",
      "end",
      "error",
      "asyncStart",
      "asyncEnd",
    ]);
    expect(late.at(-1)?.[1]).toMatchObject({ command: "get", error: { name: "TimeoutError" } });
    setTimeout(open, 10);
    const seen = await read({});
    expect(seen.map(([event]) => event)).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
  });

  test.each<[string, (client: Client, options: object) => Promise<unknown>]>([
    ["getMulti", (client, options) => client.getMulti(["k"], options)],
    ["deleteMulti", (client, options) => client.deleteMulti(["k"], options)],
    ["version", (client, options) => client.version(options)],
  ])("tslibmc:batch ends the trace of a %s whose options are wrong", async (_, call) => {
    for (const options of [{ timeoutMs: -1 }, { signal: 1 }]) {
      const seen = await traced("tslibmc:batch", () => outcome(call(client, options)));
      const starts = seen.filter(([event]) => event === "start");
      expect(seen.filter(([event]) => event === "asyncEnd")).toHaveLength(starts.length);
    }
  });

  test("tslibmc:connect and tslibmc:connection follow the connection", async () => {
    const states: unknown[] = [];
    const listener = (message: unknown) => states.push(message);
    channel("tslibmc:connection").subscribe(listener);
    const { address } = memcached;
    const seen = await traced("tslibmc:connect", async () => {
      const connecting = new Client(address);
      await connecting.get("k");
      await connecting.close();
    });
    channel("tslibmc:connection").unsubscribe(listener);
    expect(seen.map(([event]) => event)).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    expect(seen[0]?.[1]).toEqual({ server: address });
    expect(states).toMatchObject([
      { server: address, state: "connecting" },
      { server: address, state: "open" },
      { server: address, state: "closed" },
    ]);
  });

  test("tslibmc:server follows a server's health, and stats() says what it is", async () => {
    await using server = await startMemcached();
    await using watched = new Client(server.address, { behaviors: { failure_limit: 2 } });
    const state = () => watched.stats().get(server.address)?.state;
    const changes: unknown[] = [];
    const events: unknown[] = [];
    const listener = (message: unknown) => changes.push(message);
    watched.on("health", (event) => events.push(event));
    channel("tslibmc:server").subscribe(listener);
    await watched.get("k");
    expect(state()).toBe("up");
    await server.kill();
    await outcome(watched.get("k"));
    await until(() => state() === "dead");
    await server.restart();
    await until(() => state() === "up");
    channel("tslibmc:server").unsubscribe(listener);
    const { address } = server;
    expect(changes).toMatchObject([
      { server: address, state: "failing", previous: "up", error: expect.any(MemcachedError) },
      { server: address, state: "dead", previous: "failing", error: expect.any(MemcachedError) },
      { server: address, state: "up", previous: "dead", error: undefined },
    ]);
    expect(events).toEqual(changes);
  });

  test("tslibmc:connect traces an attempt that fails", async () => {
    await using dead = new Client("/tmp/nobody-listens-here.sock");
    const seen = await traced("tslibmc:connect", () => outcome(dead.get("k")));
    expect(seen.map(([event]) => event)).toEqual([
      "start",
      "end",
      "error",
      "asyncStart",
      "asyncEnd",
    ]);
    expect(seen[2]?.[1]).toMatchObject({ error: expect.any(ConnectError) });
  });

  test("tslibmc:connect and the event connectError tell of an attempt that disconnectAll() ends", async () => {
    await using server = await ScriptedServer.start();
    const connecting = new Client(server.address, { username: "user", password: "secret" });
    const told: unknown[] = [];
    connecting.on("connectError", (event) => told.push(event));
    const seen = await traced("tslibmc:connect", async () => {
      const call = outcome(connecting.get("k"));
      await until(() => server.received !== "");
      connecting.disconnectAll();
      expect(await call).toMatchObject({ sent: false });
    });
    const events = ["start", "end", "error", "asyncStart", "asyncEnd"];
    expect(seen.map(([event]) => event)).toEqual(events);
    expect(told).toMatchObject([{ server: server.address, retryInMs: 0 }]);
    await connecting.close();
  });

  test.each(["tslibmc:command", "tslibmc:batch", "tslibmc:connect"])(
    "%s has one message in all of a trace",
    async (name) => {
      const messages: unknown[] = [];
      const note = (message: unknown) => void messages.push(message);
      const subscribers = { start: note, end: note, asyncStart: note, asyncEnd: note, error: note };
      const dead = new Client("/tmp/nobody-listens-here.sock");
      tracingChannel(name).subscribe(subscribers);
      await outcome(name === "tslibmc:batch" ? dead.getMulti(["k"]) : dead.get("k"));
      tracingChannel(name).unsubscribe(subscribers);
      await dead.close();
      expect(messages).toHaveLength(5);
      expect(new Set(messages).size).toBe(1);
    },
  );
});

test("a password is in no error, event, trace or inspection", async () => {
  const password = "pass-word-of-nobody";
  await using server = await ScriptedServer.start((connection) =>
    connection.onLine((line) => {
      if (line.startsWith("set ")) connection.send("CLIENT_ERROR authentication failure\r\n");
    }),
  );
  const secret = new Client(server.address, { username: "user", password });
  const told: unknown[] = [secret];
  secret.on("connectError", (event) => told.push(event));
  const names = ["tslibmc:command", "tslibmc:batch", "tslibmc:connect"];
  const run = names.reduce<() => Promise<unknown>>(
    (inner, name) => async () => void told.push(await traced(name, inner)),
    async () => void told.push(await outcome(secret.get("k")), secret.stats()),
  );
  await run();
  await secret.close();
  expect(told.length).toBeGreaterThan(5);
  const shown = inspect(told, { depth: 20, showHidden: true });
  expect(shown).toContain("AuthError");
  expect(shown).not.toContain(password);
});
