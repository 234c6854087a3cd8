import { connect, createServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Client, type ClientOptions, QueueFullError, TimeoutError } from "tslibmc";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { Authority } from "../support/certificates.js";
import { bytesInUse } from "../support/garbage.js";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { listen } from "../support/port.js";
import { ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { clientOf, PATIENT, use } from "../support/use.js";

describe("a server that does not keep up", () => {
  test("operations past the limit fail at once, and the first ones are not harmed", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, { maxQueueLength: 100, timeoutMs: 10_000 });
    await client.set("k", 1);
    await memcached.pause();
    const calls = Array.from({ length: 150 }, () => outcome(client.incr("k")));
    const refused = await Promise.all(calls.slice(100));
    for (const error of refused) {
      expect(error).toBeInstanceOf(QueueFullError);
      expect(error).toMatchObject({ sent: false, server: memcached.address, command: "incr" });
    }
    memcached.resume();
    expect(await Promise.all(calls.slice(0, 100))).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 2),
    );
    expect(await client.get("k")).toBe(101);
  });

  test("so do bytes past the limit; one value alone may be larger", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, { maxQueueBytes: 1_000, timeoutMs: 10_000 });
    expect(await client.set("k", "x".repeat(5_000))).toBe(true);
    await memcached.pause();
    const calls = Array.from({ length: 15 }, () => outcome(client.set("k", "x".repeat(100))));
    for (const error of await Promise.all(calls.slice(10))) {
      expect(error).toBeInstanceOf(QueueFullError);
    }
    memcached.resume();
    expect(await Promise.all(calls.slice(0, 10))).toEqual(new Array(10).fill(true));
    expect(await client.set("k", "x".repeat(1_000))).toBe(true);
  });

  test("or they wait for room", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, {
      maxQueueLength: 10,
      whenQueueFull: "wait",
      timeoutMs: 10_000,
    });
    await client.set("k", 0);
    await memcached.pause();
    const calls = Array.from({ length: 1_000 }, () => outcome(client.incr("k")));
    await until(() => client.stats().get(memcached.address)!.inFlight > 0);
    expect(client.stats().get(memcached.address)).toMatchObject({ inFlight: 10, waiting: 990 });
    memcached.resume();
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  });

  test("other servers keep answering", async () => {
    const [one, two] = [use(await startMemcached()), use(await startMemcached())];
    const client = clientOf([one.address, two.address], { maxQueueLength: 10, timeoutMs: 500 });
    const on = (index: number) =>
      Array.from({ length: 100 }, (_, i) => `k${i}`).find(
        (key) => client.serverFor(key).index === index,
      )!;
    await client.set(on(1), "v", PATIENT);
    await one.pause();
    const stuck = Array.from({ length: 50 }, () => outcome(client.get(on(0))));
    for (let i = 0; i < 100; i++) expect(await client.get(on(1), PATIENT)).toBe("v");
    for (const error of await Promise.all(stuck)) {
      expect(error instanceof TimeoutError || error instanceof QueueFullError).toBe(true);
    }
  });

  test("memory stays flat against a server that never reads", async () => {
    const server = use(await ScriptedServer.start((connection) => connection.socket.pause()));
    const client = clientOf(server.address, {
      timeoutMs: 100,
      maxQueueLength: 1_000,
      maxQueueBytes: 8 * 1024 * 1024,
      stallTimeoutMs: 300,
      behaviors: { failure_limit: 1_000_000 }, // which goes on writing to it
    });
    const value = Buffer.alloc(100_000);
    const produceUntil = async (connects: number) => {
      while (client.stats().get(server.address)!.connects < connects) {
        await Promise.all(
          Array.from({ length: 100 }, (_, n) =>
            outcome(n % 2 ? client.set("k", Buffer.from(value)) : client.get("k")),
          ),
        );
        await nextTurn(); // refused at once, they would leave no connection the time to be made
      }
    };
    await produceUntil(2);
    const before = bytesInUse();
    await produceUntil(5); // each connection is given 5 MB, and goes after 300 ms
    expect(bytesInUse() - before).toBeLessThan(12 * 1024 * 1024);
  });
});

describe("a server that reads slowly", () => {
  test("a large pipeline of sets loses nothing", async () => {
    const total = Number(process.env["PIPELINE_MIB"] ?? 64);
    let received = 0;
    const server = use(
      await ScriptedServer.start((connection) => {
        const { socket } = connection;
        socket.removeAllListeners("data");
        let rest = Buffer.alloc(0);
        let body = 0;
        socket.on("data", (chunk) => {
          // Reads only now and then, as a busy server does.
          socket.pause();
          setTimeout(() => socket.resume(), 0);
          rest = Buffer.concat([rest, chunk]);
          for (;;) {
            if (body > 0) {
              const taken = Math.min(body, rest.length);
              body -= taken;
              rest = rest.subarray(taken);
              if (body > 0) return;
              received++;
              connection.send("STORED\r\n");
            }
            const end = rest.indexOf("\r\n");
            if (end < 0) return;
            body = Number(rest.subarray(0, end).toString().split(/ +/)[4]) + 2;
            rest = rest.subarray(end + 2);
          }
        });
      }),
    );
    const client = clientOf(server.address, {
      timeoutMs: 120_000,
      whenQueueFull: "wait",
      maxValueSize: 2 ** 21,
    });
    const value = Buffer.alloc(1024 * 1024, "v");
    let next = 0;
    let stored = 0;
    const worker = async () => {
      while (next++ < total) if (await client.set(`k${next}`, value)) stored++;
    };
    await Promise.all(Array.from({ length: 32 }, worker));
    expect({ stored, received }).toEqual({ stored: total, received: total });
  });

  test("what expires while the socket is blocked is never sent", async () => {
    const server = use(await ScriptedServer.start((connection) => connection.socket.pause()));
    const client = clientOf(server.address, { timeoutMs: 200, stallTimeoutMs: 60_000 });
    const value = Buffer.alloc(1_000_000, "v");
    const filling = Array.from({ length: 20 }, (_, i) => outcome(client.set(`fill${i}`, value)));
    const unsent = await outcome(client.set("unsent", "x"));
    expect(unsent).toBeInstanceOf(TimeoutError);
    expect(unsent).toMatchObject({ sent: false });
    for (const each of await Promise.all(filling)) expect(each).toBeInstanceOf(TimeoutError);
    // Nothing waits but what asks whether the server is alive, which takes 25 ms to come.
    expect(client.stats().get(server.address)?.waiting).toBeLessThan(2);
    server.connections[0]?.socket.resume();
    await until(() => server.received.includes("fill0"));
    expect(server.received).not.toContain("unsent");
  });
});

describe("a line so slow that what is sent takes longer than stallTimeoutMs", () => {
  const authority = new Authority("authority of the slow");
  afterAll(() => authority[Symbol.dispose]());
  const { certFile, keyFile } = authority.issue("slow", ["IP:127.0.0.1"]);
  const secure = ["-Z", "-o", `ssl_chain_cert=${certFile},ssl_key=${keyFile}`];
  const large = Buffer.alloc(40_000_000, "v");
  const many = new Map(Array.from({ length: 4_000 }, (_, i) => [`k${i}`, Buffer.alloc(10_000)]));

  test.each<[string, ClientOptions, string[], (client: Client) => Promise<unknown>, unknown]>([
    ["one value", {}, [], (client) => client.set("k", large), true],
    ["one string", {}, [], (client) => client.set("k", large.toString("latin1")), true],
    ["over TLS", { tls: { ca: authority.cert } }, secure, (client) => client.set("k", large), true],
    ["quiet changes", { binary: true }, [], (client) => client.setMulti(many), []],
  ])("is no silence: %s", async (_, options, args, store, stored) => {
    const size = ["-I", "64m", "-m", "512"];
    const memcached = use(await startMemcached({ args: [...size, ...args] }));
    const client = clientOf(await slowLineTo(memcached), {
      ...options,
      maxValueSize: large.length,
      timeoutMs: 60_000,
      stallTimeoutMs: 1_200,
    });
    expect(await client.touch("k", 1)).toBe(false);
    expect(await store(client)).toEqual(stored);
    const [{ connects = 0 } = {}] = client.stats().values();
    expect(connects).toBe(1);
  });
});

describe("values of several writes keep their place among other requests", () => {
  const MIB = 1024 * 1024;
  const sizes = [MIB - 1, MIB, MIB + 1, 10, 2 * MIB, 2 * MIB + 1, 20_000, 3_333_333, 1];
  const values = sizes.map((size, i) => {
    const letter = String.fromCharCode(97 + i);
    return i % 2 === 0 ? letter.repeat(size) : Buffer.alloc(size, letter);
  });

  test.each([false, true])("binary: %s", async (binary) => {
    const memcached = use(await startMemcached({ args: ["-I", "8m", "-m", "256"] }));
    const client = clientOf(memcached.address, {
      binary,
      maxValueSize: 8 * MIB,
      timeoutMs: 20_000,
    });
    const calls = values.map((value, i) => [
      client.set(`k${i}`, value, { noreply: i % 3 === 0 }),
      client.get<string | Buffer>(`k${i}`),
      client.incr("absent"),
    ]);
    for (const [i, [stored, found, absent]] of (
      await Promise.all(calls.map((call) => Promise.all(call)))
    ).entries()) {
      expect([stored, absent]).toEqual([true, undefined]);
      const [value, read] = [values[i], found].map((each) => Buffer.from(each as string));
      expect(read?.equals(value!)).toBe(true);
    }
    expect(client.stats().get(memcached.address)).toMatchObject({ connects: 1, errors: 0 });
  });
});

/** A line over which some 17 MB come through in a second. */
async function slowLineTo({ port, host }: Memcached): Promise<string> {
  const line = createServer((socket) => {
    const back = connect(port, host);
    let burst = 0;
    for (const one of [socket, back]) one.on("error", () => one.destroy());
    back.pipe(socket);
    socket.on("data", (bytes) => {
      back.write(bytes);
      burst += bytes.length;
      if (burst < 256 * 1024) return;
      burst = 0;
      socket.pause();
      setTimeout(() => socket.resume(), 15);
    });
    socket.on("close", () => back.destroy());
  });
  onTestFinished(() => void line.close());
  return `127.0.0.1:${await listen(line)}`;
}

test("a call on 100,000 keys and a large value leave room for others", async () => {
  const memcached = use(await startMemcached({ args: ["-m", "256"] }));
  const client = clientOf(memcached.address, { timeoutMs: 20_000 });
  const keys = Array.from({ length: 100_000 }, (_, i) => `key:${i}`);
  await client.setMulti(new Map(keys.slice(0, 50_000).map((key) => [key, "v"])));
  await client.set("small", "s");
  const many = client.getMulti(keys);
  const small = await client.get("small");
  expect(small).toBe("s");
  expect((await many).size).toBe(50_000);
});
