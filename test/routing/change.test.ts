import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import {
  type BehaviorOptions,
  Client,
  type ClientOptions,
  ConnectionClosedError,
  OptionError,
} from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcached, startMemcacheds } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { PYTHON } from "../support/python.js";
import { until } from "../support/until.js";
import { provoking } from "../support/warnings.js";

/** The share of keys that have another server after a change, and whether all went one way. */
function moves(client: Client, change: () => void, keys = 20_000) {
  const names = Array.from({ length: keys }, (_, i) => `user:${i}:profile`);
  const before = names.map((key) => client.serverFor(key).name);
  change();
  const moved = names
    .map((key, i) => ({ from: before[i]!, to: client.serverFor(key).name }))
    .filter(({ from, to }) => from !== to);
  return {
    share: moved.length / keys,
    from: new Set(moved.map(({ from }) => from)),
    to: new Set(moved.map(({ to }) => to)),
  };
}

const list = (count: number) => Array.from({ length: count }, (_, i) => `10.0.0.${i + 1}`);

describe("keys that move", () => {
  /** Fairness is the ring's own (docs/placement.md), so the share may be off by its deviation. */
  const rings: [string, BehaviorOptions, tolerance: number][] = [
    ["ketama", { ketama: true }, 0.35],
    ["ketama_weighted", { ketama_weighted: true }, 0.25],
    ["spy", { distribution: "consistent ketama spy" }, 0.35],
    ["rendezvous", { distribution: "rendezvous" }, 0.08],
    ["jump", { distribution: "jump" }, 0.08],
  ];

  test.each(rings)("with %s only the new server's share does", (_, behaviors, tolerance) => {
    const client = new Client(list(4), { behaviors });
    const { share, to } = moves(client, () => client.addServer("10.0.0.5"));
    expect([...to]).toEqual(["10.0.0.5:11211"]);
    expect(Math.abs(share / 0.2 - 1)).toBeLessThan(tolerance);
  });

  test.each(rings)("with %s only the lost server's share does", (_, behaviors, tolerance) => {
    const client = new Client(list(5), { behaviors });
    const { share, from } = moves(client, () => client.removeServer("10.0.0.5"));
    expect([...from]).toEqual(["10.0.0.5:11211"]);
    expect(Math.abs(share / 0.2 - 1)).toBeLessThan(tolerance);
  });

  test("with modula all but a fifth do", () => {
    const client = new Client(list(4));
    const { share } = moves(client, () => client.addServer("10.0.0.5"));
    expect(Math.abs(share - 0.8)).toBeLessThan(0.02);
  });

  test("the order of a list decides with modula, and not on a ring", () => {
    const turned = list(5).toReversed();
    const byModula = new Client(list(5));
    expect(moves(byModula, () => byModula.setServers(turned)).share).toBeGreaterThan(0.5);
    const byRing = new Client(list(5), { behaviors: { ketama_weighted: true } });
    expect(moves(byRing, () => byRing.setServers(turned)).share).toBe(0);
    const sorted = new Client(list(5), { behaviors: { _sort_hosts: true } });
    expect(moves(sorted, () => sorted.setServers(turned)).share).toBe(0);
  });
});

describe("the list", () => {
  test("is what it was changed to, and a clone has it too", () => {
    const client = new Client("a:1,b:2:3,/tmp/c.sock");
    client.removeServer("a:1");
    client.addServer({ host: "::1", weight: 2 });
    client.addServer("d");
    const servers = [
      { name: "b:2", host: "b", port: 2, weight: 3, index: 0 },
      { name: "/tmp/c.sock", host: "/tmp/c.sock", port: 0, weight: 1, index: 1 },
      { name: "[::1]:11211", host: "::1", port: 11211, weight: 2, index: 2 },
      { name: "d:11211", host: "d", port: 11211, weight: 1, index: 3 },
    ];
    expect(client.servers).toEqual(servers);
    expect(client.clone().servers).toEqual(servers);
    client.setServers("e:5");
    expect(client.servers.map(({ name }) => name)).toEqual(["e:5"]);
    expect(client.clone().servers).toEqual(client.servers);
  });

  test("stays as it is when it is refused another one", () => {
    const client = new Client(["a:1", "b:2"], { binary: true, behaviors: { ketama: true } });
    const { servers } = client;
    expect(() => client.setServers(["a:1:5", "udp:c:3"])).toThrow(/does not go with binary/);
    expect(client.servers).toEqual(servers);
  });

  test("and its clone's are not the program's own array", () => {
    const given = [{ host: "a", weight: 2 }, "udp:b", "/tmp/c.sock", "[::1]:5"];
    const client = new Client(given);
    const { servers } = client;
    given[0] = { host: "x", weight: 3 };
    given.push("d");
    expect(client.servers).toEqual(servers);
    expect(client.clone().servers).toEqual(servers);
    client.setServers(given);
    given.pop();
    expect(client.clone().servers).toEqual(client.servers);
  });

  test("may come from a URL that says nothing new of how to connect", () => {
    using _ = provoking(/^The credentials for [a-d]:/);
    const client = new Client("memcached://me:secret@a,b");
    client.setServers("memcached://me:secret@c");
    expect(client.servers.map(({ host }) => host)).toEqual(["c"]);
    client.addServer("d");
    expect(client.clone().servers.map(({ host }) => host)).toEqual(["c", "d"]);
    expect(() => client.setServers("memcached://me:other@c")).toThrow(/another password than/);
    expect(() => client.setServers("memcacheds://c")).toThrow(/another tls than the client/);
  });

  test("never becomes empty, and a refused change changes nothing", () => {
    const client = new Client(["a", "b"], { behaviors: { ketama: true } });
    client.removeServer("b:11211");
    for (const [change, says] of [
      [() => client.removeServer("a"), /a:11211 is the only server, and a client needs one/],
      [() => client.removeServer("b"), /b:11211 is not in the list, which has a:11211/],
      [() => client.addServer("a:11211:5"), /a:11211 is in the list already/],
      [() => client.addServer("h:x"), /port/],
      [() => client.setServers([]), /list of servers is empty/],
      [() => client.setServers(["c", "h:99999"]), /port/],
    ] as const) {
      expect(change).toThrow(OptionError);
      expect(change).toThrow(says);
    }
    expect(client.servers.map(({ name }) => name)).toEqual(["a:11211"]);
  });
});

/** A port on which the kernel answers nobody: the queue of those that wait to be accepted is full. */
async function startDeaf(): Promise<{ address: string } & AsyncDisposable> {
  const script = `
import socket, time
server = socket.create_server(("127.0.0.1", 0), backlog=0)
full = [socket.socket() for _ in range(4)]
for each in full:
    each.setblocking(False)
    each.connect_ex(server.getsockname())
print(server.getsockname()[1], flush=True)
time.sleep(60)
`;
  const child = spawn(PYTHON, ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  return {
    address: `127.0.0.1:${String(port).trim()}`,
    [Symbol.asyncDispose]: async () => {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
}

describe("while traffic runs", () => {
  let servers: Memcached[];
  const clients: Client[] = [];
  const connect = (to: readonly Memcached[], options?: ClientOptions) => {
    const client = new Client(
      to.map(({ address }) => address),
      { timeoutMs: 5000, ...options },
    );
    clients.push(client);
    return client;
  };
  /** A key that a client has on a server. */
  const keyOn = (client: Client, server: Memcached) => {
    for (let i = 0; ; i++) {
      if (client.serverFor(`on:${i}`).name === server.address) return `on:${i}`;
    }
  };
  /** Connections that a server has ever taken, not counting those that ask for it. */
  const statOf = async (server: Memcached, name: string) => {
    const client = connect([server]);
    const stats = await client.getStats();
    await client.close();
    return Number(stats.get(server.address)?.[name]);
  };
  /** Waits until a server has no connection but the question's own. */
  const isLeft = (server: Memcached) =>
    until(async () => (await statOf(server, "curr_connections")) === 1);

  beforeAll(async () => {
    servers = await startMemcacheds(5);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  afterAll(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

  test("no call fails, and no answer is wrong, however often the list changes", async () => {
    const client = connect(servers.slice(0, 3), { behaviors: { ketama: true } });
    let changing = true;
    let calls = 0;
    const worker = async (id: number) => {
      for (let i = 0; changing; i++) {
        const key = `traffic:${id}:${i % 50}`;
        await client.set(key, key);
        expect([key, undefined]).toContain(await client.get(key));
        const many = Array.from({ length: 20 }, (_, n) => `traffic:${id}:${n}`);
        for (const [asked, got] of await client.getMulti(many)) expect(got).toBe(asked);
        await client.setMulti(many.map((each) => [each, each] as const));
        calls += 4;
      }
    };
    const workers = Array.from({ length: 8 }, (_, id) => worker(id));
    const [a, b, c, d, e] = servers.map(({ address }) => address) as [
      ...[string, string, string, string, string],
    ];
    for (let round = 0; round < 20; round++) {
      client.addServer(d);
      await delay(5);
      client.removeServer(a);
      await delay(5);
      client.behaviors.hash = round % 2 === 0 ? "md5" : "default";
      client.setServers([b, e, c]);
      await delay(5);
      client.setServers([a, b, c]);
      await delay(5);
    }
    changing = false;
    await Promise.all(workers);
    expect(calls).toBeGreaterThanOrEqual(8 * 4); // each worker once at least
  });

  test("a server that stays keeps its connection, and one that goes loses it", async () => {
    const [stays, goes, comes] = servers as [Memcached, Memcached, Memcached];
    const client = connect([goes, stays]);
    await client.version();
    const connections = await statOf(stays, "total_connections");
    client.setServers([comes.address, `${stays.address}:7`]);
    await client.version();
    expect(await statOf(stays, "total_connections")).toBe(connections + 1); // the question's own
    expect(client.servers[1]).toMatchObject({ name: stays.address, weight: 7 });
    await isLeft(goes);
  });

  test("what is under way at a server that goes still finishes there", async () => {
    const [stays, goes] = servers as [Memcached, Memcached];
    const client = connect([stays, goes]);
    const key = keyOn(client, goes);
    await client.set(key, "here");
    await goes.pause();
    const reading = client.get(key);
    const writing = client.append(key, ", and later");
    await delay(20);
    client.removeServer(goes.address);
    expect(client.serverFor(key).name).toBe(stays.address);
    const closing = client.close();
    goes.resume();
    expect(await Promise.all([reading, writing])).toEqual(["here", true]);
    await closing;
    await isLeft(goes);
    const reader = connect([goes]);
    expect(await reader.get(key)).toBe("here, and later");
  });

  test("what a server that goes loses is read elsewhere, and never written twice", async () => {
    await using goes = await startMemcached();
    const client = connect([servers[0]!, goes]);
    const key = keyOn(client, goes);
    await client.set(key, 1);
    await goes.pause();
    const reading = client.get(key);
    const counting = client.incr(key).catch((error: unknown) => error);
    await delay(20);
    client.removeServer(goes.address);
    await goes.kill();
    expect(await reading).toBeUndefined();
    expect(await counting).toBeInstanceOf(ConnectionClosedError);
    expect(await counting).toMatchObject({ sent: true, server: goes.address });
  });

  test("closing the client ends what is under way at a server that goes, too", async () => {
    const [stays, goes] = servers as [Memcached, Memcached];
    const client = connect([stays, goes]);
    const key = keyOn(client, goes);
    await client.get(key);
    await goes.pause();
    try {
      const reading = errorOf(client.get(key));
      await delay(20);
      client.removeServer(goes.address);
      await client.close({ drainMs: 0 });
      expect(await reading).toBeInstanceOf(ConnectionClosedError);
    } finally {
      goes.resume();
    }
  });

  test("what is asked for in two steps finishes, too, where its server goes or the client is closed", async () => {
    await using goes = await MemcachedServer.start();
    for (const end of ["leave", "close"]) {
      const client = connect([servers[0]!]);
      client.setServers([goes.address]);
      await client.get("k");
      const storing = client.metaSet("k", end, { setCas: 5n, returnCas: true });
      if (end === "leave") client.setServers([servers[0]!.address]);
      else await client.close();
      expect(await storing).toEqual({ status: "stored", cas: 5n });
    }
  });

  test("what was asked of a server itself is answered by no other", async () => {
    await using goes = await startMemcached();
    const client = connect([goes]);
    await client.set("k", 1);
    await goes.pause();
    const asked = [client.version(), client.getStats(), client.flushAll()];
    const outcomes = Promise.allSettled(asked);
    await delay(20);
    client.setServers([servers[0]!.address]);
    await goes.kill();
    for (const one of await outcomes) {
      const { reason } = one as PromiseRejectedResult;
      expect(reason).toMatchObject({ server: goes.address, sent: true });
    }
  });

  test("what a server that goes never got to read goes elsewhere", async () => {
    await using goes = await startMemcached();
    const client = connect([servers[0]!, goes]);
    const key = keyOn(client, goes);
    await client.get(key);
    await goes.pause();
    const value = Buffer.alloc(2 ** 20 - 200);
    const storing = Promise.allSettled(Array.from({ length: 16 }, () => client.append(key, value)));
    const counting = client.append(key, "not sent");
    await delay(20);
    expect(client.stats().get(goes.address)?.waiting).toBeGreaterThan(0);
    client.removeServer(goes.address);
    await goes.kill();
    expect(await counting).toBe(false); // nothing to append to is there
    const errors = (await storing).filter(({ status }) => status === "rejected");
    expect(errors.length).toBeGreaterThan(0);
    for (const { reason } of errors as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ server: goes.address, sent: true });
    }
  });

  test("a shorter time to connect holds from the next attempt on", async () => {
    await using deaf = await startDeaf();
    const client = new Client(deaf.address, { timeoutMs: 10_000, connectTimeoutMs: 9000 });
    clients.push(client);
    client.behaviors.connect_timeout = 30;
    await expect(client.get("k")).rejects.toThrow(/Cannot connect to .* within 30 ms/);
  });

  test.runIf(process.platform === "linux")(
    "tcp_keepalive holds for the next connection",
    async () => {
      const [server] = servers as [Memcached];
      const client = connect([server]);
      /** Whether the kernel's timer of connections to the server is the one that keeps them alive. */
      const timers = () => {
        const port = server.port.toString(16).toUpperCase().padStart(4, "0");
        const rows = readFileSync("/proc/net/tcp", "utf8").split("\n");
        return rows
          .map((row) => row.trim().split(/\s+/))
          .filter(([, , remote, state]) => remote?.endsWith(`:${port}`) && state === "01")
          .map((fields) => fields[5]?.startsWith("02"));
      };
      await client.version();
      client.behaviors.tcp_keepalive = false;
      expect(timers()).toEqual([true]);
      client.disconnectAll();
      await client.version();
      expect(timers()).toEqual([false]);
    },
  );

  test("_noreply, namespace and _poll_timeout hold for the next call", async () => {
    const client = connect([servers[0]!]);
    client.behaviors.namespace = "ns:";
    await client.set("k", 5);
    client.behaviors.namespace = "";
    expect(await client.get("ns:k")).toBe(5);
    client.behaviors._noreply = true;
    expect(await client.incr("ns:k")).toBeUndefined();
    expect(await client.add("ns:k", 1)).toBe(true); // nobody says that it was refused
    expect(await client.delete("never:there")).toBe(true);
    expect(await client.incr("ns:k", 1, { noreply: false })).toBe(7);
    client.behaviors._noreply = false;
    await servers[0]!.pause();
    client.behaviors._poll_timeout = 40;
    const failure = await client.get("ns:k").catch((error: unknown) => error);
    servers[0]!.resume();
    expect(failure).toMatchObject({ code: "ERR_MEMCACHED_TIMEOUT" });
  });

  test("pickle_protocol is that of the next pickle", async () => {
    const client = connect([servers[0]!], { serializer: "pickle" });
    const raw = connect([servers[0]!], { serializer: "raw" });
    const protocols: unknown[] = [];
    for (const protocol of [2, 3, 4, 5, -1] as const) {
      client.behaviors.pickle_protocol = protocol;
      await client.set("pickle", { a: 1 });
      protocols.push((await raw.get<Buffer>("pickle"))?.[1]);
    }
    expect(protocols).toEqual([2, 3, 4, 5, 5]);
  });
});
