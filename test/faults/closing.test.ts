import { type Client, type ClientOptions, ConnectionClosedError, TimeoutError } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gate } from "../support/gate.js";
import { type Memcached, startMemcached, startMemcacheds } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { freePort } from "../support/port.js";
import { ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { clientOf, PATIENT, use } from "../support/use.js";

/** Compressing it takes another thread. */
const LARGE = "large".repeat(20_000);

/** Small enough to make many chunks of little: no call sends all of them at once. */
const CHUNKS: ClientOptions = { chunk: { size: 256 } };
const CHUNKED = "v".repeat(30 * 256);

const compress = true;

/** Takes its time to encode, as a codec that asks somebody else. */
const slowCodec: ClientOptions = {
  serializer: {
    serialize: async (value) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { data: JSON.stringify(value), flags: 0 };
    },
    deserialize: (data) => JSON.parse(Buffer.from(data).toString()),
  },
};

describe("what was called before close() ends as it would have", () => {
  let servers: Memcached[];
  let addresses: string[];

  beforeAll(async () => {
    servers = await startMemcacheds(3);
    addresses = servers.map(({ address }) => address);
  });
  afterAll(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

  /** A client that is closed as soon as it was called, what that call came to, and one that lives on. */
  async function closedAfter<Result>(
    options: ClientOptions,
    call: (client: Client) => Promise<Result>,
  ): Promise<Result> {
    const client = clientOf(addresses, { ...PATIENT, ...options });
    const called = call(client);
    called.catch(() => {});
    await client.close();
    expect(client.stats().get(addresses[0]!)).toMatchObject({ connected: false, inFlight: 0 });
    return called;
  }

  const reader = (options: ClientOptions = {}) => clientOf(addresses, { ...PATIENT, ...options });

  describe.each([false, true])("binary: %s", (binary) => {
    const b = (key: string) => `${key}:${binary}`;

    test.each<[string, (client: Client, key: string) => Promise<unknown>]>([
      ["set", (client, key) => client.set(key, LARGE, { compress })],
      ["set, silent", (client, key) => client.set(key, LARGE, { compress, noreply: true })],
      ["add", (client, key) => client.add(key, LARGE, { compress })],
      ["setMulti", (client, key) => client.setMulti({ [key]: LARGE }, { compress })],
      ["addMulti", (client, key) => client.addMulti({ [key]: LARGE }, { compress })],
    ])("%s of a value that is being compressed", async (name, call) => {
      const key = b(name.replace(/\W/g, ""));
      expect(await closedAfter({ binary }, (client) => call(client, key))).not.toBe(false);
      const read = reader();
      await until(async () => (await read.get(key)) === LARGE); // a silent call may still be on its way
    });

    test("calls behind such a value", async () => {
      const results = await closedAfter({ binary }, (client) =>
        Promise.all([
          client.set(b("behind"), LARGE, { compress }),
          client.get(b("behind")),
          client.getMulti([b("behind")]),
          client.deleteMulti([b("behind")]),
          client.has(b("behind")).catch(() => false),
        ]),
      );
      expect(results).toEqual([true, LARGE, new Map([[b("behind"), LARGE]]), [], false]);
    });

    test("a counter that is still to be made", async () => {
      const results = await closedAfter({ binary }, (client) =>
        Promise.all([
          client.incr(b("n"), 1, { initial: 5 }),
          client.incrMulti([b("m"), b("o")], 1, { initial: 7 }),
        ]),
      );
      expect(results).toEqual([
        5,
        new Map([
          [b("m"), 7],
          [b("o"), 7],
        ]),
      ]);
      expect(await reader().incrMulti([b("n"), b("m"), b("o")])).toEqual(
        new Map([
          [b("n"), 6],
          [b("m"), 8],
          [b("o"), 8],
        ]),
      );
    });

    test("values in chunks", async () => {
      const options = { ...CHUNKS, binary };
      const key = b("chunked");
      expect(await closedAfter(options, (client) => client.set(key, CHUNKED))).toBe(true);
      expect(await closedAfter(options, (client) => client.get(key))).toBe(CHUNKED);
      const many = await closedAfter(options, (client) => client.getMulti([key]));
      expect(many).toEqual(new Map([[key, CHUNKED]]));
      expect(await closedAfter(options, (client) => client.touch(key, 1000))).toBe(true);
      expect(await closedAfter(options, (client) => client.touchMulti([key], 1000))).toEqual([]);
      const joined = (client: Client) => client.append(b("absent"), "end");
      expect(await closedAfter(options, joined)).toBe(false);
      const large = { [b("one")]: LARGE, [b("two")]: "small" };
      const stored = (client: Client) =>
        client.setMulti(large, { compress: { minLength: 10_000 }, noreply: true });
      expect(await closedAfter(options, stored)).toEqual([]);
      const read = reader(options);
      const found = () => read.getMulti(Object.keys(large));
      await until(async () => (await found()).size === 2); // which may still be on their way
      expect(await found()).toEqual(new Map(Object.entries(large)));
    });

    test("a codec of the program's own that takes its time", async () => {
      const options = { ...slowCodec, binary };
      const results = await closedAfter(options, (client) =>
        Promise.all([
          client.set(b("slow"), { a: 1 }),
          client.setMulti({ [b("slow2")]: 2 }),
          client.incr(b("slow3"), 1, { initial: 3 }),
        ]),
      );
      expect(results).toEqual([true, [], 3]);
      const found = await reader(slowCodec).getMulti(["slow", "slow2"].map(b));
      expect(found).toEqual(
        new Map<string, unknown>([
          [b("slow"), { a: 1 }],
          [b("slow2"), 2],
        ]),
      );
    });

    test("what buffer_requests holds back when it is compressed", async () => {
      const behaviors = { buffer_requests: true };
      const stored = (client: Client) => client.set(b("held"), LARGE, { compress });
      expect(await closedAfter({ behaviors, binary }, stored)).toBe(true);
      expect(await reader().get(b("held"))).toBe(LARGE);
    });

    test("copies, which are told what their original has done", async () => {
      const behaviors = { num_replicas: 2 };
      const added = (client: Client) => client.add(b("copied"), 1);
      expect(await closedAfter({ behaviors, binary }, added)).toBe(true);
      const everywhere = addresses.map((address) => clientOf(address).get(b("copied")));
      expect(await Promise.all(everywhere)).toEqual([1, 1, 1]);
      await closedAfter({ behaviors, binary }, (client) => client.flush());
    });
  });

  test.each<[string, (client: Client) => Promise<unknown>]>([
    ["get", (client) => client.get("read")],
    ["gets", (client) => client.gets("read").then((read) => read?.value)],
    ["metaGet", (client) => client.metaGet("read").then((item) => item?.value)],
    ["getMulti", (client) => client.getMulti(["read"]).then((found) => found.get("read"))],
  ])("%s of a value that takes its time to decode", async (_, read) => {
    await reader().set("read", Buffer.from(JSON.stringify("value")));
    for (const options of [{}, { chunk: true }]) {
      const { serializer, open } = new Gate();
      setTimeout(open, 100);
      let isOver = false;
      const client = clientOf(addresses, { ...PATIENT, serializer, ...options });
      const called = read(client).finally(() => {
        isOver = true;
      });
      await client.close();
      expect(isOver).toBe(true);
      expect(await called).toBe("value");
    }
  });

  test("a read whose value is never decoded ends with the client", async () => {
    await reader().setMulti({ read: Buffer.from("1"), other: Buffer.from("2") });
    for (const options of [{}, { chunk: true }]) {
      const { serializer } = new Gate();
      const client = clientOf(addresses, { ...PATIENT, serializer, ...options });
      await client.version(); // connected, it sends at once
      const calls = [outcome(client.get("read")), outcome(client.getMulti(["read", "other"]))];
      await client.close({ drainMs: 200 });
      const [one, many] = await Promise.all(calls);
      expect(one).toBeInstanceOf(ConnectionClosedError);
      expect(one).toMatchObject({ command: "get", key: "read", sent: true });
      expect(many).toMatchObject({ cause: { name: "ConnectionClosedError", command: "getMulti" } });
    }
  });

  test("metaSet of a value in the making", async () => {
    const stored = await closedAfter(slowCodec, (client) => client.metaSet("meta", { a: 1 }));
    expect(stored).toMatchObject({ status: "stored" });
    expect(await reader(slowCodec).get("meta")).toEqual({ a: 1 });
  });

  test("an item that is given back to a copy", async () => {
    const options: ClientOptions = { readRepair: true, behaviors: { num_replicas: 1 } };
    const writer = reader(options);
    await writer.set("repaired", 1);
    const home = clientOf(writer.serverFor("repaired").name);
    await home.delete("repaired");
    expect(await closedAfter(options, (client) => client.get("repaired"))).toBe(1);
    expect(await home.get("repaired")).toBe(1);
  });
});

describe("where another server takes over", () => {
  test("a read whose server is not to be asked is made at the copy", async () => {
    const one = use(await MemcachedServer.start());
    const two = use(await MemcachedServer.start());
    const client = clientOf([one.address, two.address], { behaviors: { num_replicas: 1 } });
    await client.set("k", 1);
    const home = [one, two].find(({ address }) => client.serverFor("k").name === address)!;
    home.refuse();
    home.disconnectAll();
    expect(await client.get("k")).toBe(1);
    const read = outcome(client.get("k"));
    await client.close();
    expect(await read).toBe(1);
  });

  test("what is under way at a server that dies meanwhile goes to the next", async () => {
    const servers = [use(await startMemcached()), use(await startMemcached())];
    const client = clientOf(
      servers.map(({ address }) => address),
      { ...PATIENT, failover: "next", behaviors: { failure_limit: 1 } },
    );
    await client.getMulti(["a", "b", "c", "d", "e", "f"]);
    const home = servers.find(({ address }) => client.serverFor("k").name === address)!;
    await home.pause();
    const counting = outcome(client.incr("k"));
    const reading = outcome(client.get("k"));
    const many = outcome(client.getMulti(["k", "a", "b", "c", "d", "e", "f"]));
    const closed = client.close();
    setTimeout(() => void home.kill(), 50);
    expect(await counting).toMatchObject({ server: home.address, sent: true });
    expect(await reading).toBeUndefined();
    expect(await many).toEqual(new Map());
    await closed;
  });
});

describe("what is called after close()", () => {
  const calls: [string, (client: Client) => Promise<unknown>][] = [
    ["get", (client) => client.get("k")],
    ["gets", (client) => client.gets("k")],
    ["getMulti", (client) => client.getMulti(["k"])],
    ["getMulti", (client) => client.getMulti([])],
    ["getsMulti", (client) => client.getsMulti(["k"])],
    ["getAndTouch", (client) => client.getAndTouch("k", 1)],
    ["getsAndTouch", (client) => client.getsAndTouch("k", 1)],
    ["has", (client) => client.has("k")],
    ["set", (client) => client.set("k", 1)],
    ["set", (client) => client.set("k", LARGE, { compress })],
    ["add", (client) => client.add("k", 1)],
    ["replace", (client) => client.replace("k", 1)],
    ["append", (client) => client.append("k", "1")],
    ["prepend", (client) => client.prepend("k", "1")],
    ["cas", (client) => client.cas("k", 1, 1n)],
    ["setMulti", (client) => client.setMulti({ k: 1 })],
    ["addMulti", (client) => client.addMulti({ k: 1 })],
    ["delete", (client) => client.delete("k", { noreply: true })],
    ["deleteMulti", (client) => client.deleteMulti(["k"])],
    ["touch", (client) => client.touch("k", 1)],
    ["touchMulti", (client) => client.touchMulti(["k"], 1)],
    ["incr", (client) => client.incr("k")],
    ["decr", (client) => client.decr("k", 1, { initial: 1 })],
    ["incrMulti", (client) => client.incrMulti(["k"])],
    ["decrMulti", (client) => client.decrMulti(["k"], 1, { initial: 1 })],
    ["metaGet", (client) => client.metaGet("k")],
    ["metaSet", (client) => client.metaSet("k", 1)],
    ["metaDelete", (client) => client.metaDelete("k")],
    ["metaArithmetic", (client) => client.metaArithmetic("k")],
    ["metaDebug", (client) => client.metaDebug("k")],
    ["metaGet", (client) => client.explain("k", { look: true })],
    ["flushAll", (client) => client.flushAll()],
    ["getStats", (client) => client.getStats()],
    ["version", (client) => client.version()],
    ["verbosity", (client) => client.verbosity(1)],
    ["flush", (client) => client.flush()],
  ];

  test.each([
    ["a client", {}],
    ["one with chunks", CHUNKS],
    ["one that takes failures for misses", { onError: "miss" }],
    ["one that holds writes back", { behaviors: { buffer_requests: true } }],
  ] as [string, ClientOptions][])("is refused and not sent: %s", async (_, options) => {
    const server = use(await ScriptedServer.start());
    const client = clientOf(server.address, { ...PATIENT, ...options });
    const earlier = outcome(client.version());
    await until(() => server.received !== "");
    const closed = client.close();
    const before = server.received;
    for (const when of ["while it waits", "when it is over"]) {
      for (const [command, call] of calls) {
        const error = await outcome(call(client));
        expect(error, `${command} ${when}`).toBeInstanceOf(ConnectionClosedError);
        expect(error).toMatchObject({
          command,
          sent: false,
          message: `${command}: this client was closed`,
        });
      }
      expect(server.received).toBe(before);
      server.connections[0]?.send("VERSION 1\r\n");
      await closed;
    }
    expect(await earlier).toEqual(new Map([[server.address, "1"]]));
  });

  test("what needs no server goes on", async () => {
    const client = clientOf("127.0.0.1:1");
    await client.close();
    expect(client.serverFor("k").name).toBe("127.0.0.1:1");
    expect(client.clone().closed).toBe(false);
  });

  test("other servers are not connected to", async () => {
    const before = use(await startMemcached());
    const after = use(await ScriptedServer.start());
    const client = clientOf(before.address, slowCodec);
    const storing = outcome(client.set("k", 1));
    await client.close({ drainMs: 1 });
    client.setServers([after.address]);
    expect(await storing).toBeInstanceOf(ConnectionClosedError);
    expect(after.connections).toEqual([]);
  });
});

describe("close", () => {
  const deadAddress = async () => `127.0.0.1:${await freePort()}`;

  test("while it connects: what waits is sent and answered first", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address);
    const stored = client.set("k", 1);
    await client.close();
    expect(await stored).toBe(true);
  });

  test("while a server is silent: what is left fails when its time is over", async () => {
    const server = use(await ScriptedServer.start());
    const client = clientOf(server.address, { timeoutMs: 60_000 });
    const call = outcome(client.get("k"));
    await until(() => server.received !== "");
    await client.close({ drainMs: 50 });
    expect(await call).toBeInstanceOf(ConnectionClosedError);
  });

  test("while a value is encoded for ever: what waits for it fails then, and is not sent", async () => {
    const server = use(await ScriptedServer.start());
    const gate = new Gate();
    const client = clientOf(server.address, { ...PATIENT, serializer: gate.serializer });
    const calls = [outcome(client.set("k", 1)), outcome(client.get("k"))];
    await client.close({ drainMs: 50 });
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(ConnectionClosedError);
      expect(error).toMatchObject({ key: "k", sent: false });
    }
    gate.open();
    await new Promise(setImmediate);
    expect(server.connections).toEqual([]);
  });

  test("does not wait for replies that nobody waits for", async () => {
    const server = use(await ScriptedServer.start());
    const client = clientOf(server.address, { timeoutMs: 50 });
    const call = outcome(client.get("k"));
    await client.close({ drainMs: 2 ** 31 - 1 });
    expect(await call).toBeInstanceOf(TimeoutError);
  });

  test("during a pause, twice, and before any call", async () => {
    const client = clientOf(await deadAddress());
    await outcome(client.get("k"));
    await Promise.all([client.close(), client.close()]);
    const unused = clientOf("127.0.0.1:1");
    await unused.close();
    expect(await outcome(unused.set("k", 1))).toBeInstanceOf(ConnectionClosedError);
  });

  test("a second time without patience ends the first", async () => {
    const server = use(await ScriptedServer.start());
    const client = clientOf(server.address, { timeoutMs: 60_000 });
    const call = outcome(client.get("k"));
    await until(() => server.received !== "");
    const first = client.close();
    await client.close({ drainMs: 0 });
    expect(await call).toBeInstanceOf(ConnectionClosedError);
    await first;
  });

  test("within an event, and while servers come and go", async () => {
    const [one, two] = [use(await startMemcached()), use(await startMemcached())];
    const client = clientOf(one.address, PATIENT);
    let closed: Promise<void> | undefined;
    client.on("connect", () => {
      client.setServers([two.address]);
      closed ??= client.close();
    });
    const calls = [client.set("k", 1), client.incr("n", 1, { initial: 3 })];
    expect(await Promise.all(calls)).toEqual([true, 3]);
    await closed;
    expect(await clientOf(one.address).get("k")).toBe(1);
  });

  test("waits until what wants no reply has left, too", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, { timeoutMs: 10_000 });
    await client.set("first", 1);
    await memcached.pause();
    const value = Buffer.alloc(900_000, "v");
    for (let i = 0; i < 20; i++) void client.set(`k${i}`, value, { noreply: true });
    setTimeout(() => memcached.resume(), 100);
    await client.close();
    const reader = clientOf(memcached.address, { timeoutMs: 10_000 });
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    // What has left this machine's hands may still have to be read by the server.
    while ((await reader.getMulti(keys)).size < 20);
    expect(await reader.get<Uint8Array>("k19")).toHaveLength(value.length);
  });
});
