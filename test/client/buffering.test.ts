import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Client, ConnectError, PartialError, QueueFullError, ValueTooLargeError } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { describe, expect, test } from "vitest";
import { packetsIn } from "../protocol/binary/exchanges.js";
import { type Memcached, startMemcached, startMemcacheds } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { until } from "../support/until.js";
import { use } from "../support/use.js";

function buffering(servers: string | string[], options: object = {}): Client {
  return use(new Client(servers, { behaviors: { buffer_requests: true }, ...options }));
}

interface Recorded {
  readonly id: string;
  readonly calls: readonly {
    readonly op: string;
    readonly args: readonly { readonly s?: string; readonly hex?: string }[];
    readonly exchange?: readonly { readonly dir: string; readonly hex?: string }[];
  }[];
}

const { scenarios } = JSON.parse(
  readFileSync(new URL("../vectors/wire-commands.json", import.meta.url), "utf8"),
) as { scenarios: Recorded[] };

/** The calls of a recorded scenario, and what libmemcached sent at each of them. */
function recorded(id: string) {
  return scenarios
    .find((scenario) => scenario.id === id)!
    .calls.map(({ op, args, exchange = [] }) => ({
      op,
      key: args[0]?.s ?? "",
      value: Buffer.from(args[1]?.hex ?? "", "hex"),
      sent: Buffer.concat(
        exchange.filter(({ dir }) => dir === "c2s").map(({ hex = "" }) => Buffer.from(hex, "hex")),
      ),
    }));
}

/** Each request, without what only libmemcached sends: its counter, and its farewell. */
function requestsIn(bytes: Buffer, binary: boolean): string[] {
  if (!binary) {
    return bytes
      .toString("latin1")
      .split("\r\n")
      .filter((line) => line !== "quit");
  }
  return packetsIn(bytes)
    .filter((packet) => packet[1] !== 0x07)
    .map((packet) => Buffer.from(packet).fill(0, 12, 16).toString("latin1"));
}

describe.each([false, true])("binary: %s", (binary) => {
  test("what libmemcached holds back and sends is held back and sent, byte for byte", async () => {
    const server = use(await MemcachedServer.start());
    const client = buffering(server.address, { binary });
    for (const { op, key, value, sent } of recorded(
      `buffer_requests/${binary ? "binary" : "text"}`,
    )) {
      server.log.clear();
      if (op === "set") expect(await client.set(key, value)).toBe(true);
      else if (op === "add") expect(await client.add(key, value)).toBe(true);
      else if (op === "delete") expect(await client.delete(key)).toBe(true);
      else if (op === "get") expect(await client.get(key)).toEqual(Buffer.from("4"));
      else await client.close();
      expect(requestsIn(server.log.received(), binary)).toEqual(requestsIn(sent, binary));
    }
  });

  test("whatever reads or decides finds what was written before", async () => {
    const server = use(await startMemcached());
    const client = buffering(server.address, { binary });
    const read: [string, () => Promise<unknown>, unknown][] = [
      ["get", () => client.get("k"), 1],
      ["getMulti", () => client.getMulti(["k"]), new Map([["k", 1]])],
      ["has", () => client.has("k"), true],
      ["gets", async () => (await client.gets("k"))?.value, 1],
      ["incr", () => client.incr("k"), 2],
      ["add", () => client.add("k", 2), false],
      ["append", () => client.append("k", "0"), true],
      ["touch", () => client.touch("k", 60), true],
      ["getAndTouch", () => client.getAndTouch("k", 60), 1],
      ["cas", () => client.cas("k", 2, 1n), false],
      ["metaSet", async () => (await client.metaSet("k", 2)).status, "stored"],
      ["metaDelete", async () => (await client.metaDelete("k")).status, "deleted"],
    ];
    for (const [name, call, expected] of read) {
      await client.flushAll();
      expect(await client.set("k", 1)).toBe(true);
      expect(await call(), name).toEqual(expected);
    }
    expect(await client.delete("k")).toBe(true);
    expect(await client.get("k")).toBeUndefined();
  });

  test("many keys, silent calls, and the order of all of them", async () => {
    const servers = await startMemcacheds(3);
    for (const server of servers) use(server);
    const client = buffering(
      servers.map(({ address }) => address),
      { binary },
    );
    const pairs = Array.from({ length: 90 }, (_, i) => [`k${i}`, i] as const);
    const keys = pairs.map(([key]) => key);
    expect(await client.setMulti(pairs)).toEqual([]);
    expect(await client.incr("k1", 5, { noreply: true })).toBeUndefined();
    expect(await client.deleteMulti(["k2", "absent"])).toEqual([]);
    expect(await client.touch("k3", 60, { noreply: true })).toBe(true);
    for (const { waiting, inFlight, operations } of client.stats().values()) {
      expect([waiting, inFlight, operations]).toEqual([0, 0, 0]);
    }
    const found = await client.getMulti(keys);
    expect(found.size).toBe(89);
    expect([found.get("k1"), found.get("k2"), found.get("k89")]).toEqual([6, undefined, 89]);
  });
});

describe("what sends it", () => {
  let server: Memcached;
  let client: Client;
  let observer: Client;
  const start = async (options = {}) => {
    server = use(await startMemcached());
    client = buffering(server.address, options);
    observer = use(new Client(server.address));
    expect(await client.set("k", "held")).toBe(true);
    expect(await observer.get("k")).toBeUndefined();
  };

  const ways: [string, () => unknown][] = [
    ["flush()", () => client.flush()],
    ["close()", () => client.close()],
    ["a call to every server", () => client.version()],
    ["turning the behavior off", () => Object.assign(client.behaviors, { buffer_requests: false })],
    ["another list of servers", () => client.setServers([server.address, "127.0.0.1:1"])],
    ["a read of another key", () => client.get("other")],
  ];
  test.each(ways)("%s", async (_name, send) => {
    await start();
    await send();
    await until(async () => (await observer.get("k")) === "held");
  });

  test("only a call to its own server does", async () => {
    const servers = await startMemcacheds(2);
    for (const each of servers) use(each);
    client = buffering(servers.map(({ address }) => address));
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    const there = (index: number) => keys.find((key) => client.serverFor(key).index === index)!;
    await client.set(there(0), 1);
    await client.get(there(1));
    const operations = () => [...client.stats().values()].map((each) => each.operations);
    expect(operations()).toEqual([0, 1]);
    await client.get(there(0));
    expect(operations()).toEqual([2, 1]);
  });

  test("64 KiB do, with the write that no longer fits, which is answered", async () => {
    await start();
    const value = Buffer.alloc(1000, "x");
    const sent = () => client.stats().get(server.address)!.operations;
    let held = 1;
    while (sent() === 0) {
      expect(await client.set(`k${held}`, value)).toBe(true);
      held++;
    }
    expect(held).toBeGreaterThan(55);
    expect(held).toBeLessThan(66);
    expect(sent()).toBe(held);
    expect((await observer.getMulti(Array.from({ length: held }, (_, i) => `k${i}`))).size).toBe(
      held - 1,
    );
  });

  test("a value over 64 KiB goes at once, behind the rest, with a result of its own", async () => {
    await start();
    expect(await client.set("large", Buffer.alloc(100_000))).toBe(true);
    expect(await observer.get("k")).toBe("held");
    await expect(client.set("larger", Buffer.alloc(1024 * 1024))).rejects.toThrow(
      ValueTooLargeError,
    );
  });

  test("disconnectAll() does not, and loses nothing", async () => {
    await start();
    client.disconnectAll();
    expect(await client.get("k")).toBe("held");
  });

  test("a clone holds what is its own", async () => {
    await start();
    const clone = use(client.clone());
    expect(clone.behaviors.buffer_requests).toBe(true);
    expect(await clone.set("k", "of the clone")).toBe(true);
    await clone.close();
    expect(await observer.get("k")).toBe("of the clone");
  });
});

describe("what is lost", () => {
  test("is told by an event, and by the next flush(), once", async () => {
    const server = use(await startMemcached());
    const client = buffering(server.address);
    const lost: unknown[] = [];
    client.on("lost", (event) => lost.push(event));
    await server.kill();
    expect(await client.set("a", 1)).toBe(true);
    expect(await client.delete("b")).toBe(true);
    await expect(client.get("a")).rejects.toThrow(ConnectError);
    const error = expect.any(ConnectError);
    expect(lost).toEqual([
      { command: "set", key: "a", error },
      { command: "delete", key: "b", error },
    ]);
    await server.start();
    await until(async () => (await outcome(client.version())) instanceof Map);
    const flushed: unknown = await client.flush().catch((reason) => reason);
    expect(flushed).toBeInstanceOf(PartialError);
    expect(flushed).toMatchObject({ server: server.address, command: "flush", sent: false });
    expect([...(flushed as PartialError).errors]).toEqual([[server.address, error]]);
    expect(await client.flush()).toBe(true);
  });

  test("has the time of its own call, counted from when it is sent", async () => {
    const server = use(await startMemcached());
    const client = buffering(server.address);
    const lost: { key: string; error: Error }[] = [];
    client.on("lost", (event) => lost.push(event));
    await client.set("late", 1, { timeoutMs: 1_000 });
    await delay(1_100);
    expect(await client.get("late")).toBe(1);
    expect(lost).toEqual([]);
    await client.set("a", 1, { timeoutMs: 50 });
    await server.pause();
    const reading = client.get("a", { timeoutMs: 5000 });
    await until(() => lost.length === 1);
    expect(lost[0]!.key).toBe("a");
    expect(lost[0]!.error.message).toContain("timed out");
    server.resume();
    expect(await reading).toBe(1);
  });

  test("is what close() could not send, which it tells before it is over", async () => {
    const server = use(await startMemcached());
    const client = buffering(server.address);
    const lost: string[] = [];
    client.on("lost", ({ key }) => lost.push(key));
    await client.set("a", 1);
    await server.kill();
    await client.close();
    expect(lost).toEqual(["a"]);
  });

  test("is nothing that a server was sent when it broke off: it is sent again", async () => {
    const server = use(await MemcachedServer.start());
    const client = buffering(server.address);
    const lost: unknown[] = [];
    client.on("lost", (event) => lost.push(event));
    await client.get("k");
    await client.set("a", 1);
    server.faults.add({ on: { command: "set", times: 1 }, do: { kind: "reset" } });
    expect(await client.get("a")).toBe(1);
    expect(lost).toEqual([]);
  });
});

describe("with", () => {
  const written = { small: 1, text: "held" };

  test("copies: they are written when the original is", async () => {
    const servers = await startMemcacheds(3);
    for (const server of servers) use(server);
    const addresses = servers.map(({ address }) => address);
    const client = buffering(addresses, { behaviors: { buffer_requests: true, num_replicas: 2 } });
    expect(await client.setMulti(written)).toEqual([]);
    expect(await client.flush()).toBe(true);
    for (const address of addresses) {
      const observer = use(new Client(address));
      expect(await observer.getMulti(["small", "text"])).toEqual(new Map(Object.entries(written)));
    }
  });

  test("failover: what is held for a server that died goes where its keys go", async () => {
    const servers = await startMemcacheds(2);
    for (const server of servers) use(server);
    const addresses = servers.map(({ address }) => address);
    const client = use(
      new Client(addresses, {
        failover: "next",
        behaviors: { buffer_requests: true, failure_limit: 1 },
      }),
    );
    const lost: unknown[] = [];
    client.on("lost", (event) => lost.push(event));
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    await client.version();
    expect(await client.setMulti(keys.map((key) => [key, key] as const))).toEqual([]);
    await servers[0]!.kill();
    expect((await client.getMulti(keys)).size).toBe(20);
    expect(lost).toEqual([]);
  });

  test('onError: "miss", where what is lost is masked like any other write', async () => {
    const server = use(await startMemcached());
    const client = buffering(server.address, { onError: "miss" });
    const events: string[] = [];
    client.on("masked", ({ command }) => events.push(`masked ${command}`));
    client.on("lost", ({ command }) => events.push(`lost ${command}`));
    await server.kill();
    expect(await client.set("k", 1)).toBe(true);
    expect(await client.delete("k")).toBe(true);
    expect(await client.get("k")).toBeUndefined();
    expect(events).toEqual(["masked set", "lost delete", "masked get"]);
  });

  test("several connections: flush() speaks for all of them", async () => {
    const server = use(await startMemcached());
    const client = buffering(server.address, { connections: 3 });
    const other = use(new Client(server.address));
    const text = (version: string, i: number) => version.repeat(i % 3 === 0 ? 70_000 : 10);
    for (const version of ["a", "b"]) {
      const items = Array.from({ length: 30 }, (_, i) => [`${i}`, text(version, i)] as const);
      for (const [key, value] of items) void client.set(key, value, { noreply: true });
      await client.flush();
      expect(await other.getMulti(items.map(([key]) => key))).toEqual(new Map(items));
    }
  });

  test("values in chunks, and such as are compressed on another thread", async () => {
    const server = use(await startMemcached());
    const client = buffering(server.address, { chunk: { size: 1000 }, compress: { level: 1 } });
    const large = Array.from({ length: 30_000 }, (_, i) => i % 977).join();
    expect(await client.set("large", large)).toBe(true);
    expect(await client.set("large", `${large}!`)).toBe(true);
    expect(await client.get("large")).toBe(`${large}!`);
    expect(await client.delete("large")).toBe(true);
    expect(await client.get("large")).toBeUndefined();
  });

  test("calls of its own in the place where a loss is told", async () => {
    const server = use(await startMemcached());
    const client = buffering(server.address);
    const again: Promise<boolean>[] = [];
    client.on("lost", () => {
      if (again.length === 0) again.push(client.set("again", 1));
    });
    await client.set("a", 1);
    await server.kill();
    await expect(client.get("a")).rejects.toThrow(ConnectError);
    expect(await Promise.all(again)).toEqual([true]);
  });
});

describe("limits", () => {
  test("what a server does not answer is no more held than may wait for it", async () => {
    const server = use(await startMemcached());
    const client = buffering(server.address, { maxQueueLength: 100, timeoutMs: 10_000 });
    const lost: unknown[] = [];
    client.on("lost", (event) => lost.push(event));
    await client.get("k");
    await server.pause();
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => client.set(`k${i}`, i)),
    );
    expect(results.every(({ status }) => status === "fulfilled")).toBe(true);
    const others = Array.from({ length: 51 }, (_, i) =>
      client.set(`l${i}`, i).catch((error) => error),
    );
    expect(await others.at(-1)).toBeInstanceOf(QueueFullError);
    server.resume();
    expect(await Promise.all(others.slice(0, 50))).toEqual(new Array(50).fill(true));
    expect((await client.getMulti(["k0", "k49", "l49"])).size).toBe(3);
    expect(lost).toEqual([]);
  });

  const value = Buffer.alloc(1000);

  test.each([
    ["operations", { maxQueueLength: 20 }],
    ["bytes", { maxQueueBytes: 20_000 }],
  ])("half of the %s that may wait are held, and one more sends them", async (_name, options) => {
    const server = use(await startMemcached());
    const client = buffering(server.address, options);
    const sent = () => client.stats().get(server.address)!.operations;
    for (let i = 0; i < 10; i++) expect(await client.set(`k${i}`, value)).toBe(true);
    expect(sent()).toBe(0);
    expect(await client.set("k10", value)).toBe(true);
    expect(sent()).toBe(11);
  });

  test("what was answered makes room again, however often", async () => {
    const server = use(await startMemcached());
    const limits = { maxQueueLength: 100, maxQueueBytes: 100_000 };
    const client = buffering(server.address, limits);
    const sent = () => client.stats().get(server.address)!.operations;
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 40; i++) expect(await client.set(`k${i}`, value)).toBe(true);
      expect(sent()).toBe(round * 41);
      expect(await client.get("k0")).toEqual(value);
      expect(sent()).toBe(round * 41 + 41);
    }
  });

  test("what failed makes room again, too", async () => {
    const server = use(await MemcachedServer.start());
    const client = buffering(server.address, { maxQueueLength: 20 });
    let lost = 0;
    client.on("lost", () => lost++);
    server.faults.add({
      on: { command: "set" },
      do: { kind: "answer", bytes: "SERVER_ERROR out of memory storing object\r\n" },
    });
    for (let round = 1; round <= 3; round++) {
      for (let i = 0; i < 10; i++) expect(await client.set(`k${i}`, i)).toBe(true);
      expect(await client.get("k0")).toBeUndefined();
      expect(lost).toBe(round * 10);
    }
  });

  test("a dead server refuses the call itself", async () => {
    const server = use(await startMemcached());
    const behaviors = { buffer_requests: true, failure_limit: 1 };
    const client = use(new Client(server.address, { behaviors }));
    await server.kill();
    await expect(client.get("k")).rejects.toThrow();
    await expect(client.set("k", 1)).rejects.toThrow();
  });

  test("over UDP nothing is held", async () => {
    const server = use(await startMemcached({ args: ["-U", "-1"] }));
    const address = `udp:127.0.0.1:${server.udpPort}`;
    const client = buffering(address);
    expect(await client.set("k", 1)).toBe(true);
    expect(client.stats().get(address)!.operations).toBe(1);
  });
});
