import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectError, ConnectionClosedError, OptionError } from "tslibmc";
import { describe, expect, test } from "vitest";
import { backoffMs } from "../../src/connection/backoff.js";
import { startMemcached } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { freePort } from "../support/port.js";
import { ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { clientOf, use } from "../support/use.js";

const deadAddress = async () => `127.0.0.1:${await freePort()}`;

describe("a server that refuses", () => {
  test("calls fail at once, and later ones without another attempt until it is due", async () => {
    const client = clientOf(await deadAddress());
    let attempts = 0;
    let during: Promise<unknown> | undefined;
    client.on("connectError", () => {
      attempts++;
      during ??= outcome(client.get("k"));
    });
    const errors = await Promise.all(
      Array.from({ length: 100 }, (_, i) => outcome(client.get(`k${i}`))),
    );
    for (const error of errors) {
      expect(error).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({ sent: false, cause: { code: "ECONNREFUSED" } });
    }
    expect(await during).toMatchObject({
      name: "ConnectError",
      message: expect.stringMatching(/ECONNREFUSED.*; the next attempt is due in \d+ ms/),
    });
    expect(attempts).toBe(1);
  });

  test("attempts become rarer, however many calls are made", async () => {
    const client = clientOf(await deadAddress());
    const attempts: number[] = [];
    client.on("connectError", ({ retryInMs }) => attempts.push(retryInMs));
    await until(() => {
      for (let i = 0; i < 10; i++) void outcome(client.get("k"));
      return attempts.length === 4;
    });
    for (const [i, ms] of attempts.entries()) {
      expect(ms).toBeGreaterThanOrEqual(0.5 * 50 * 2 ** i);
      expect(ms).toBeLessThanOrEqual(50 * 2 ** i);
      expect(ms).toSatisfy(Number.isInteger);
    }
  });

  test("others are not affected", async () => {
    const [one, two] = [use(await startMemcached()), await deadAddress()];
    const client = clientOf([one.address, two]);
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
    const settled = await Promise.all(keys.map((key) => outcome(client.set(key, 1))));
    for (const [i, result] of settled.entries()) {
      if (client.serverFor(keys[i] ?? "").index === 0) expect(result).toBe(true);
      else expect(result).toBeInstanceOf(ConnectError);
    }
  });

  test("it is found again when it comes back", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address);
    await client.set("k", "v");
    await memcached.kill();
    await until(() => !client.stats().get(memcached.address)!.connected);
    expect(await outcome(client.get("k"))).toBeInstanceOf(ConnectError);
    await memcached.start();
    let found: unknown = new Error();
    while (found instanceof ConnectError || found instanceof Error)
      found = await outcome(client.get("k"));
    expect(found).toBeUndefined();
  });
});

test("pauses double up to a limit, and are spread", () => {
  const at = (failures: number, random: number) => backoffMs(failures, 2_000, () => random);
  expect([1, 2, 3, 4].map((n) => at(n, 1))).toEqual([50, 100, 200, 400]);
  expect(at(1000, 1)).toBe(2_000);
  expect([at(1, 0), at(1, 1)]).toEqual([25, 50]);
  expect(backoffMs(9, 0, () => 1)).toBe(50);
});

test("a hundred clients of one lost server do not come back together", async () => {
  const address = await deadAddress();
  const pauses = Array.from({ length: 100 }, () => {
    const client = clientOf(address);
    const own: number[] = [];
    client.on("connectError", ({ retryInMs }) => own.push(retryInMs));
    void outcome(client.get("k"));
    return own;
  });
  await until(() => pauses.every(({ length }) => length >= 4));
  // The fourth pause is 200 to 400 ms; of its ten slices none has half of the clients.
  const slices = new Array<number>(10).fill(0);
  for (const [, , , pause] of pauses) slices[Math.min(9, Math.floor((pause! - 200) / 20))]!++;
  expect(Math.max(...slices)).toBeLessThan(50);
  expect(slices.reduce((sum, count) => sum + count)).toBe(100);
});

test("no answer to the attempt to connect ends by connectTimeoutMs", async () => {
  // One that is stopped accepts nothing, and with its queue full the kernel drops what comes.
  const memcached = use(await startMemcached({ args: ["-b", "1"] }));
  await memcached.pause();
  const fillers = Array.from({ length: 8 }, () => connect(memcached.port, "127.0.0.1"));
  for (const filler of fillers) filler.on("error", () => {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  const client = clientOf(memcached.address, { connectTimeoutMs: 150, timeoutMs: 30_000 });
  const error = await outcome(client.get("k"));
  for (const filler of fillers) filler.destroy();
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({ sent: false, message: expect.stringContaining("150 ms") });
});

test("an attempt to connect ends by connectTimeoutMs, too, when nobody waits for it any more", async () => {
  const server = use(await ScriptedServer.start());
  const client = clientOf(server.address, { tls: true, connectTimeoutMs: 50 });
  const failures: string[] = [];
  client.on("connectError", ({ error }) => failures.push(error.message));
  const controller = new AbortController();
  const call = outcome(client.get("k", { signal: controller.signal }));
  await until(() => server.connections.length === 1);
  controller.abort();
  expect(await call).toMatchObject({ name: "AbortError" });
  await until(() => failures.length === 1);
  expect(failures).toEqual([expect.stringContaining("nothing came of it within 50 ms")]);
});

describe("ERROR Too many open connections", () => {
  test("is a failure to connect, and no answer to anybody", async () => {
    const server = use(
      await ScriptedServer.start((connection) => {
        connection.socket.end("ERROR Too many open connections\r\n");
      }),
    );
    const client = clientOf(server.address);
    const calls = [client.get("a"), client.set("b", 1), client.incr("c"), client.has("d")];
    for (const error of await Promise.all(calls.map(outcome))) {
      expect(error).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({
        sent: false,
        message: expect.stringContaining("limit of connections"),
      });
    }
    expect(client.stats().get(server.address)).toMatchObject({ connectErrors: 1 });
  });

  test("of a real memcached that is full; it is used as soon as there is room", async () => {
    const memcached = use(await startMemcached({ args: ["-c", "60", "-t", "1"] }));
    const holders = Array.from({ length: 120 }, () => {
      const socket = connect(memcached.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.resume();
      return socket;
    });
    await until(() => holders.filter((socket) => socket.closed).length > 10);
    const client = clientOf(memcached.address);
    const error = await outcome(client.incr("k"));
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ sent: false });
    for (const holder of holders) holder.destroy();
    let counted: unknown = error;
    while (counted instanceof Error) counted = await outcome(client.set("k", 1));
    expect(counted).toBe(true);
  });
});

test("a server that hangs up on everybody is not hammered", async () => {
  const server = use(await ScriptedServer.start((connection) => connection.socket.destroy()));
  const client = clientOf(server.address);
  const end = performance.now() + 500;
  while (performance.now() < end) {
    const error = await outcome(client.get("k"));
    expect(error instanceof ConnectError || error instanceof ConnectionClosedError).toBe(true);
  }
  expect(server.connections.length).toBeLessThan(20);
});

describe("names", () => {
  test("one that does not resolve is a ConnectError with Node's code", async () => {
    const client = clientOf("does-not-exist.invalid:11211", { timeoutMs: 10_000 });
    const error = await outcome(client.get("k"));
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ sent: false, cause: { syscall: "getaddrinfo" } });
  });

  test("one is resolved anew for each connection, and keeps its keys", async () => {
    const [one, two] = [use(await startMemcached()), use(await startMemcached())];
    const asked: string[] = [];
    const client = clientOf(`cache.test:${one.port}`, {
      socket: {
        lookup: (
          host: string,
          _: unknown,
          done: (error: null, found: { address: string; family: number }[]) => void,
        ) => {
          asked.push(host);
          done(null, [{ address: "127.0.0.1", family: 4 }]);
        },
      },
    });
    await client.set("k", 1);
    client.disconnectAll();
    expect(await client.get("k")).toBe(1);
    expect(asked).toEqual(["cache.test", "cache.test"]);
    expect(two.port).not.toBe(one.port);
  });
});

describe("unix sockets", () => {
  test("a path that is not there is a ConnectError", async () => {
    const client = clientOf("/tmp/no-such-socket.sock");
    expect(await outcome(client.get("k"))).toMatchObject({
      name: "ConnectError",
      cause: { code: "ENOENT" },
    });
  });

  test("a path that is too long is refused: the rest cut off, it may be another's", async () => {
    const folder = mkdtempSync(join(tmpdir(), "long-"));
    const path = (length: number) => join(folder, "é".repeat(length)).slice(0, length);
    const bytes = (each: string) => Buffer.byteLength(each);
    const long = path(107);
    expect(bytes(long)).toBeGreaterThan(107);
    expect(() => clientOf(long)).toThrow(/is a path of \d+ bytes; a unix socket's has 107 at most/);
    expect(() => clientOf([{ path: long }])).toThrow(OptionError);
    expect(() => clientOf(`memcached://${long}`)).toThrow(OptionError);
    const longest = join(folder, "x".repeat(106 - bytes(folder)));
    expect(bytes(longest)).toBe(107);
    const server = createServer((socket) => socket.end("VERSION of the longest\r\n")).listen(
      longest,
    );
    await once(server, "listening");
    expect((await clientOf(longest).version()).get(longest)).toBe("of the longest");
    server.close();
    rmSync(folder, { recursive: true });
  });

  test("one that is replaced is found again", async () => {
    const memcached = use(await startMemcached({ unix: true }));
    const client = clientOf(memcached.address);
    await client.set("k", 1);
    await memcached.restart();
    let found: unknown = new Error();
    while (found instanceof Error) found = await outcome(client.get("k"));
    expect(found).toBeUndefined();
  });
});

test("ten thousand first calls open one socket", async () => {
  const server = use(
    await ScriptedServer.start((connection) => connection.onLine(() => connection.send("5\r\n"))),
  );
  const client = clientOf(server.address, { timeoutMs: 20_000 });
  const calls = Array.from({ length: 10_000 }, (_, i) => client.incr(`k${i}`));
  expect(new Set(await Promise.all(calls))).toEqual(new Set([5]));
  expect(server.connections.length).toBe(1);
});
