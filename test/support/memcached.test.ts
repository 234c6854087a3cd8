import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Memcached, startMemcached, startMemcacheds } from "./memcached.js";
import { freePort, ownPort, PORTS_OF_A_WORKER } from "./port.js";

/** Sends a line and gives the reply's first bytes. */
async function ask(server: Memcached, words: string): Promise<string> {
  const socket = open(server);
  try {
    socket.write(words);
    const [reply] = await once(socket, "data");
    return String(reply);
  } finally {
    socket.destroy();
  }
}

function open(server: Memcached): Socket {
  return server.port === 0 ? connect(server.address) : connect(server.port, server.host);
}

let shared: Memcached;
beforeAll(async () => {
  shared = await startMemcached();
});
afterAll(() => shared[Symbol.asyncDispose]());

test("answers as soon as it is there", async () => {
  expect(await ask(shared, "version\r\n")).toMatch(/^VERSION \d+\.\d+\.\d+\r\n$/);
});

test("takes arguments", async () => {
  await using server = await startMemcached({ args: ["-c", "77", "-U", "-1"] });
  expect(await ask(server, "stats settings\r\n")).toContain("STAT maxconns 77\r\n");
  expect(server.udpPort).toBeGreaterThan(0);
});

test("listens on a unix socket", async () => {
  await using server = await startMemcached({ unix: true });
  expect(server.address).toMatch(/^\/.*\.sock$/);
  expect(await ask(server, "version\r\n")).toMatch(/^VERSION /);
});

test("is ready even if it refuses text", async () => {
  await using server = await startMemcached({ args: ["-B", "binary"] });
  expect(server.port).toBeGreaterThan(0);
});

test("comes back empty on the same address", async () => {
  await using server = await startMemcached();
  const { address, pid } = server;
  expect(await ask(server, "set restarted 0 0 1\r\nx\r\n")).toBe("STORED\r\n");
  await server.restart();
  expect(server.address).toBe(address);
  expect(server.pid).not.toBe(pid);
  expect(await ask(server, "get restarted\r\n")).toBe("END\r\n");
});

test("answers what was asked while it was paused once it goes on", async () => {
  await using server = await startMemcached();
  await server.pause();
  const socket = open(server);
  let heard = "";
  socket.on("data", (data) => (heard += data));
  await once(socket, "connect");
  socket.write("version\r\n");
  await delay(50);
  expect(heard).toBe("");
  server.resume();
  await once(socket, "data");
  expect(heard).toMatch(/^VERSION /);
  socket.destroy();
});

test.each(["stop", "kill"] as const)("%s ends it, and it can be started again", async (how) => {
  await using server = await startMemcached();
  await server[how]();
  await expect(ask(server, "version\r\n")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(() => server.pid).toThrow("not running");
  await server.start();
  expect(await ask(server, "version\r\n")).toMatch(/^VERSION /);
});

test("says why it could not start", async () => {
  await expect(startMemcached({ args: ["-t", "nonsense"] })).rejects.toThrow(
    /memcached ended \(\d+\)/,
  );
});

test("goes past a port that somebody listens on", async () => {
  const port = await freePort();
  for (let n = 1; n < PORTS_OF_A_WORKER; n++) ownPort(); // its turn comes again
  const taken = createServer();
  await once(taken.listen(port, "127.0.0.1"), "listening");
  await using server = await startMemcached();
  expect(server.port).not.toBe(port);
  expect(await ask(server, "version\r\n")).toMatch(/^VERSION /);
  taken.close();
});

test("several have ports of their own", async () => {
  const servers = await startMemcacheds(3);
  expect(new Set(servers.map((server) => server.port)).size).toBe(3);
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});
