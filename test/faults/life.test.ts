import { spawn } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { Client, ConnectionClosedError, type MemcachedError, TimeoutError } from "tslibmc";
import { describe, expect, onTestFinished, test } from "vitest";
import { startMemcached } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { clientOf, PATIENT, use } from "../support/use.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Runs a program that has the client, in a process of its own. */
function program(source: string, ...args: string[]) {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", source, "--", ...args],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
  );
  let printed = "";
  child.stdout.on("data", (data) => (printed += data));
  child.stderr.on("data", (data) => (printed += data));
  const ended = once(child, "close").then(([code]) => ({ code, printed }));
  return { child, ended, printed: () => printed };
}

const IMPORT = `import { Client } from "./src/index.ts";
const client = new Client(process.argv.at(-1), { timeoutMs: 15_000 });
`;

test("a connection that its server closed while idle is noticed and replaced without an error", async () => {
  const memcached = use(await startMemcached());
  const client = clientOf(memcached.address);
  await client.set("k", 1);
  await memcached.restart();
  await until(() => !client.stats().get(memcached.address)!.connected);
  expect(await client.get("k")).toBeUndefined();
});

test("idle_timeout is no error to anybody", async () => {
  const memcached = use(await startMemcached({ args: ["-o", "idle_timeout=1"] }));
  const client = clientOf(memcached.address);
  const errors: (MemcachedError | undefined)[] = [];
  client.on("disconnect", ({ error }) => errors.push(error));
  await client.set("k", 1);
  await until(() => errors.length === 1);
  expect(errors[0]).toBeInstanceOf(ConnectionClosedError);
  expect(await client.incr("k")).toBe(2);
});

test("after a restart everything is a miss, and old tokens are of no use", async () => {
  const memcached = use(await startMemcached());
  const client = clientOf(memcached.address);
  await client.set("k", 1);
  const { cas } = (await client.gets("k"))!;
  await memcached.restart();
  await until(() => !client.stats().get(memcached.address)!.connected);
  expect(await client.cas("k", 2, cas)).toBe(false);
  expect(await client.getMulti(["k", "l"])).toEqual(new Map());
});

describe("ten thousand in flight when the connection drops", () => {
  test("are each settled once, in order", async () => {
    const server = use(await ScriptedServer.start());
    const client = clientOf(server.address, { timeoutMs: 20_000 });
    const settled: number[] = [];
    const calls = Array.from({ length: 10_000 }, (_, i) =>
      outcome(client.incr(`k${i}`)).then((error) => {
        settled.push(i);
        return error;
      }),
    );
    await until(() => server.received.endsWith("incr k9999 1\r\n"));
    server.connections[0]?.socket.resetAndDestroy();
    for (const error of await Promise.all(calls)) {
      if (!(error instanceof ConnectionClosedError && error.sent)) throw error;
    }
    expect(settled).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  });

  test("what can do no harm goes out once more, in order", async () => {
    const server = use(
      await ScriptedServer.start((connection, number) => {
        if (number > 1) connection.onLine(() => connection.send("DELETED\r\n"));
      }),
    );
    const client = clientOf(server.address, { timeoutMs: 20_000 });
    const calls = Array.from({ length: 10_000 }, (_, i) => client.delete(`k${i}`));
    await until(() => server.received.endsWith("delete k9999\r\n"));
    server.connections[0]?.socket.destroy();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([true]));
    expect(server.connections[1]?.received).toBe(server.connections[0]?.received);
  });
});

test("a lost connection is not made again for calls that nobody waits for any more", async () => {
  const server = use(await ScriptedServer.start());
  const client = clientOf(server.address, { maxQueueLength: 1, whenQueueFull: "wait" });
  const states: string[] = [];
  const hear = (message: unknown) => {
    const { server: name, state } = message as { server: string; state: string };
    if (name === server.address) states.push(state);
  };
  subscribe("tslibmc:connection", hear);
  onTestFinished(() => void unsubscribe("tslibmc:connection", hear));
  const controller = new AbortController();
  const { signal } = controller;
  client.on("disconnect", () => controller.abort());
  const calls = [client.get("sent", { signal }), client.get("unsent", { signal })];
  await until(() => server.received === "get sent\r\n");
  server.connections[0]?.socket.destroy();
  for (const error of await Promise.all(calls.map(outcome))) {
    expect(error).toMatchObject({ name: "AbortError" });
  }
  expect(states).toEqual(["connecting", "open", "closed"]);
});

test("servers come and go while calls run: each is settled, and none shifts", async () => {
  const servers = [use(await startMemcached()), use(await startMemcached())];
  const [one, two] = servers.map(({ address }) => address) as [string, string];
  const client = clientOf([one], PATIENT);
  let running = true;
  let wrong = 0;
  const workers = Array.from({ length: 8 }, async (_, w) => {
    for (let i = 0; running; i++) {
      const key = `w${w}:${i % 50}`;
      await client.set(key, key);
      const read = await client.get(key);
      if (read !== undefined && read !== key) wrong++;
    }
  });
  for (let i = 0; i < 20; i++) {
    client.setServers(i % 2 === 0 ? [one, two] : [one]);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  running = false;
  await Promise.all(workers);
  expect(wrong).toBe(0);
});

describe("processes", () => {
  test("an idle client does not keep its process", async () => {
    const memcached = use(await startMemcached());
    const { ended } = program(
      `${IMPORT} await client.set("k", 1); console.log(await client.get("k"));`,
      memcached.address,
    );
    expect(await ended).toEqual({ code: 0, printed: "1\n" });
  });

  test("a call in flight does", async () => {
    const server = use(
      await ScriptedServer.start((connection) =>
        connection.onLine(() => setTimeout(() => connection.send("5\r\n"), 300)),
      ),
    );
    const { ended } = program(
      `${IMPORT} client.incr("k").then((n) => console.log(n));`,
      server.address,
    );
    expect(await ended).toEqual({ code: 0, printed: "5\n" });
  });

  test("errors that nobody listens to do not end it", async () => {
    const memcached = use(await startMemcached());
    const { child, ended, printed } = program(
      `${IMPORT}
      await client.set("k", 1);
      console.log("ready");
      process.stdin.resume();
      const hold = setInterval(() => {}, 1000);
      for (let failed = 0; failed < 3; )
        await client.get("k").then(() => new Promise(setImmediate), () => failed++);
      console.log("alive");
      clearInterval(hold);`,
      memcached.address,
    );
    await until(() => printed().includes("ready"));
    await memcached.kill();
    await until(() => printed().includes("alive") || child.exitCode !== null);
    expect(await ended).toEqual({ code: 0, printed: "ready\nalive\n" });
  });

  test("process.exit in the middle of traffic is an ordinary end", async () => {
    const memcached = use(await startMemcached());
    const { ended } = program(
      `${IMPORT}
      await client.set("k", 1);
      for (let i = 0; i < 1000; i++) void client.get("k").then(() => i === 500 && process.exit(7));`,
      memcached.address,
    );
    expect(await ended).toEqual({ code: 7, printed: "" });
  });

  test("one that is told to end closes its client, and has done what it was called for", async () => {
    const memcached = use(await startMemcached());
    const { child, ended, printed } = program(
      `${IMPORT}
      await client.set("ready", 1);
      const busy = setInterval(() => {}, 1000);
      process.once("SIGTERM", async () => {
        clearInterval(busy);
        const tell = (result) => console.log(JSON.stringify(result));
        void client.set("large", "v".repeat(1_000_000), { compress: true }).then(tell);
        void client.incr("n", 1, { initial: 5 }).then(tell);
        await client.close();
        await client.get("n").catch((error) => tell(error.message));
      });
      console.log("ready");`,
      memcached.address,
    );
    await until(() => printed().includes("ready"));
    child.kill("SIGTERM");
    const { code, printed: all } = await ended;
    expect(code).toBe(0);
    const lines = all.trim().split("\n");
    expect(lines.slice(0, 3).sort()).toEqual(["5", "ready", "true"]);
    expect(lines.slice(3)).toEqual(['"get: this client was closed"']);
    expect(await clientOf(memcached.address, PATIENT).get("large")).toHaveLength(1_000_000);
  });

  test("a worker that is terminated takes its connections with it", async () => {
    const memcached = use(await startMemcached());
    const file = join(mkdtempSync(join(tmpdir(), "worker-")), "worker.mjs");
    const url = (path: string) => JSON.stringify(pathToFileURL(join(root, path)).href);
    writeFileSync(
      file,
      `import { parentPort, workerData } from "node:worker_threads";
      import { register } from ${JSON.stringify(import.meta.resolve("tsx/esm/api"))};
      register();
      const { Client } = await import(${url("src/index.ts")});
      const client = new Client(workerData);
      await client.set("k", 1);
      parentPort.postMessage("ready");
      for (;;) await client.get("k");`,
    );
    const worker = new Worker(file, { workerData: memcached.address, execArgv: [] });
    await once(worker, "message");
    await worker.terminate();
    rmSync(dirname(file), { recursive: true });
    const client = clientOf(memcached.address);
    const connections = async () =>
      (await client.getStats()).get(memcached.address)?.["curr_connections"];
    const alone = 3; // two of memcached's own, and the one that asks
    while (Number(await connections()) > alone);
    expect(await client.get("k")).toBe(1);
  });

  test("one that was frozen and thawed reads the answers that came meanwhile", async () => {
    const memcached = use(await startMemcached());
    const { child, ended, printed } = program(
      `${IMPORT}
      await client.set("k", 1);
      const call = client.get("k", { timeoutMs: 1_000 });
      setImmediate(() => console.log("sent"));
      await new Promise((resolve) => setTimeout(resolve, 50));
      console.log(await call);
      for (let i = 0; i < 1000; i++) await client.get("k");
      console.log(await client.get("k"));`,
      memcached.address,
    );
    await until(() => printed().includes("sent"));
    child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    child.kill("SIGCONT");
    expect(await ended).toEqual({ code: 0, printed: "sent\n1\n1\n" });
  });
});

test("what a listener throws surfaces, and harms no call", async () => {
  const memcached = use(await startMemcached());
  const client = clientOf(memcached.address);
  client.on("connect", () => {
    throw new RangeError("mine");
  });
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const surfaced = once(process, "uncaughtException");
  try {
    expect(await client.set("k", 1)).toBe(true);
    expect((await surfaced)[0]).toBeInstanceOf(RangeError);
  } finally {
    for (const listener of listeners) process.on("uncaughtException", listener);
  }
  expect(await client.get("k")).toBe(1);
});

test("no timer and no socket is left when a client is closed", async () => {
  const memcached = use(await startMemcached());
  const ours = () =>
    process.getActiveResourcesInfo().filter((name) => /Timeout|TCPSocket|Immediate/.test(name))
      .length;
  const before = ours();
  const client = new Client(memcached.address);
  await client.set("k", 1);
  expect(await outcome(client.get("k", { timeoutMs: 1e-6 }))).toSatisfy(
    (result) => result === 1 || result instanceof TimeoutError,
  );
  await client.close();
  await until(() => ours() <= before);
});
