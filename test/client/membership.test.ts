import { spawn } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Client,
  type ClientEvents,
  ClientPool,
  ConnectionClosedError,
  MemcachedError,
  NoServerError,
  OptionError,
  type Servers,
  TimeoutError,
} from "tslibmc";
import { describe, expect, test } from "vitest";
import { until } from "../support/until.js";

/** A source that a test feeds, and that tells what becomes of its iterations. */
class Feed implements AsyncIterable<Servers> {
  started = 0;
  returned = 0;
  readonly #lists: (Servers | Error)[] = [];
  #wake: () => void = () => {};

  give(...lists: (Servers | Error)[]): void {
    this.#lists.push(...lists);
    this.#wake();
  }

  [Symbol.asyncIterator](): AsyncIterator<Servers> {
    this.started++;
    return {
      next: async () => {
        while (this.#lists.length === 0) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        const value = this.#lists.shift()!;
        if (value instanceof Error) throw value;
        return { done: false, value };
      },
      return: async () => {
        this.returned++;
        return { done: true, value: undefined };
      },
    };
  }
}

/** What a client tells of its membership. */
function witness(client: Client) {
  const changes: ClientEvents["membership"][] = [];
  const errors: MemcachedError[] = [];
  client.on("membership", (event) => changes.push(event));
  client.on("membershipError", ({ error }) => errors.push(error));
  return { changes, errors };
}

const names = (client: Client) => client.servers.map(({ name }) => name);

describe("follow", () => {
  test("gives each list that differs to the client, and tells who came and went", async () => {
    await using client = new Client(["a:1", "b:1"]);
    const { changes, errors } = witness(client);
    const feed = new Feed();
    client.follow(feed);
    feed.give(["a:1", "b:1"], ["b:1", "c:1", "d:1"]);
    await until(() => changes.length === 1);
    expect(changes[0]).toEqual({
      servers: client.servers,
      added: ["c:1", "d:1"],
      removed: ["a:1"],
    });
    expect(names(client)).toEqual(["b:1", "c:1", "d:1"]);
    expect(errors).toEqual([]);
  });

  test("takes a change of weight or of the order for one, too", async () => {
    await using client = new Client(["a:1", "b:1"], { behaviors: { ketama_weighted: true } });
    const { changes } = witness(client);
    const feed = new Feed();
    client.follow(feed);
    feed.give(["a:1", "b:1:3"], ["a:1", { host: "b", port: 1, weight: 3 }], ["b:1:3", "a:1"]);
    await until(() => changes.length === 2);
    expect(changes.map(({ servers }) => servers.map(({ name, weight }) => [name, weight]))).toEqual(
      [
        [
          ["a:1", 1],
          ["b:1", 3],
        ],
        [
          ["b:1", 3],
          ["a:1", 1],
        ],
      ],
    );
    expect(changes.every(({ added, removed }) => added.length + removed.length === 0)).toBe(true);
  });

  test("takes what a client takes: a string, a list in one, a URL, sockets", async () => {
    await using client = new Client("a:1");
    const { changes } = witness(client);
    const feed = new Feed();
    client.follow(feed);
    feed.give("b:1", "a:1,b:1:2", "memcached://c:1,d:1", ["/run/m.sock", "udp:e:1"]);
    await until(() => changes.length === 4);
    expect(changes.map(({ servers }) => servers.map(({ name }) => name).join())).toEqual([
      "b:1",
      "a:1,b:1",
      "c:1,d:1",
      "/run/m.sock,udp:e:1",
    ]);
  });

  test.each<[string, unknown]>([
    ["an empty list", []],
    ["a list with a server that is none", ["b:1", "c:"]],
    ["no list", undefined],
    ["a URL with TLS for a client without", "memcacheds://b:1"],
  ])("leaves the servers alone at %s, says so, and goes on", async (_, list) => {
    await using client = new Client(["a:1"]);
    const { changes, errors } = witness(client);
    const feed = new Feed();
    client.follow(feed);
    feed.give(list as Servers);
    await until(() => errors.length === 1);
    expect(names(client)).toEqual(["a:1"]);
    expect(errors[0]?.cause).toBeInstanceOf(OptionError);
    feed.give(["b:1"]);
    await until(() => changes.length === 1);
    expect(feed.started).toBe(1);
  });

  test("iterates a source that fails anew, after pauses that grow", async () => {
    await using client = new Client(["a:1"]);
    const { changes, errors } = witness(client);
    const feed = new Feed();
    const begun = performance.now();
    feed.give(new Error("no luck"), new TimeoutError("no time"), new Error("again"), ["b:1"]);
    client.follow(feed);
    await until(() => changes.length === 1);
    // At least half of 50, 100 and 200 ms.
    expect(performance.now() - begun).toBeGreaterThan(170);
    expect(errors.map(({ message }) => message)).toEqual([
      "The source of servers failed: no luck",
      "no time",
      "The source of servers failed: again",
    ]);
    expect(errors.every((error) => error instanceof MemcachedError)).toBe(true);
    expect(feed.started).toBe(4);
    expect(feed.returned).toBe(0);
  });

  test("survives a source whose iterator cannot even be had", async () => {
    await using client = new Client(["a:1"]);
    const { changes, errors } = witness(client);
    let tries = 0;
    client.follow({
      [Symbol.asyncIterator]() {
        if (++tries < 3) throw "no iterator";
        return new Feed()[Symbol.asyncIterator]();
      },
    });
    await until(() => tries === 3);
    expect(errors.map(({ cause }) => cause)).toEqual(["no iterator", "no iterator"]);
    expect(changes).toEqual([]);
  });

  test("goes through a generator once; its end leaves the servers as they are", async () => {
    await using client = new Client(["a:1"]);
    const { changes, errors } = witness(client);
    client.follow(
      (async function* () {
        yield ["b:1"];
        yield ["c:1"];
      })(),
    );
    await until(() => changes.length === 2);
    expect(names(client)).toEqual(["c:1"]);
    expect(errors).toEqual([]);
  });

  test("ends with close, with its signal, and with another source", async () => {
    const client = new Client(["a:1"]);
    const { changes } = witness(client);
    const [first, second, third] = [new Feed(), new Feed(), new Feed()];
    client.follow(first);
    client.follow(second);
    expect([first.returned, second.returned]).toEqual([1, 0]);
    const abort = new AbortController();
    client.follow(third, { signal: abort.signal });
    abort.abort();
    expect([second.returned, third.returned]).toEqual([1, 1]);
    const fourth = new Feed();
    client.follow(fourth);
    await client.close();
    expect(fourth.returned).toBe(1);
    for (const feed of [first, second, third, fourth]) feed.give(["b:1"]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(changes).toEqual([]);
    expect(names(client)).toEqual(["a:1"]);
  });

  test("is not begun with a signal that is aborted already, nor by a closed client", async () => {
    const feed = new Feed();
    const client = new Client("a:1");
    client.follow(feed, { signal: AbortSignal.abort() });
    feed.give(["b:1"]);
    await client.close();
    expect(names(client)).toEqual(["a:1"]);
    expect(() => client.follow(feed)).toThrow(ConnectionClosedError);
  });

  test("leaves nothing at its signal, however it ended", async () => {
    const { signal } = new AbortController();
    const client = new Client("a:1");
    client.follow(new Feed(), { signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    client.follow(new Feed());
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    client.follow(new Feed(), { signal });
    await client.close();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("does not mind a source that fails at its end", async () => {
    const client = new Client("a:1");
    const never = new Promise<never>(() => {});
    for (const end of [() => Promise.reject(new Error("late")), () => never, undefined]) {
      client.follow({
        [Symbol.asyncIterator]: () => ({ next: () => never, ...(end && { return: end }) }),
      });
    }
    await client.close();
    expect(client.closed).toBe(true);
  });

  test.each<[unknown, unknown, string]>([
    [["a:1"], undefined, "must be an async iterable"],
    [undefined, undefined, "must be an async iterable"],
    ["a:1", undefined, "must be an async iterable"],
    [new Feed(), { signals: 1 }, "follow has no option"],
    [new Feed(), { signal: 1 }, "signal must be an AbortSignal"],
    [new Feed(), { signal: new AbortController() }, "not an AbortController"],
    [new Feed(), { signal: new EventTarget() }, "not an EventTarget"],
    [new Feed(), { signal: { aborted: false } }, "not an object"],
  ])("refuses %j with %j, and keeps the source that it has", async (source, options, message) => {
    await using client = new Client("a:1");
    const { changes } = witness(client);
    const feed = new Feed();
    client.follow(feed);
    expect(() => client.follow(source as Feed, options as object)).toThrow(message);
    feed.give("b:1");
    await until(() => changes.length === 1);
  });

  test("leads a pool's clients along with their master", async () => {
    await using master = new Client("a:1");
    await using pool = new ClientPool(master, 1);
    const { changes } = witness(master);
    const feed = new Feed();
    master.follow(feed);
    await pool.reserve((client) => expect(names(client)).toEqual(["a:1"]));
    feed.give("b:1");
    await until(() => changes.length === 1);
    await pool.reserve((client) => expect(names(client)).toEqual(["b:1"]));
    expect(names(master.clone())).toEqual(["b:1"]);
    expect(feed.started).toBe(1);
  });
});

describe("discover", () => {
  test("makes a client of the first list that can be used, and follows the rest", async () => {
    const feed = new Feed();
    feed.give(new Error("not yet"), [], ["a:"], ["a:1", "b:1"]);
    const options = { behaviors: { ketama: true }, keyPrefix: "app:" };
    await using client = await Client.discover(feed, options);
    expect(names(client)).toEqual(["a:1", "b:1"]);
    expect(client.behaviors.ketama).toBe(true);
    expect(client.behaviors.namespace).toBe("app:");
    const { changes } = witness(client);
    feed.give(["a:1"]);
    await until(() => changes.length === 1);
    expect(changes[0]?.removed).toEqual(["b:1"]);
    expect(feed.started).toBe(2);
  });

  test("makes a client of the class that it is called on", async () => {
    class Mine extends Client<string> {
      readonly mine = true;
    }
    await using client = await Mine.discover(
      (async function* () {
        yield "a:1";
      })(),
    );
    expect(client.mine).toBe(true);
    expect(client).toBeInstanceOf(Mine);
  });

  test("rejects when there is no list in time, with what the source failed with", async () => {
    const failing = new Feed();
    failing.give(new Error("no luck"));
    const error: unknown = await Client.discover(failing, { discoverTimeoutMs: 100 }).catch(
      (e) => e,
    );
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ cause: { cause: { message: "no luck" } } });
    expect(failing.returned).toBe(1);
    const silent = new Feed();
    await expect(Client.discover(silent, { discoverTimeoutMs: 20 })).rejects.toThrow(
      "gave no list within 20 ms: it gave none",
    );
    expect(silent.returned).toBe(1);
  });

  test("rejects when the source ends without a list", async () => {
    const ending = (async function* () {
      yield [];
    })();
    const error: unknown = await Client.discover(ending).catch((e) => e);
    expect(error).toBeInstanceOf(NoServerError);
    expect(error).toMatchObject({ cause: { message: expect.stringContaining("empty") } });
  });

  test.each<[object, string]>([
    [{ discoverTimeoutMs: 0 }, "discoverTimeoutMs"],
    [{ discoverTimeout: 1 }, "discover has no option"],
    [{ timeoutMs: -1 }, "timeoutMs"],
  ])("rejects with the options %j, and lets the source go", async (options, message) => {
    const feed = new Feed();
    feed.give("a:1");
    await expect(Client.discover(feed, options)).rejects.toThrow(OptionError);
    feed.give("a:1");
    await expect(Client.discover(feed, options)).rejects.toThrow(message);
    expect(feed.returned).toBe(feed.started);
  });
});

test("a program that only follows ends, and one that waits for its first list does not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "follow-"));
  const src = new URL("../../src/", import.meta.url);
  const program = join(folder, "program.mts");
  writeFileSync(join(folder, "servers"), "127.0.0.1:1\n");
  writeFileSync(
    program,
    `import { once } from "node:events";
     import { createServer } from "node:net";
     import { Client } from ${JSON.stringify(new URL("index.ts", src).href)};
     import { elasticache, dnsAddresses, serverFile } from ${JSON.stringify(new URL("discovery/index.ts", src).href)};
     const resolver = { resolve4: async () => ["127.0.0.1"], resolve6: async () => [] };
     async function* late() {
       await new Promise((resolve) => setTimeout(resolve, 300).unref());
       yield "127.0.0.1:1";
       throw new Error("and then it fails");
     }
     const silent = createServer((socket) => socket.unref()).listen(0, "127.0.0.1").unref();
     await once(silent, "listening");
     const client = await Client.discover(late());
     console.log(client.servers.length);
     for (const source of [
       serverFile(${JSON.stringify(join(folder, "servers"))}),
       dnsAddresses("name", { resolver }),
       elasticache("127.0.0.1:1"),
       elasticache("127.0.0.1:" + silent.address().port, { timeoutMs: 600_000 }),
     ]) new Client("127.0.0.1:1").follow(source);
     process.on("exit", () => console.log("ends"));`,
  );
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (text) => {
    printed += text;
  });
  const [code] = await once(child, "close");
  expect(printed).toBe("1\nends\n");
  expect(code).toBe(0);
  rmSync(folder, { recursive: true });
});
