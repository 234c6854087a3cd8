import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import {
  type ClientOptions,
  ConnectError,
  NetworkError,
  NoServerError,
  OptionError,
  PartialError,
  TimeoutError,
} from "tslibmc";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { listen } from "../support/port.js";
import { until } from "../support/until.js";
import { PATIENT } from "../support/use.js";
import { provokes } from "../support/warnings.js";
import { Cluster, EJECTING } from "./cluster.js";

provokes(/^failover: "rehash" .* moves no keys on modula/);

let cluster: Cluster;
let a: Memcached;
let b: Memcached;
let c: Memcached;

beforeAll(async () => {
  cluster = await Cluster.start(3);
  [a, b, c] = cluster.servers as [Memcached, Memcached, Memcached];
});
afterEach(() => cluster.reset());
afterAll(() => cluster[Symbol.asyncDispose]());

describe("without a policy", () => {
  test("1: a server that refuses fails its calls at once, and no others", async () => {
    await b.kill();
    const witness = cluster.connect();
    const { client, events } = witness;
    const keyOn = (server: Memcached) => witness.keyOn(server);
    const first = await errorOf(client.get(keyOn(b)));
    expect(first).toBeInstanceOf(ConnectError);
    expect(first).toMatchObject({ server: b.address, sent: false });
    expect(((first as Error).cause as NodeJS.ErrnoException).code).toBe("ECONNREFUSED");
    expect(String(await errorOf(client.set(keyOn(b), 1)))).toMatch(/next attempt is due in \d+ ms/);
    for (const server of [a, c]) {
      expect(await client.set(keyOn(server), 1)).toBe(true);
      expect(await client.get(keyOn(server))).toBe(1);
    }
    expect(events[0]).toMatchObject({ server: b.address, state: "failing", previous: "up" });
  });

  test("1: only probes find out that it is back; no call is ever spent on that", async () => {
    const witness = cluster.connect();
    const { client } = witness;
    const key = witness.keyOn(b);
    await client.set(key, 1);
    await b.kill();
    await errorOf(client.get(key));
    await witness.sees(b, "dead");
    await b.start();
    await witness.sees(b, "up");
    expect(await client.get(key)).toBeUndefined();
    expect(await client.set(key, 2)).toBe(true);
    expect(witness.statesOf(b)).toEqual(["failing", "dead", "up"]);
  });

  test("3: a server that never answers is dead after failure_limit timeouts, and recovers", async () => {
    const witness = cluster.connect({ behaviors: { failure_limit: 2 }, timeoutMs: 120 });
    const { client } = witness;
    const key = witness.keyOn(b);
    await client.set(key, "kept", PATIENT);
    await b.pause();
    expect(await errorOf(client.get(key))).toBeInstanceOf(TimeoutError);
    await until(async () => {
      await errorOf(client.get(key));
      return witness.statesOf(b).includes("dead");
    });
    const refused = await errorOf(client.get(key));
    expect(refused).toBeInstanceOf(ConnectError);
    expect(refused).toMatchObject({ sent: false, server: b.address });
    expect(String(refused)).toMatch(/is dead after \d+ failures in a row/);
    b.resume();
    await witness.sees(b, "up");
    expect(await client.get(key, PATIENT)).toBe("kept");
  });

  test("3: what is under way at a server that dies does not wait for its deadline", async () => {
    const witness = cluster.connect({ behaviors: { failure_limit: 1 } });
    const { client } = witness;
    const key = witness.keyOn(b);
    await client.set(key, 1);
    await b.pause();
    const patient = errorOf(client.get(key, { timeoutMs: 600_000 }));
    const impatient = client.get(key, { timeoutMs: 50 });
    expect(await errorOf(impatient)).toBeInstanceOf(TimeoutError);
    await witness.loses(b);
    const error = await patient;
    expect(error).toMatchObject({ sent: true, server: b.address });
    expect(String(error)).toMatch(/is dead after a failure: /);
  });

  test("3: what it had not read yet is not delivered to it later", async () => {
    const value = Buffer.alloc(20_000_000, "v");
    const closed = await deliveredLate(async (port) => {
      const socket = connect(port, "127.0.0.1");
      socket.write(value);
      await once(socket, "connect");
      await delay(200);
      socket.destroy(); // what the kernel has is on its way all the same
    });
    const lost = (options: ClientOptions) =>
      deliveredLate(async (port) => {
        const settings = { behaviors: { failure_limit: 1 }, maxValueSize: value.length };
        const witness = cluster.connect({ ...settings, ...options }, [`127.0.0.1:${port}`]);
        expect(await errorOf(witness.client.set("large", value))).toBeInstanceOf(NetworkError);
        await until(async () => {
          await errorOf(witness.client.get("k", { timeoutMs: 50 }));
          return witness.events.some(({ state }) => state === "dead");
        });
      });
    expect(await lost({ timeoutMs: 200 })).toBeLessThan(closed);
    expect(await lost({ timeoutMs: 60_000, stallTimeoutMs: 200 })).toBeLessThan(closed);
  });

  test("3: a server that answers late is slow and not dead", async () => {
    const witness = cluster.connect({ behaviors: { failure_limit: 2 } });
    const { client } = witness;
    const key = witness.keyOn(b);
    await client.set(key, 1);
    for (let n = 0; n < 6; n++) {
      await b.pause();
      const call = errorOf(client.get(key, { timeoutMs: 20 }));
      await delay(30);
      expect(await call).toBeInstanceOf(TimeoutError);
      b.resume();
      await witness.sees(b, "up");
    }
    expect(witness.statesOf(b)).not.toContain("dead");
  });

  test("4: a server that ends an idle connection has not failed", async () => {
    const witness = cluster.connect({ behaviors: { failure_limit: 1 } });
    const key = witness.keyOn(b);
    await witness.client.set(key, 1);
    await b.restart();
    expect(await witness.client.set(key, 2)).toBe(true);
    expect(await witness.client.get(key)).toBe(2);
    expect(witness.events).toEqual([]);
  });

  test("37: with all servers down calls fail at once, and each server is probed by itself", async () => {
    const witness = cluster.connect();
    const { client } = witness;
    const keys = cluster.servers.map((server) => witness.keyOn(server));
    await Promise.all(cluster.servers.map((server) => server.kill()));
    for (const key of keys) await errorOf(client.get(key));
    let attempts = 0;
    client.on("connectError", () => attempts++);
    const calls = 2000;
    for (let n = 0; n < calls; n++) {
      expect(await errorOf(client.get(keys[n % 3]!))).toMatchObject({ sent: false });
    }
    expect(attempts).toBeLessThan(calls / 20);
    await Promise.all(cluster.servers.map((server) => server.start()));
    for (const server of cluster.servers) await witness.sees(server, "up");
    for (const key of keys) expect(await client.set(key, 1)).toBe(true);
  });

  test("36: many keys over a dead server have what the others hold, and its error", async () => {
    const witness = cluster.connect({ behaviors: { failure_limit: 1 } });
    const { client } = witness;
    const keys = cluster.servers.flatMap((server) => witness.keysOn(server, 20));
    await client.setMulti(keys.map((key) => [key, key] as const));
    await b.kill();
    await witness.sees(b, "up");
    const error = await errorOf(client.getMulti(keys));
    expect(error).toBeInstanceOf(PartialError);
    const { results, errors } = error as PartialError<Map<string, string>>;
    expect(results.size).toBe(40);
    expect([...errors.keys()]).toEqual([b.address]);
  });
});

describe("rehash", () => {
  test("the call that finds its server dead goes on to another, and nobody sees an error", async () => {
    const witness = cluster.connect({ behaviors: EJECTING });
    const { client } = witness;
    const lost = witness.keysOn(b, 30);
    const kept = [...witness.keysOn(a, 30), ...witness.keysOn(c, 30)];
    for (const key of [...lost, ...kept]) await client.set(key, "old");
    await b.kill();
    for (const key of lost) {
      expect(await client.get(key)).toBeUndefined();
      expect(await client.set(key, "new")).toBe(true);
      expect(await client.get(key)).toBe("new");
    }
    for (const key of kept) expect(await client.get(key)).toBe("old");
    expect(witness.statesOf(b)).toEqual(["dead"]);
    const homes = new Set<string>();
    for (const key of lost) {
      for (const server of [a, c]) {
        if ((await cluster.held(server, key)) === "new") homes.add(server.address);
      }
    }
    expect(homes.size).toBe(2); // each key by itself, not all to one server
  });

  test("many keys are rerouted each to its own server", async () => {
    const witness = cluster.connect({ behaviors: EJECTING });
    const { client } = witness;
    const keys = cluster.servers.flatMap((server) => witness.keysOn(server, 30));
    await client.setMulti(keys.map((key) => [key, key] as const));
    await b.kill();
    const found = await client.getMulti(keys); // the call that finds out
    expect(found.size).toBe(60);
    expect(await client.setMulti(keys.map((key) => [key, key] as const))).toEqual([]);
    const again = await client.getMulti(keys);
    expect([...again.keys()].sort()).toEqual([...keys].sort());
    for (const [key, value] of again) expect(value).toBe(key);
    expect((await client.getsMulti(keys)).size).toBe(90);
    expect(await client.deleteMulti(keys)).toEqual([]);
  });

  test("what may have been carried out is not sent again", async () => {
    const witness = cluster.connect({ behaviors: EJECTING });
    const { client } = witness;
    const key = witness.keyOn(b);
    await client.set(key, 1);
    await b.pause();
    const counting = errorOf(client.incr(key));
    const reading = client.get(key);
    const finding = errorOf(client.get(key, { timeoutMs: 60 }));
    expect(await finding).toBeInstanceOf(TimeoutError); // its time was over
    await witness.loses(b);
    expect(await counting).toMatchObject({ sent: true, server: b.address });
    expect(await reading).toBeUndefined();
    expect(await client.incr(key, 1, { initial: 5 })).toBe(5); // elsewhere, and not sent before
  });

  test("below failure_limit the server keeps its keys", async () => {
    const witness = cluster.connect({
      behaviors: { ...EJECTING, failure_limit: 3 },
      timeoutMs: 60,
    });
    const { client } = witness;
    const key = witness.keyOn(b);
    await client.set(key, 1, PATIENT);
    await b.pause();
    expect(await errorOf(client.get(key))).toBeInstanceOf(TimeoutError);
    b.resume();
    await witness.sees(b, "up");
    expect(await client.get(key, PATIENT)).toBe(1);
    expect(witness.statesOf(b)).not.toContain("dead");
  });

  test("27: a server that is back has its keys again, and was empty", async () => {
    const witness = cluster.connect({ behaviors: EJECTING, rampUpMs: 100 });
    const { client } = witness;
    const key = witness.keyOn(b);
    await client.set(key, "before");
    await b.kill();
    await client.set(key, "meanwhile");
    await b.start();
    await witness.sees(b, "up");
    expect(await client.get(key)).toBeUndefined();
    await client.set(key, "after");
    expect(await cluster.held(b, key)).toBe("after");
  });

  test("two of three servers may die, and with all dead there is none to ask", async () => {
    const witness = cluster.connect({ behaviors: EJECTING });
    const { client } = witness;
    const keys = cluster.servers.map((server) => witness.keyOn(server));
    await Promise.all([a.kill(), b.kill()]);
    for (const key of keys) expect(await client.set(key, 1)).toBe(true);
    for (const key of keys) expect(await cluster.held(c, key)).toBe(1);
    await c.kill();
    await errorOf(client.get(keys[2]!));
    for (const key of keys) {
      const error = await errorOf(client.get(key));
      expect(error).toBeInstanceOf(NoServerError);
      expect(error).toMatchObject({ command: "get", sent: false });
      expect(String(error)).toMatch(/; no other server may take its place now$/);
    }
  });

  test("38: a flapping server stays out for dead_timeout, however often it is up meanwhile", async () => {
    const behaviors = { ...EJECTING, dead_timeout: 3 };
    const witness = cluster.connect({ behaviors, rampUpMs: 100 });
    const { client } = witness;
    const key = witness.keyOn(b);
    const before = performance.now();
    const elapsed = () => performance.now() - before;
    await b.kill();
    await client.set(key, "elsewhere");
    // A machine that takes long to start a server has it flap less often.
    for (let n = 0; n < 3 && elapsed() < 1500; n++) {
      await b.start();
      const read = await client.get(key);
      if (elapsed() > 2900) break; // so long that it may be asked again
      expect(read).toBe("elsewhere");
      await b.kill();
      expect(await client.get(key)).toBe("elsewhere");
    }
    if (!b.running) await b.start();
    await witness.sees(b, "up");
    expect(elapsed()).toBeGreaterThan(3000);
    expect(witness.statesOf(b)).toEqual(["dead", "returning", "up"]);
  });

  test("auto_eject may be turned on and off on a living client", async () => {
    const witness = cluster.connect({ behaviors: { ketama: true, failure_limit: 1 } });
    const { client } = witness;
    const key = witness.keyOn(b);
    await b.kill();
    expect(await errorOf(client.set(key, 1))).toBeInstanceOf(ConnectError);
    client.behaviors.auto_eject = true;
    expect(await client.set(key, 1)).toBe(true);
    client.behaviors.auto_eject = false;
    expect(await errorOf(client.get(key))).toBeInstanceOf(ConnectError);
    expect(await cluster.connect({ failover: "rehash" }).client.behaviors.remove_failed).toBe(true);
  });

  test("modula has no place for the keys of a dead server, and says so", async () => {
    const witness = cluster.connect({ behaviors: { ...EJECTING, ketama: undefined } });
    await b.kill();
    const error = await errorOf(witness.client.get(witness.keyOn(b)));
    expect(error).toBeInstanceOf(NoServerError);
    expect(String(error)).toMatch(
      /; failover moves no keys on modula or virtual bucket; set the behavior ketama, or/,
    );
    expect(await witness.client.set(witness.keyOn(a), 1)).toBe(true);
  });

  test("61: servers may join and leave while another is dead", async () => {
    const witness = cluster.connect({ behaviors: EJECTING });
    const { client } = witness;
    await b.kill();
    await client.set(witness.keyOn(b), 1);
    client.removeServer(c.address);
    const keys = Array.from({ length: 60 }, (_, i) => `moving:${i}`);
    expect(await client.setMulti(keys.map((key) => [key, 1] as const))).toEqual([]);
    for (const key of keys) expect(await cluster.held(a, key)).toBe(1);
    client.addServer(c.address);
    expect(await client.setMulti(keys.map((key) => [key, 2] as const))).toEqual([]);
    expect((await client.getMulti(keys)).size).toBe(60);
  });
});

describe("a server that returns", () => {
  const RETURNING = { ...EJECTING, retry_timeout: 1 };

  /** b after an outage in which all its keys were stored elsewhere. */
  async function afterOutage(rampUpMs: number, options: ClientOptions = { behaviors: RETURNING }) {
    const witness = cluster.connect({ ...options, rampUpMs });
    const keys = witness.keysOn(b, 600);
    await b.kill();
    await errorOf(witness.client.get(keys[0]!));
    await witness.sees(b, "dead");
    await errorOf(witness.client.setMulti(keys.map((key) => [key, "elsewhere"] as const)));
    await b.start();
    return { witness, client: witness.client, keys };
  }

  test.each<[policy: string, options: () => ClientOptions]>([
    ["rehash", () => ({ behaviors: RETURNING })],
    ["next", () => ({ behaviors: { ...RETURNING, auto_eject: false }, failover: "next" })],
    ["a gutter", () => ({ behaviors: RETURNING, failover: { servers: c.address } })],
  ])("gets a tenth of its keys first, and those alone, with %s", async (_, options) => {
    const { witness, client, keys } = await afterOutage(3_600_000, options());
    await witness.sees(b, "returning");
    expect(await client.setMulti(keys.map((key) => [key, "now"] as const))).toEqual([]);
    const direct = cluster.connect({}, [b.address]).client;
    const home = await direct.getMulti(keys);
    expect(home.size).toBeGreaterThan(15);
    expect(home.size).toBeLessThan(120);
    const away = keys.filter((key) => !home.has(key));
    // The tenth grows: one more key in some seven seconds comes home, and is found there.
    await direct.setMulti(away.map((key) => [key, "come home"] as const));
    const come = new Set<string>();
    const expectNow = (key: string, value: unknown) => {
      if (value === "come home" && !home.has(key)) come.add(key);
      else expect(value).toBe("now");
    };
    // Keys that share a line have each its own place, whichever comes first.
    for (const inOrder of [
      [...home.keys(), ...away],
      [...away, ...home.keys()],
    ]) {
      const found = await client.getMulti(inOrder);
      expect(found.size).toBe(keys.length);
      for (const [key, value] of found) expectNow(key, value);
    }
    for (const key of keys) expectNow(key, await client.get(key));
    expect(come.size).toBeLessThan(30); // in what a test may take
  });

  test("gets each key once, and in the end all", async () => {
    const { witness, client, keys } = await afterOutage(1500);
    const moves = new Map<string, string[]>(keys.map((key) => [key, []]));
    const look = async () => {
      for (const [key, value] of await client.getMulti(keys)) {
        const seen = moves.get(key)!;
        if (seen.at(-1) !== value) seen.push(value as string);
      }
    };
    const direct = cluster.connect({}, [b.address]).client;
    await direct.setMulti(keys.map((key) => [key, "home"] as const));
    while (witness.statesOf(b).at(-1) !== "up") await look();
    await look();
    for (const seen of moves.values()) {
      // Some are back before the first look.
      expect(["home", "elsewhere,home"]).toContain(seen.join());
    }
  });

  test("is dead again at its first failure, and what it had goes elsewhere once more", async () => {
    const options = { behaviors: { ...RETURNING, failure_limit: 3 } };
    const { witness, client, keys } = await afterOutage(3_600_000, options);
    await witness.sees(b, "returning");
    await b.kill();
    await errorOf(client.getMulti(keys));
    await witness.sees(b, "dead");
    expect(witness.statesOf(b).slice(-2)).toEqual(["returning", "dead"]);
    expect((await client.getMulti(keys)).size).toBe(keys.length);
  });

  test("has all of its keys at once where there is no other place for them, or none is asked for", async () => {
    const modula = await afterOutage(3_600_000, {
      behaviors: { failure_limit: 1, retry_timeout: 1 },
      failover: "rehash",
    });
    await modula.witness.sees(b, "returning");
    expect(await modula.client.setMulti(modula.keys.map((key) => [key, 1] as const))).toEqual([]);
    for (const key of modula.keys.slice(0, 50)) expect(await cluster.held(b, key)).toBe(1);
    const atOnce = await afterOutage(0);
    await atOnce.witness.sees(b, "up");
    expect(atOnce.witness.statesOf(b)).toEqual(["dead", "up"]);
  });

  test("stands in for others only if there is nobody else", async () => {
    const { witness, client, keys } = await afterOutage(3_600_000);
    await witness.sees(b, "returning");
    const others = witness.keysOn(a, 50);
    await a.kill();
    for (const key of others) expect(await client.set(key, 1)).toBe(true);
    for (const key of others) expect(await cluster.held(c, key)).toBe(1);
    await c.kill();
    await errorOf(client.get(witness.keyOn(c)));
    for (const key of [...others, ...keys]) expect(await client.set(key, 2)).toBe(true);
    expect(await count(b)).toBe(others.length + keys.length);
  });

  test.each([-1, 0.5, Number.NaN, "5", 3_600_001])("a rampUpMs of %s is refused", (rampUpMs) => {
    expect(() => cluster.connect({ rampUpMs: rampUpMs as number })).toThrow(/rampUpMs must be/);
  });
});

describe("next server", () => {
  test("what comes from a dead server with little time left says nothing of the next one", async () => {
    const witness = cluster.connect({ failover: "next", behaviors: { failure_limit: 1 } });
    const { client } = witness;
    const key = witness.keyOn(b);
    await client.getMulti(cluster.servers.map((server) => witness.keyOn(server)));
    await Promise.all(cluster.servers.map((server) => server.pause()));
    const early = errorOf(client.get(key, { timeoutMs: 200 }));
    const late = errorOf(client.get(key, { timeoutMs: 3000 }));
    const many = errorOf(client.getMulti(witness.keysOn(b, 3), { timeoutMs: 3000 }));
    expect(await early).toMatchObject({ server: b.address });
    await witness.loses(b);
    expect(await late).toMatchObject({ server: c.address });
    for (const error of ((await many) as PartialError).errors.values()) {
      expect(error).toMatchObject({ server: c.address });
    }
    expect(witness.events.map(({ server, state }) => [server, state])).toEqual([
      [b.address, "dead"],
    ]);
  });

  test("the keys of a dead server go to the one behind it, on any distribution", async () => {
    const witness = cluster.connect({ failover: "next", behaviors: { failure_limit: 1 } });
    const { client } = witness;
    const keys = witness.keysOn(b, 10);
    await b.kill();
    expect(await client.setMulti(keys.map((key) => [key, key] as const))).toEqual([]);
    for (const key of keys) expect(await cluster.held(c, key)).toBe(key);
    await c.kill();
    for (const key of keys) expect(await client.set(key, 1)).toBe(true);
    for (const key of keys) expect(await cluster.held(a, key)).toBe(1);
    expect((await client.getMulti(keys)).size).toBe(10);
  });
});

describe("gutter servers", () => {
  test("stand in for dead ones, and hold what they get only briefly", async () => {
    const gutter = (await startMemcacheds(2)) as [Memcached, Memcached];
    const servers = gutter.map(({ address }) => address);
    const witness = cluster.connect({
      failover: { servers, ttl: 30 },
      rampUpMs: 100,
      behaviors: { failure_limit: 1 },
    });
    const { client } = witness;
    const keys = witness.keysOn(b, 20);
    await b.kill();
    expect(await client.setMulti(keys.map((key) => [key, key] as const))).toEqual([]);
    expect((await client.getMulti(keys)).size).toBe(20);
    for (const server of gutter) {
      expect(await count(server)).toBeGreaterThan(0);
    }
    const [key = "", other = ""] = keys;
    const ttlOf = async () => (await client.metaGet(key, { returnTtl: true }))?.ttl;
    expect(await ttlOf()).toBeLessThanOrEqual(30);
    await client.set(key, 1, { ttl: 7 });
    expect(await ttlOf()).toBeLessThanOrEqual(7);
    await client.set(key, 1, { ttl: new Date(Date.now() + 3600_000) });
    expect(await ttlOf()).toBeLessThanOrEqual(30);
    await client.set(key, 1, { ttl: new Date(Date.now() + 7000) });
    expect(await ttlOf()).toBeLessThan(20); // its own time, though memcached's clock may be behind
    await client.touch(key, 0);
    expect(await ttlOf()).toBeGreaterThan(0);
    expect(await ttlOf()).toBeLessThanOrEqual(30);
    await client.set(other, 1, { ttl: -1 });
    expect(await client.get(other)).toBeUndefined();
    expect(await client.incr("none", 1)).toBeUndefined();

    await b.start();
    await witness.sees(b, "up");
    expect(await client.get(key)).toBeUndefined();
    await client.close();
    for (const server of gutter) {
      await until(async () => (await connections(server)) === 1); // the question's own
      await server[Symbol.asyncDispose]();
    }
  });

  test.each([
    ["neither policy nor servers", "gutter", /failover must be "rehash", "next" or an object/],
    ["no servers", { servers: [] }, /list of servers is empty/],
    ["an unknown option", { servers: "h", tll: 5 }, /did you mean "ttl"/],
    ["a ttl for ever", { servers: "h", ttl: 0 }, /failover.ttl must be a whole number from 1/],
  ])("%s is refused", (_, failover, says) => {
    const make = () => cluster.connect({ failover: failover as "next" });
    expect(make).toThrow(says);
    if (typeof failover === "string") expect(make).toThrow(OptionError);
  });
});

async function stat(server: Memcached, name: string): Promise<number> {
  const { client } = cluster.connect({}, [server.address]);
  const stats = await client.getStats();
  await client.close();
  return Number(stats.get(server.address)?.[name]);
}

const count = (server: Memcached) => stat(server, "curr_items");
const connections = (server: Memcached) => stat(server, "curr_connections");

/** How many bytes a server gets of what was sent while it read nothing, by senders who gave up. */
async function deliveredLate(send: (port: number) => Promise<void>): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => void sockets.push(socket));
  await send(await listen(server));
  await until(() => sockets.length > 0);
  const [first, ...others] = sockets as [Socket, ...Socket[]];
  for (const socket of others) socket.destroy();
  let bytes = 0;
  first.on("data", (chunk) => {
    bytes += chunk.length;
  });
  first.on("error", () => {}); // a reset, which not every Node tells
  const closed = new Promise((resolve) => first.once("close", resolve));
  first.resume();
  await closed;
  server.close();
  return bytes;
}
