import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { LookupFunction } from "node:net";
import {
  ArgumentError,
  Client,
  ClientErrorReply,
  type ClientOptions,
  ConnectError,
  ConnectionClosedError,
  NotSupportedError,
  OptionError,
  PartialError,
  ProtocolError,
  TimeoutError,
} from "tslibmc";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { errorOf, outcome } from "../support/outcome.js";
import { until } from "../support/until.js";
import { PATIENT } from "../support/use.js";

const MINE = new RangeError("mine");

function throwMine(): never {
  throw MINE;
}

let server: Memcached;
let address: string;
let client: Client;
let observer: Client;

beforeAll(async () => {
  server = await startMemcached({ args: ["-U", "-1"] });
  address = `udp:${server.host}:${server.udpPort}`;
  client = new Client(address);
  observer = new Client(server.address);
});
beforeEach(async () => {
  await observer.flushAll();
});
afterAll(async () => {
  await client.close();
  await observer.close();
  await server[Symbol.asyncDispose]();
});

describe("over UDP", () => {
  test("values are read, written and counted", async () => {
    expect(await client.get("k")).toBeUndefined();
    expect(await client.set("k", { some: "value" }, 60)).toBe(true);
    expect(await client.get("k")).toEqual({ some: "value" });
    expect(await client.add("k", 1)).toBe(false);
    const { cas } = (await client.gets("k"))!;
    expect(await client.cas("k", 41, cas)).toBe(true);
    expect(await client.incr("k")).toBe(42);
    expect(await client.touch("k", 60)).toBe(true);
    expect(await client.getAndTouch("k", 60)).toBe(42);
    expect(await client.has("k")).toBe(true);
    expect(await client.delete("k")).toBe(true);
    expect(await client.delete("k")).toBe(false);
  });

  test("a reply of many datagrams is put together", async () => {
    const large = Buffer.from(Array.from({ length: 60_000 }, (_, i) => i % 251));
    await observer.set("large", large);
    expect((await client.get<Buffer>("large"))?.equals(large)).toBe(true);
    const [stats] = (await client.getStats()).values();
    expect(stats?.["curr_items"]).toBe(1);
  });

  test("many keys are asked for one by one, and many callers are answered at once", async () => {
    const pairs = Array.from({ length: 150 }, (_, i) => [`k${i}`, i] as const);
    expect(await client.setMulti(pairs)).toEqual([]);
    const keys = pairs.map(([key]) => key);
    expect(await client.getMulti([...keys, "missing"])).toEqual(new Map(pairs));
    expect(await client.getMulti(["missing"])).toEqual(new Map());
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(pairs.map(([, i]) => i));
  });

  test("hits and misses are counted as over TCP, of one key and of many", async () => {
    for (const each of [address, server.address]) {
      await using fresh = new Client(each);
      await fresh.set("k", 1);
      await fresh.get("k");
      await fresh.gets("k");
      await fresh.get("missing");
      await fresh.getMulti(["k", "missing", "missing-too"]);
      await fresh.getMulti(["k"]);
      expect(fresh.stats().get(each)).toMatchObject({ hits: 4, misses: 3 });
    }
  });

  test("silent writes get no reply, and errors are the server's", async () => {
    expect(await client.set("silent", 1, { noreply: true })).toBe(true);
    await client.set("text", "abc");
    await expect(client.incr("text")).rejects.toThrow(ClientErrorReply);
    expect(await observer.get("silent")).toBe(1);
  });

  test("what does not fit into a datagram is refused with the reason", async () => {
    const error: unknown = await client.set("k", Buffer.alloc(1400)).catch((reason) => reason);
    expect(error).toBeInstanceOf(NotSupportedError);
    expect(error).toMatchObject({ sent: false, server: address });
    expect(String(error)).toMatch(/is 14\d\d bytes; over UDP it may have 1392/);
    await expect(client.set("k", Buffer.alloc(100_000))).rejects.toThrow(NotSupportedError);
    expect(await client.set("k", Buffer.alloc(1300))).toBe(true);
  });

  test("keys are placed as over TCP, and servers are named with their transport", () => {
    expect(client.serverFor("k")).toMatchObject({
      name: address,
      host: server.host,
      port: server.udpPort,
    });
    const byObject = new Client([{ host: server.host, port: server.udpPort, udp: true }]);
    expect(byObject.serverFor("k").name).toBe(address);
    byObject.addServer("127.0.0.1:1");
    expect(byObject.servers.map(({ name }) => name)).toEqual([address, "127.0.0.1:1"]);
  });

  test("a socket is opened again after disconnectAll, and closed for good by close", async () => {
    await using other = new Client(address);
    await other.set("k", 1);
    other.disconnectAll();
    expect(await other.get("k")).toBe(1);
    await other.close();
    await expect(other.get("k")).rejects.toMatchObject({ code: "ERR_MEMCACHED_CONNECTION_CLOSED" });
  });
});

describe("what goes wrong with datagrams", () => {
  test("a server that is not there is a ConnectError", async () => {
    const free = createSocket("udp4").bind(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address();
    free.close();
    await using lost = new Client(`udp:127.0.0.1:${port}`);
    await expect(lost.get("k")).rejects.toThrow(ConnectError);
    await expect(lost.get("k")).rejects.toThrow("ECONNREFUSED");
    // The system tells of the first as an error of the second.
    for (const count of [2, 3, 10]) {
      await using together = new Client(`udp:127.0.0.1:${port}`);
      const calls = Array.from({ length: count }, () => outcome(together.get("k")));
      for (const error of await Promise.all(calls)) expect(error).toBeInstanceOf(ConnectError);
    }
  });

  test("a name that nobody knows is a ConnectError", async () => {
    await using lost = new Client("udp:no-such-host.invalid", { timeoutMs: 10_000 });
    await expect(lost.get("k")).rejects.toThrow(ConnectError);
  });

  /** A server of our own, which answers a datagram with others. */
  async function answering(answer: (datagram: Buffer) => Buffer[]) {
    const fake = createSocket("udp4").bind(0, "127.0.0.1");
    fake.on("message", (datagram, { port, address }) => {
      for (const reply of answer(datagram)) fake.send(reply, port, address);
    });
    await once(fake, "listening");
    return { fake, address: `udp:127.0.0.1:${fake.address().port}` };
  }

  const reply = (request: Buffer, place: number, count: number, text: string) => {
    const header = Buffer.from(request.subarray(0, 8));
    header.writeUInt16BE(place, 2);
    header.writeUInt16BE(count, 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };

  test("a lost datagram is a TimeoutError, and later replies find their own requests", async () => {
    let first = true;
    const { fake, address } = await answering((request) => {
      const whole = [reply(request, 1, 2, "1\r\nv\r\nEND\r\n"), reply(request, 0, 2, "VALUE k 0 ")];
      const sent = first ? whole.slice(1) : whole;
      first = false;
      return sent;
    });
    await using lossy = new Client(address, { timeoutMs: 10_000 });
    const error: unknown = await lossy.get("k", { timeoutMs: 100 }).catch((reason) => reason);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({
      sent: true,
      message: expect.stringContaining("within 100 ms, or not all of it"),
    });
    expect(await lossy.get("k")).toEqual(Buffer.from("v"));
    fake.close();
  });

  test("a reply that is late, strange or to nobody harms nobody", async () => {
    const { fake, address } = await answering((request) => [
      Buffer.from("short"),
      Buffer.concat([Buffer.from([0xff, 0xff, 0, 0, 0, 1, 0, 0]), Buffer.from("END\r\n")]),
      reply(request, 5, 2, "END\r\n"),
      reply(request, 0, 1, "END\r\n"),
      reply(request, 0, 1, "END\r\n"),
    ]);
    await using puzzled = new Client(address);
    expect(await puzzled.get("k")).toBeUndefined();
    expect(await puzzled.get("k")).toBeUndefined();
    fake.close();
  });

  test.each([
    ["is incomplete", "VALUE k 0 5\r\nv"],
    ["is no reply", "garbage\r\n"],
  ])("a reply that %s is a ProtocolError of its own request", async (_, text) => {
    const { fake, address } = await answering((request) => [reply(request, 0, 1, text)]);
    await using misled = new Client(address);
    await expect(misled.get("k")).rejects.toThrow(ProtocolError);
    fake.close();
  });

  test("what is behind a reply is nobody's", async () => {
    const texts = ["END\r\nVALUE k 0 1\r\nx\r\nEND\r\n", "VALUE k 0 1\r\nv\r\nEND\r\nSTORED\r\n"];
    const { fake, address } = await answering((request) => [reply(request, 0, 1, texts.shift()!)]);
    await using misled = new Client(address);
    expect(await misled.get("k")).toBeUndefined();
    expect(await misled.get("k")).toEqual(Buffer.from("v"));
    fake.close();
  });

  test("a server that never answers is failing", async () => {
    const { fake, address } = await answering(() => []);
    await using unheard = new Client(address, { timeoutMs: 50 });
    // A call that a busy machine kept from its replies does not count.
    await until(async () => {
      await expect(unheard.get("k")).rejects.toThrow(TimeoutError);
      return unheard.stats().get(address)?.state === "failing";
    });
    fake.close();
  });

  test("one key of many that is lost fails the call when its time is over", async () => {
    const { fake, address } = await answering((request) =>
      request.includes("lost") ? [] : [reply(request, 0, 1, "VALUE k 0 1\r\nv\r\nEND\r\n")],
    );
    await using lossy = new Client(address, { timeoutMs: 1_000 });
    const error: unknown = await lossy.getMulti(["k", "lost"]).catch((reason) => reason);
    expect(error).toBeInstanceOf(PartialError);
    expect((error as PartialError).results).toEqual(new Map([["k", Buffer.from("v")]]));
    fake.close();
  });
});

test.each<[string, string, ClientOptions]>([
  ["the binary protocol", "binary", { binary: true }],
  ["TLS", "tls", { tls: true }],
  ["credentials", "authentication", { username: "a", password: "b" }],
  ["several connections", "connections", { connections: 2 }],
])("UDP with %s is refused", (_, what, options) => {
  expect(() => new Client("udp:localhost", options)).toThrow(OptionError);
  expect(() => new Client("udp:localhost", options)).toThrow(`does not go with ${what}`);
});

describe("options to a socket", () => {
  test("its buffers may be larger or smaller, and a resolver the program's own", async () => {
    const asked: unknown[] = [];
    await using client = new Client(`udp:cache.example:${server.udpPort}`, {
      socket: {
        recvBufferSize: 400_000,
        sendBufferSize: 10_000,
        lookup: (name, { family }, done) => {
          asked.push(name, family);
          done(null, server.host, 4);
        },
      },
    });
    expect(await client.set("k", 1)).toBe(true);
    expect(await client.get("k")).toBe(1);
    expect(asked).toEqual(["cache.example", 4]);
  });

  test("a resolver that fails is a ConnectError", async () => {
    const lookup: LookupFunction = (_, __, done) => done(new Error("no such name"), "", 4);
    await using client = new Client("udp:cache.example", { socket: { lookup } });
    await expect(client.get("k")).rejects.toThrow(ConnectError);
    expect(client.stats().get("udp:cache.example:11211")).toMatchObject({ connectErrors: 1 });
  });

  test.each<[string, LookupFunction, RegExp]>([
    ["throws", () => throwMine(), /: mine$/],
    ["gives the error alone", (...asked) => Reflect.apply(asked[2], null, [MINE]), /: mine$/],
    ["never answers", () => {}, /nothing came of it within 50 ms$/],
  ])("one that %s is, too, and the next call asks it again", async (_, bad, words) => {
    let lookup = bad;
    await using client = new Client(`udp:cache.example:${server.udpPort}`, {
      connectTimeoutMs: 50,
      timeoutMs: 5000,
      socket: { lookup: (...asked) => lookup(...asked) },
    });
    const error = await errorOf(client.get("k"));
    expect(error).toBeInstanceOf(ConnectError);
    expect((error as Error).message).toMatch(words);
    lookup = (_name, _options, done) => done(null, server.host, 4);
    expect(await client.set("k", 1)).toBe(true);
  });

  test("one that answers after the client was closed does no harm", async () => {
    let answer = () => {};
    const lookup: LookupFunction = (_, __, done) => {
      answer = () => done(null, server.host, 4);
    };
    const closing = new Client(`udp:cache.example:${server.udpPort}`, { socket: { lookup } });
    const call = errorOf(closing.get("k"));
    await closing.close({ drainMs: 1 });
    answer();
    const error = await call;
    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toHaveProperty("message", "The client was closed");
  });

  test("buffers can be set for UDP alone", () => {
    const make = (servers: string | string[]) =>
      new Client(servers, { socket: { recvBufferSize: 400_000 } });
    expect(() => make("localhost")).toThrow(OptionError);
    expect(() => make(["udp:localhost", "/run/memcached.sock"])).toThrow(/is for UDP alone/);
  });

  test.each([0, 1.5, Number.NaN, "8"])("a size of %j is refused", (size) => {
    const socket = { recvBufferSize: size as number };
    expect(() => new Client("udp:localhost", { socket })).toThrow(ArgumentError);
  });
});

test.each<[string, ClientOptions]>([
  ["binary", { binary: true }],
  ["tls", { tls: true }],
  ["tls", { tls: {} }],
  ["authentication", { username: "user", password: "secret" }],
  ["authentication", { credentials: () => ({ username: "user", password: "secret" }) }],
  ["connections", { connections: 2 }],
  ["proxy", { proxy: "twemproxy" }],
])("it does not go with %s: %o", (what, options) => {
  const refused = new OptionError(`UDP, as in udp:localhost:11211, does not go with ${what}`);
  expect(() => new Client(["127.0.0.1", "udp:localhost"], options)).toThrow(refused);
  const client = new Client("localhost", options);
  expect(() => client.addServer("udp:localhost")).toThrow(refused);
  expect(() => client.setServers(["udp:localhost"])).toThrow(refused);
});

test.each(["udp:", "udp:/run/memcached.sock", "udp:udp:localhost"])("%s is no server", (text) => {
  expect(() => new Client(text)).toThrow(OptionError);
});

test("a request's number cannot be known to who forges replies", async () => {
  const socket = createSocket("udp4");
  const numbers = new Set<number>();
  socket.on("message", (datagram) => numbers.add(datagram.readUInt16BE(0)));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  for (let n = 0; n < 8; n++) {
    const one = new Client(`udp:127.0.0.1:${port}`, PATIENT);
    const asked = once(socket, "message");
    const read = errorOf(one.get("k"));
    await asked;
    await one.close({ drainMs: 0 });
    await read;
  }
  socket.close();
  expect(numbers.size).toBeGreaterThan(1);
});
