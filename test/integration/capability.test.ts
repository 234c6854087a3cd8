import {
  Client,
  type ClientOptions,
  NotSupportedError,
  ProtocolError,
  UnknownCommandReply,
} from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorOf, outcome } from "../support/outcome.js";
import { ScriptedServer } from "../support/scripted.js";

/** Calls that need a certain release of memcached. */
const calls: [string, string, (client: Client) => Promise<unknown>][] = [
  ["setCas", "1.6.27", (client) => client.metaSet("k", "v", { setCas: 7n })],
  ["setCas", "1.6.27", (client) => client.metaGet("k", { vivify: 9, setCas: 7n })],
  ["setCas", "1.6.27", (client) => client.metaArithmetic("n", { initial: 1, setCas: 7n })],
  ["setCas", "1.6.27", (client) => client.metaDelete("k", { invalidate: true, setCas: 7n })],
  ["dropValue", "1.6.27", (client) => client.metaDelete("k", { dropValue: true })],
  ["vivify", "1.6.20", (client) => client.metaSet("k", "v", { mode: "append", vivify: 9 })],
  ["returnSize", "1.6.20", (client) => client.metaSet("k", "v", { returnSize: true })],
  ["unlessCas", "1.6.40", (client) => client.metaGet("k", { unlessCas: 7n })],
];

describe("memcached 1.6.18 is too old for", () => {
  let server: MemcachedServer;
  beforeAll(async () => {
    server = await MemcachedServer.start({ compat: "1.6.18" });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(calls)("%s, which needs %s", async (flag, since, call) => {
    await using client = new Client(server.address);
    const version = (await client.version()).get(server.address);
    const error: unknown = await call(client).catch((reason) => reason);
    expect(error).toBeInstanceOf(NotSupportedError);
    expect(error).toMatchObject({
      message: `${server.address} has the version ${version}; ${flag} needs memcached ${since}`,
      server: server.address,
      sent: false,
    });
  });

  test("nothing of it, once its version is known for a socket", async () => {
    await using client = new Client(server.address);
    const outcomes = await Promise.allSettled([
      client.metaSet("k", "v", { setCas: 7n }),
      client.metaSet("k", "v"),
      client.metaSet("k", "v", { returnSize: true }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
    const [before] = (await client.getStats()).values();
    await expect(client.metaSet("k", "v", { setCas: 7n })).rejects.toThrow(NotSupportedError);
    const [after] = (await client.getStats()).values();
    expect(Number(after?.["bytes_read"]) - Number(before?.["bytes_read"])).toBe("stats\r\n".length);
  });
});

test("what every memcached with meta commands has is asked for without waiting", async () => {
  await using server = await MemcachedServer.start({ compat: "1.6.18", log: "requests" });
  await using client = new Client(server.address);
  expect(await client.metaGet("k", { vivify: 60 })).toMatchObject({ won: true });
  expect(await client.metaDelete("k", { invalidate: true })).toEqual({ status: "deleted" });
  const commands = server.log.requests.map(({ command }) => command);
  expect(commands).toEqual(["connect", "version", "mg", "md"]);
});

describe("a value is not sent to a server that may take it for commands:", () => {
  const EVIL = "x\r\nset victim 0 0 4\r\nevil\r\n";
  const writes: [string, ClientOptions, (client: Client) => Promise<unknown>][] = [
    ["metaSet", {}, (client) => client.metaSet("k", EVIL)],
    ["metaSet", {}, (client) => client.metaSet("k", EVIL, { mode: "append" })],
    ["a key in base64", { encodeKeys: "base64" }, (client) => client.set("two words", EVIL)],
    ["a key in base64", { encodeKeys: "base64" }, (client) => client.append("two words", EVIL)],
  ];

  test.each(writes)("%s %j", async (what, options, write) => {
    await using server = await MemcachedServer.start({ compat: "1.4", log: "requests" });
    await using client = new Client(server.address, options);
    await client.set("victim", "good");
    const error: unknown = await write(client).catch((reason) => reason);
    expect(error).toBeInstanceOf(NotSupportedError);
    expect(error).toMatchObject({
      message: `${server.address} has the version 1.4.39; ${what} needs memcached 1.6.10`,
      sent: false,
    });
    expect(await client.get("victim")).toBe("good");
    const commands = server.log.requests.map(({ command }) => command);
    expect(commands).toEqual(["connect", "set", "version", "get"]);
  });

  test("what Dragonfly calls 1.6.0 DF is none", async () => {
    await using server = await MemcachedServer.start();
    const bytes = "VERSION 1.6.0 DF\r\n";
    server.faults.add({ on: { command: "version" }, do: { kind: "answer", bytes } });
    await using client = new Client(server.address);
    expect(await client.metaSet("k", "v")).toEqual({ status: "stored" });
    await expect(client.metaSet("k", "v", { setCas: 7n })).rejects.toThrow(
      "needs memcached 1.6.27",
    );
  });

  test("over the binary protocol each has a length", async () => {
    await using server = await MemcachedServer.start({ compat: "1.4" });
    await using client = new Client(server.address, { binary: true });
    expect(await client.metaSet("k", EVIL)).toMatchObject({ status: "stored" });
    expect(await client.get("k")).toBe(EVIL);
  });
});

describe("while the version is asked for, nothing overtakes what waits for it:", () => {
  test.each<[string, ClientOptions]>([
    ["over one connection", {}],
    ["over several", { connections: 3 }],
  ])("%s", async (_, options) => {
    await using server = await MemcachedServer.start();
    await using client = new Client(server.address, options);
    const [stored, , before, , after] = await Promise.all([
      client.metaSet("k", "first"),
      client.append("k", " second"),
      client.get("k"),
      client.set("k", "third", { noreply: true }),
      client.getMulti(["k", "j"]),
    ]);
    expect(stored).toMatchObject({ status: "stored" });
    expect(before).toBe("first second");
    expect(after).toEqual(new Map([["k", "third"]]));
  });

  test("and then each goes its own way again", async () => {
    await using server = await MemcachedServer.start({ log: "requests" });
    await using client = new Client(server.address);
    await Promise.all([client.metaSet("k", "v"), client.get("k"), client.metaSet("j", "v")]);
    await Promise.all([client.metaSet("k", "v"), client.get("k"), client.metaSet("j", "v")]);
    const commands = server.log.requests.map(({ command }) => command);
    expect(commands.slice(1)).toEqual([
      ...["version", "version", "version", "ms", "get", "ms"],
      ...["ms", "get", "ms"],
    ]);
  });

  test("a connection that is lost meanwhile is asked again, in the same order", async () => {
    await using server = await MemcachedServer.start({ log: "requests" });
    server.faults.add({ on: { command: "version", times: 1 }, do: { kind: "close" } });
    await using client = new Client(server.address);
    const calls = [client.metaSet("k", "first"), client.set("k", "second"), client.get("k")];
    expect(await Promise.all(calls)).toEqual([{ status: "stored" }, true, "second"]);
    const commands = server.log.requests.map(({ command }) => command);
    expect(commands.filter((command) => command === "connect")).toHaveLength(2);
    expect(commands.slice(-3)).toEqual(["ms", "set", "get"]);
  });

  test("a call that is aborted meanwhile is never sent", async () => {
    await using server = await MemcachedServer.start({ log: "requests" });
    await using client = new Client(server.address);
    const abort = new AbortController();
    const stored = client.metaSet("k", "v", { signal: abort.signal });
    abort.abort();
    await expect(stored).rejects.toThrow();
    expect(await client.get("k")).toBeUndefined();
    expect(server.log.requests.map(({ command }) => command)).not.toContain("ms");
  });

  test("a question without an answer fails each as itself", async () => {
    await using server = await MemcachedServer.start();
    server.faults.add({ on: { command: "version" }, do: { kind: "silence" } });
    await using client = new Client(server.address, { timeoutMs: 50 });
    const calls = [client.metaSet("k", "v"), client.get("j")];
    const errors = await Promise.all(calls.map((call) => call.catch((reason: unknown) => reason)));
    expect(errors).toMatchObject([
      { name: "TimeoutError", command: "metaSet", key: "k", sent: false },
      { name: "TimeoutError", command: "get", key: "j", sent: false },
    ]);
  });
});

describe("a version that is no memcached's is believed, but not where a value may be taken for commands:", () => {
  test.each(["Hazelcast", "2.6.2"])("%s", async (version) => {
    await using server = await MemcachedServer.start();
    const bytes = `VERSION ${version}\r\n`;
    server.faults.add({ on: { command: "version" }, do: { kind: "answer", bytes } });
    await using client = new Client(server.address);
    const counted = await client.metaArithmetic("k", { initial: 7, setCas: 7n });
    expect(counted).toMatchObject({ value: 7 });
    for (const options of [{}, { setCas: 7n }]) {
      const stored = client.metaSet("k", "v", options);
      await expect(stored).rejects.toThrow(`has the version ${version}; `);
    }
    await using binary = new Client(server.address, { binary: true });
    expect(await binary.metaSet("k", "v")).toMatchObject({ status: "stored" });
  });
});

describe("a server that has no such command refuses that call, and loses no other", () => {
  const COUNT = 20;
  /** A call that is not known, and others that may not be repeated. */
  async function among(client: Client, call: Promise<unknown>): Promise<unknown> {
    const events: string[] = [];
    client.on("disconnect", () => events.push("disconnect"));
    client.on("health", ({ state }) => events.push(state));
    const counts = Array.from({ length: COUNT }, () => client.incr("n"));
    const error = await errorOf(call);
    expect(await Promise.all(counts)).toEqual(counts.map((_, i) => i + 1));
    expect(events).toEqual([]);
    return error;
  }

  test("the meta commands of memcached 1.4", async () => {
    await using server = await MemcachedServer.start({ compat: "1.4" });
    for (const call of [
      (client: Client) => client.has("k"),
      (client: Client) => client.metaGet("k", { returnTtl: true }),
      (client: Client) => client.getAndTouch("k", 5),
    ]) {
      await using client = new Client(server.address);
      await using other = new Client(server.address);
      await other.set("n", 0);
      expect(await among(client, call(client))).toBeInstanceOf(NotSupportedError);
    }
  });

  test.each(["that is new", "that has been used"])(
    "behind noreply, on a connection %s",
    async (which) => {
      await using server = await MemcachedServer.start({ compat: "1.4" });
      await using client = new Client(server.address);
      await using other = new Client(server.address);
      await other.set("n", 0);
      if (which === "that has been used") await client.get("n");
      const silent = client.set("k", "v", { noreply: true });
      expect(await among(client, client.has("k"))).toBeInstanceOf(NotSupportedError);
      expect([await silent, await client.get("k")]).toEqual([true, "v"]);
    },
  );

  test("behind one that was aborted before it was sent", async () => {
    await using server = await MemcachedServer.start({ compat: "1.4" });
    await using client = new Client(server.address);
    await using other = new Client(server.address);
    await other.set("n", 0);
    const controller = new AbortController();
    const aborted = errorOf(client.get("k", { signal: controller.signal }));
    const call = client.has("k");
    controller.abort();
    expect(await among(client, call)).toBeInstanceOf(NotSupportedError);
    expect(await aborted).toBe(controller.signal.reason);
  });

  test("touch", async () => {
    await using server = await MemcachedServer.start();
    server.faults.add({ on: { command: "touch" }, do: { kind: "answer", bytes: "ERROR\r\n" } });
    await using client = new Client(server.address);
    await using other = new Client(server.address);
    await other.set("n", 0);
    expect(await among(client, client.touch("k", 5))).toBeInstanceOf(UnknownCommandReply);
  });
});

describe("meta commands while they were on trial", () => {
  const refusing = async (reply: string) => {
    const server = await ScriptedServer.start((connection) =>
      connection.onLine((line) => {
        if (line === "version") connection.send("VERSION 1.5.22\r\n");
        else connection.send(line.startsWith("m") ? reply : "END\r\n");
      }),
    );
    return server;
  };

  test("in memcached 1.6.9 tell whether there is an item", async () => {
    await using server = await refusing("OK s1\r\n");
    await using client = new Client(server.address);
    expect(await client.has("k")).toBe(true);
    expect(await errorOf(client.metaGet("k"))).toBeInstanceOf(ProtocolError);
  });

  test("in 1.5.22 are none", async () => {
    await using server = await refusing("VA s 1\r\nv\r\n");
    await using client = new Client(server.address, { behaviors: { failure_limit: 1 } });
    const [has, get] = [client.has("k"), client.get("k")].map(outcome);
    expect(await has).toBeInstanceOf(NotSupportedError);
    expect(await get).toBeUndefined();
    expect(client.stats().get(server.address)).toMatchObject({ state: "up" });
  });
});

test("a newer memcached has all of it", async () => {
  const server = await MemcachedServer.start();
  await using client = new Client(server.address);
  for (const [, , call] of calls) await call(client);
  expect(await client.metaSet("k", "v", { setCas: 7n, returnCas: true })).toMatchObject({
    cas: 7n,
  });
  expect(await client.metaGet("k", { unlessCas: 7n })).not.toHaveProperty("value");
  await server[Symbol.asyncDispose]();
});

test("the version is asked again behind a new socket", async () => {
  const old = await MemcachedServer.start({ compat: "1.6.18" });
  await using client = new Client(old.address);
  await expect(client.metaSet("k", "v", { setCas: 7n })).rejects.toThrow("needs memcached 1.6.27");
  const { port } = old;
  await old[Symbol.asyncDispose]();
  const upgraded = await MemcachedServer.start({ port });
  expect(await client.get("k").catch(() => client.get("k"))).toBeUndefined();
  expect(await client.metaSet("k", "v", { setCas: 7n })).toMatchObject({ status: "stored" });
  await upgraded[Symbol.asyncDispose]();
});

test.each<[string, ClientOptions]>([
  ["getAndTouch", {}],
  ["has", {}],
  ["base64 keys", { encodeKeys: "base64" }],
])("a server without meta commands says so of %s", async (what, options) => {
  const server = await MemcachedServer.start({ compat: "1.4" });
  await using client = new Client(server.address, options);
  const call =
    what === "getAndTouch"
      ? client.getAndTouch("k", 1)
      : client.has(what === "has" ? "k" : "two words");
  await expect(call).rejects.toThrow(NotSupportedError);
  expect(await client.set("k", 1)).toBe(true);
  expect(await client.flush()).toBe(true);
  await server[Symbol.asyncDispose]();
});
