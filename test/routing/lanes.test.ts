import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import {
  Client,
  type ClientOptions,
  OptionError,
  type Servers,
  TimeoutError,
  UnknownCommandReply,
} from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { type Script, ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { clientOf, use } from "../support/use.js";

/** More than fits into one read, so that it counts as large. */
const LARGE = "b".repeat(70_000);

/** Nothing is to be evicted while results are compared. */
const ROOMY = { args: ["-m", "1024"] };

let server: Memcached;
beforeAll(async () => {
  server = await startMemcached(ROOMY);
});
afterAll(() => server[Symbol.asyncDispose]());

/** A client with a connection for large values. */
const lanesOf = (servers: Servers, options: ClientOptions = {}): Client =>
  clientOf(servers, { connections: 2, timeoutMs: 10_000, ...options });

const scripted = async (script: Script) => use(await ScriptedServer.start(script));

let prefixes = 0;
const freshPrefix = () => `lanes-${++prefixes}:`;
const own = (options: ClientOptions = {}) =>
  lanesOf(server.address, { keyPrefix: freshPrefix(), ...options });

const statsOf = (client: Client) => [...client.stats().values()][0]!;

describe("large values have connections of their own", () => {
  test("which are opened when they are needed", async () => {
    const client = own({ connections: 3 });
    await client.set("small", 1);
    await client.get("small");
    expect(statsOf(client).connects).toBe(1);
    await client.set("a", LARGE);
    expect(statsOf(client).connects).toBe(2);
    await client.set("b", LARGE);
    await client.set("c", LARGE);
    expect(statsOf(client).connects).toBe(3);
    expect(statsOf(client)).toMatchObject({ connected: true, waiting: 0, inFlight: 0 });
  });

  test.each([{}, { binary: true }])(
    "also those that turn out large when read (%j)",
    async (wire) => {
      const writer = own({ ...wire, connections: 1 });
      await writer.setMulti({ one: LARGE, many: LARGE, meta: LARGE, small: 1 });
      const { namespace } = writer.behaviors;
      for (const read of [
        (client: Client) => client.get("one"),
        (client: Client) => client.getMulti(["small", "many"]),
        (client: Client) => client.metaGet("meta"),
      ]) {
        const client = own({ ...wire, keyPrefix: namespace });
        await read(client);
        expect(statsOf(client).connects).toBe(1);
        await read(client);
        expect(statsOf(client).connects).toBe(2);
        await client.get("small");
        expect(statsOf(client).connects).toBe(2);
      }
    },
  );

  test("and of many keys that are read at once only those", async () => {
    const items = [
      ["small", "s"],
      ["big", LARGE],
    ];
    const fake = await scripted((connection) =>
      connection.onLine((line) => {
        if (line === "version") connection.send("VERSION 1.6.18\r\n");
        for (const [key = "", value = ""] of items) {
          if (line.split(" ").includes(key)) {
            connection.send(`VALUE ${key} 16 ${value.length}\r\n${value}\r\n`);
          }
        }
        if (line.startsWith("get ")) connection.send("END\r\n");
      }),
    );
    const client = lanesOf(fake.address);
    expect(await client.getMulti(["small", "big"])).toEqual(new Map(items as [string, string][]));
    for (const [key = "", value] of items) expect(await client.get(key)).toBe(value);
    expect(fake.connections.map(({ received }) => received)).toEqual([
      expect.stringMatching(/^get small big\r\nget small\r\nversion\r\n$/),
      "get big\r\n",
    ]);
  });

  test("and a server that refuses what is asked on the way there says so in its own words", async () => {
    const fake = await scripted((connection) =>
      connection.onLine((line) => {
        if (line.startsWith("get ")) connection.send("END\r\n");
        if (line === "version") connection.send("ERROR\r\n");
      }),
    );
    const client = lanesOf(fake.address);
    await client.get("small");
    const error = await outcome(client.set("big", LARGE));
    expect(error).toBeInstanceOf(UnknownCommandReply);
    const said = { reply: "ERROR", server: fake.address, command: "set", key: "big", sent: false };
    expect(error).toMatchObject(said);
  });

  /** Answers everything at once, but for `get big`. */
  const withholding: Script = (connection) =>
    connection.onLine((line) => {
      if (line === "version") connection.send("VERSION 1.6.18\r\n");
      else if (line.startsWith("get small")) connection.send("VALUE small 16 1\r\ns\r\nEND\r\n");
      else if (!/^(set|get) /.test(line)) connection.send("STORED\r\n");
    });

  test("so that nothing small waits behind them", async () => {
    const fake = await scripted(withholding);
    const client = lanesOf(fake.address);
    expect(await client.set("big", LARGE)).toBe(true);
    const big = client.get("big");
    await until(() => fake.received.includes("get big"));
    expect(await client.get("small")).toBe("s");
    const many = client.getMulti(["small", "big"]);
    expect(await client.get("small")).toBe("s");
    expect(statsOf(client).inFlight).toBe(2);
    const reply = `VALUE big 16 3\r\nbig\r\nEND\r\n`;
    fake.connections[1]?.send(reply + reply);
    expect(await big).toBe("big");
    expect(await many).toEqual(
      new Map([
        ["small", "s"],
        ["big", "big"],
      ]),
    );
    expect(fake.connections[0]?.received).not.toContain("big");
  });
});

/** A call on one of few keys, with a value that is large or not. */
const CALLS: Record<string, (client: Client, key: string, value: string) => Promise<unknown>> = {
  get: (client, key) => client.get(key),
  getMulti: (client, key) => client.getMulti([key, "a", "b", "none"]),
  getsMulti: async (client, key) => [...(await client.getsMulti(["a", key])).keys()].sort(),
  set: (client, key, value) => client.set(key, value),
  silent: (client, key, value) => client.set(key, value, { noreply: true }),
  add: (client, key, value) => client.add(key, value),
  replace: (client, key, value) => client.replace(key, value),
  append: (client, key, value) => client.append(key, value.slice(0, 40_000)),
  delete: (client, key) => client.delete(key),
  has: (client, key) => client.has(key),
  setMulti: (client, key, value) => client.setMulti({ [key]: value, c: "c" }),
};

const HEAVY = { heavy: "h".repeat(400_000), heavier: "h".repeat(500_000) };

const LONG_RUN = 60_000;

describe("calls on one key keep their order", () => {
  test.each<[string, ClientOptions]>([
    ["two connections", { connections: 2 }],
    ["five connections", { connections: 5 }],
    ["the binary protocol", { connections: 3, binary: true }],
    ["a copy of each item", { connections: 2, behaviors: { num_replicas: 1 } }],
  ])(
    "with %s, whatever their values' sizes",
    async (_, options) => {
      const second = use(await startMemcached(ROOMY));
      const servers = options.behaviors ? [server.address, second.address] : [server.address];
      const step = fc.tuple(
        fc.constantFrom(...Object.keys(CALLS)),
        fc.constantFrom("a", "b", "c"),
        fc.constantFrom("s", "small", LARGE),
        fc.boolean(),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const settings = { ...options, timeoutMs: 10_000, maxValueSize: 10_000_000 };
          const run = async (connections: number | undefined) => {
            const keyPrefix = freshPrefix();
            await using writer = new Client(servers, { ...settings, connections: 1, keyPrefix });
            await writer.setMulti(HEAVY);
            await using client = new Client(servers, { ...settings, connections, keyPrefix });
            for (const key of ["open", "all", "its", "connections"]) await client.set(key, LARGE);
            // Nobody knows yet that they are large, so they keep the first connection busy.
            const results: Promise<unknown>[] = Object.keys(HEAVY).map((key) => client.has(key));
            for (const key of Object.keys(HEAVY)) void client.get(key);
            for (const [call, key, value, waits] of steps) {
              const result = outcome(CALLS[call]!(client, key, value));
              results.push(result);
              if (waits) await result;
            }
            await client.flush();
            const left = await client.getMulti(["a", "b", "c"]);
            await client.flushAll();
            return [await Promise.all(results), left];
          };
          expect(await run(options.connections)).toEqual(await run(1));
        }),
        { numRuns: 40 },
      );
    },
    LONG_RUN,
  );

  test("cas and counters work on whichever connection they are", async () => {
    const client = own();
    await client.set("k", LARGE);
    const { cas } = (await client.gets("k"))!;
    expect(await client.cas("k", `${LARGE}!`, cas)).toBe(true);
    expect(await client.cas("k", LARGE, cas)).toBe(false);
    expect(await Promise.all([client.set("k", 1), client.incr("k", 2)])).toEqual([true, 3]);
  });
});

describe("what concerns a server concerns all of its connections", () => {
  test("flush waits for silent calls on each of them", async () => {
    const client = own({ connections: 3 });
    const keys = Array.from({ length: 30 }, (_, i) => `k${i}`);
    for (const [i, key] of keys.entries()) {
      void client.set(key, i % 2 === 0 ? LARGE : "small", { noreply: true });
    }
    await client.flush();
    const observer = own({ connections: 1, keyPrefix: client.behaviors.namespace });
    expect((await observer.getMulti(keys)).size).toBe(30);
  });

  test("flushAll empties it of what was stored before on each of them", async () => {
    const alone = use(await startMemcached());
    const client = lanesOf(alone.address);
    const stored = [client.set("small", 1), client.set("big", LARGE), client.set("big", LARGE)];
    await client.flushAll();
    expect(await Promise.all(stored)).toEqual([true, true, true]);
    expect(await client.getMulti(["small", "big"])).toEqual(new Map());
  });

  test("disconnectAll closes each, and the next calls open them again", async () => {
    const client = own();
    await client.setMulti({ small: 1, big: LARGE });
    client.disconnectAll();
    expect(statsOf(client).connected).toBe(false);
    expect(await client.getMulti(["small", "big"])).toEqual(
      new Map<string, unknown>([
        ["small", 1],
        ["big", LARGE],
      ]),
    );
    expect(statsOf(client).connects).toBe(4);
  });

  test("close lets what is under way finish, and what still waits for its connection", async () => {
    const client = own({ connections: 3 });
    const calls = [client.set("a", LARGE), client.set("b", 1), client.set("c", LARGE)];
    await client.close();
    expect(await Promise.all(calls)).toEqual([true, true, true]);
    await expect(client.get("a")).rejects.toMatchObject({
      code: "ERR_MEMCACHED_CONNECTION_CLOSED",
    });
  });

  test("a server that leaves the list finishes what it has", async () => {
    const client = own();
    const calls = [client.set("a", LARGE), client.set("a", 1), client.get("a")];
    client.setServers("127.0.0.1:1");
    expect(await Promise.all(calls)).toEqual([true, true, 1]);
  });

  test("a server that is started anew is found by both", async () => {
    const restarted = use(await startMemcached());
    const client = lanesOf(restarted.address);
    await client.setMulti({ small: 1, big: LARGE });
    await restarted.restart();
    await until(() => !statsOf(client).connected);
    expect(await Promise.all([client.get("small"), client.get("big")])).toEqual([
      undefined,
      undefined,
    ]);
    expect(await client.set("big", LARGE)).toBe(true);
    expect(await client.get("big")).toBe(LARGE);
  });
});

describe("what fails", () => {
  test("a call that waits for its connection has its own deadline, and was not sent", async () => {
    const mute = await scripted(() => {});
    const client = lanesOf(mute.address);
    const small = outcome(client.get("big"));
    await until(() => mute.received === "get big\r\n");
    const error = await outcome(client.set("big", LARGE, { timeoutMs: 50 }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ command: "set", sent: false, server: mute.address });
    expect(mute.received).toBe("get big\r\nversion\r\n");
    mute.connections[0]?.send("END\r\nVERSION 1.6.18\r\n");
    expect(await small).toBeUndefined();
  });

  test("a later call on a key does not pass one that is too late to wait for", async () => {
    const slow = await scripted(() => {});
    const client = lanesOf(slow.address);
    void outcome(client.set("k", "early", { timeoutMs: 300 }));
    await until(() => slow.received.endsWith("early\r\n"));
    await outcome(client.set("k", LARGE, { timeoutMs: 30 }));
    const late = client.set("k", "late");
    await until(() => slow.received.endsWith("version\r\nversion\r\n"));
    expect(slow.connections).toHaveLength(1);
    slow.connections[0]?.send("STORED\r\nVERSION 1.6.18\r\nVERSION 1.6.18\r\n");
    await until(() => slow.connections[1]?.received.endsWith("\r\nlate\r\n") === true);
    slow.connections[1]?.send("STORED\r\n");
    expect(await late).toBe(true);
  });

  test("an aborted call is never sent", async () => {
    const mute = await scripted(() => {});
    const client = lanesOf(mute.address);
    const controller = new AbortController();
    const call = outcome(client.set("big", LARGE, { signal: controller.signal }));
    await until(() => mute.received === "version\r\n");
    controller.abort();
    expect(await call).toMatchObject({ name: "AbortError" });
    mute.connections[0]?.send("VERSION 1.6.18\r\n");
    await until(() => statsOf(client).inFlight === 0);
    expect(statsOf(client)).toMatchObject({ waiting: 0, connects: 1 });
    expect(mute.received).toBe("version\r\n");
  });

  test("an aborted call on many keys is not sent where it was not yet", async () => {
    const mute = await scripted(() => {});
    const client = lanesOf(mute.address);
    const controller = new AbortController();
    const { signal } = controller;
    void outcome(client.set("big", LARGE, { signal }));
    await until(() => mute.received === "version\r\n");
    const call = outcome(client.getMulti(["small", "big"], { signal }));
    await until(() => mute.received === "version\r\nget small\r\nversion\r\n");
    controller.abort();
    expect(await call).toMatchObject({ name: "AbortError" });
    mute.connections[0]?.send("VERSION 1.6.18\r\nEND\r\nVERSION 1.6.18\r\n");
    await until(() => statsOf(client).inFlight === 0);
    expect(statsOf(client)).toMatchObject({ waiting: 0, connects: 1 });
    expect(mute.received).toBe("version\r\nget small\r\nversion\r\n");
  });

  test("a server with no room for a second connection gets everything on the first", async () => {
    const reply: Record<string, string> = {
      version: "VERSION 1.6.18\r\n",
      get: "END\r\n",
      [LARGE]: "STORED\r\n",
    };
    const full = await scripted((connection, number) => {
      if (number > 1) connection.send("ERROR Too many open connections\r\n");
      else connection.onLine((line) => connection.send(reply[line.split(" ", 1)[0]!] ?? ""));
    });
    const client = lanesOf(full.address, { behaviors: { failure_limit: 1 } });
    const states: string[] = [];
    client.on("health", ({ state }) => states.push(state));
    const calls = [client.set("big", LARGE), client.set("big", LARGE), client.get("big")];
    expect(await Promise.all(calls)).toEqual([true, true, undefined]);
    expect(await client.get("small")).toBeUndefined();
    await until(() => (full.connections[0]?.received.match(/version/g)?.length ?? 0) > 3);
    expect(await client.set("big", LARGE)).toBe(true);
    expect(states).toEqual([]);
  });

  test("a call waits behind those that went back to the first connection meanwhile", async () => {
    const full = await scripted((connection, number) => {
      if (number === 2) connection.send("ERROR Too many open connections\r\n");
    });
    const client = lanesOf(full.address);
    let retryInMs = Number.NaN;
    client.on("connectError", (event) => {
      retryInMs = event.retryInMs;
    });
    const early = client.set("big", LARGE);
    const late = client.set("big", "late");
    const received = (n: number) => full.connections[n]?.received ?? "";
    const askedBehindLarge = () =>
      received(0)
        .split(LARGE)[1]
        ?.match(/version/g)?.length ?? 0;
    await until(() => received(0) === "version\r\nversion\r\n");
    full.connections[0]?.send("VERSION 1.6.18\r\n");
    await until(() => askedBehindLarge() === 1); // since one could not be made, the server is probed
    await delay(retryInMs); // from here on it could
    full.connections[0]?.send("VERSION 1.6.18\r\n");
    await until(() => askedBehindLarge() === 2 || full.connections.length > 2);
    expect(full.connections).toHaveLength(2);
    full.connections[0]?.send("STORED\r\nVERSION 1.6.18\r\nVERSION 1.6.18\r\n");
    await until(() => received(2).endsWith("\r\nlate\r\n"));
    full.connections[2]?.send("STORED\r\n");
    expect(await Promise.all([early, late])).toEqual([true, true]);
  });

  test("a key on a lost server goes elsewhere as it does with one connection", async () => {
    const [first, second] = [use(await startMemcached()), use(await startMemcached())];
    const client = lanesOf([first.address, second.address], {
      behaviors: { ketama: true, auto_eject: true, failure_limit: 1, dead_timeout: 10 },
    });
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    for (const key of keys) await client.set(key, LARGE);
    await first.kill();
    for (const key of keys) expect(await client.set(key, `${LARGE}${key}`)).toBe(true);
    for (const key of keys) expect(await client.get(key)).toBe(`${LARGE}${key}`);
  });
});

test.each<unknown>([0, 65, 1.5, Number.NaN, "2"])("connections: %j is refused", (connections) => {
  const make = () => new Client("127.0.0.1", { connections: connections as number });
  expect(make).toThrow(OptionError);
  expect(make).toThrow(/from 1 to 64/);
});
