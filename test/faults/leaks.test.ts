import { getEventListeners, once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { Client, type ClientOptions, ClientPool, ThreadMappedPool } from "tslibmc";
import { serverFile } from "tslibmc/discovery";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Authority } from "../support/certificates.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";

const CYCLES = 100;

/** What a process has open. */
function open(): { handles: number; descriptors: number } {
  const handles = process.getActiveResourcesInfo().length;
  const folder = "/proc/self/fd";
  return { handles, descriptors: existsSync(folder) ? readdirSync(folder).length : 0 };
}

const sockets = new Set<Socket>();
let authority: Authority;
let servers: Server[];

/** Answers every line with 5, as it answers an `incr`. */
function serve(socket: Socket): void {
  sockets.add(socket);
  socket
    .on("error", () => {})
    .on("close", () => sockets.delete(socket))
    .on("data", (bytes) => {
      for (const byte of bytes) if (byte === 10) socket.write("5\r\n");
    });
}

beforeAll(async () => {
  authority = new Authority("authority of what is left");
  const { cert, key } = authority.issue("left", ["IP:127.0.0.1"]);
  servers = [
    createServer(serve).listen(0, "127.0.0.1"),
    createServer(serve).listen(join(tmpdir(), `left-${process.pid}.sock`)),
    createTlsServer({ cert, key }, serve).listen(0, "127.0.0.1"),
  ];
  await Promise.all(servers.map((server) => once(server, "listening")));
});
afterAll(() => {
  for (const server of servers) server.close();
  authority[Symbol.dispose]();
});

function addressOf(index: number): string {
  const address = servers[index]!.address()!;
  return typeof address === "string" ? address : `127.0.0.1:${address.port}`;
}

/** Runs it again and again, and waits until all that was opened meanwhile is closed. */
async function leavesNothing(cycle: () => Promise<unknown>): Promise<void> {
  await cycle();
  await until(() => sockets.size === 0);
  const before = open();
  for (let i = 0; i < CYCLES; i++) await cycle();
  await until(() => {
    const now = open();
    return now.handles <= before.handles && now.descriptors <= before.descriptors;
  });
}

describe(`${CYCLES} lives of a client leave nothing open`, () => {
  test.each<[string, number, () => ClientOptions]>([
    ["over TCP", 0, () => ({})],
    ["with several connections", 0, () => ({ connections: 3 })],
    ["over a unix socket", 1, () => ({})],
    ["over TLS", 2, () => ({ tls: { ca: authority.cert } })],
  ])("%s, with its connection lost in between", async (_, index, options) => {
    let connects = 0;
    await leavesNothing(async () => {
      const client = new Client(addressOf(index), options());
      client.on("connect", () => connects++);
      expect(await client.incr("k")).toBe(5);
      const call = errorOf(client.incr("k"));
      for (const socket of sockets) socket.destroy();
      await call;
      await errorOf(client.incr("k"));
      const last = errorOf(client.incr("k"));
      await client.close();
      await last;
    });
    expect(connects).toBeGreaterThan(CYCLES);
  });

  test("where nobody is, over TCP and UDP", async () => {
    await leavesNothing(async () => {
      const client = new Client(["127.0.0.1:1", "udp:127.0.0.1:1"], { timeoutMs: 20 });
      expect(await errorOf(client.incrMulti(["a", "b", "c", "d"]))).toBeInstanceOf(Error);
      await client.close();
    });
  });

  test("in pools", async () => {
    const master = new Client(addressOf(0));
    await leavesNothing(async () => {
      const pool = new ClientPool(master, 2);
      const mapped = new ThreadMappedPool(master);
      const reserving = [1, 2, 3].map(() =>
        pool.reserve((client) => client.incr("k"), { timeoutMs: 10_000 }),
      );
      reserving.push(mapped.reserve((client) => client.incr("k")));
      expect(await Promise.all(reserving)).toEqual([5, 5, 5, 5]);
      await pool.close();
      await mapped.close();
    });
    await master.close();
  });

  test("that follows a file", async () => {
    await leavesNothing(async () => {
      const client = new Client(addressOf(0));
      client.follow(serverFile(join(tmpdir(), "no-such-list-of-servers")));
      expect(await client.incr("k")).toBe(5);
      await client.close();
    });
  });
});

test("a signal that outlives its calls keeps none of them, however they end", async () => {
  const { signal } = new AbortController();
  const listeners = () => getEventListeners(signal, "abort").length;
  let most = 0;
  for (let i = 0; i < 20; i++) {
    await using client = new Client(addressOf(0), { timeoutMs: 5_000 });
    const calls = [
      client.incr("k", 1, { signal }),
      client.get("k", { signal, timeoutMs: 1 }),
      client.getMulti(["k", "l"], { signal, timeoutMs: 1 }),
      client.set("k", 1, { signal, noreply: true }),
    ].map(errorOf);
    most = Math.max(most, listeners());
    await calls[0];
    const cut = errorOf(client.incr("k", 1, { signal }));
    for (const socket of sockets) socket.destroy();
    await Promise.all([...calls, cut]);
  }
  expect(most).toBe(1);
  expect(listeners()).toBe(0);
});
