import { setTimeout as delay } from "node:timers/promises";
import {
  Client,
  type ClientOptions,
  ClientPool,
  ConnectionClosedError,
  OptionError,
  PoolExhaustedError,
  ThreadMappedPool,
} from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keysOf, vectors } from "../ring/vectors.js";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { provokes } from "../support/warnings.js";

provokes(/^The behavior ketama_hash /);

let server: Memcached;
let master: Client;

beforeAll(async () => {
  server = await startMemcached();
  master = new Client(server.address);
});
afterAll(async () => {
  await master.close();
  await server[Symbol.asyncDispose]();
});

/** A promise that is resolved from outside. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Clones itself only when it likes to. */
class Stubborn extends Client {
  refuses = false;

  override clone(): this {
    if (this.refuses) throw new RangeError("no clone");
    return super.clone();
  }
}

describe("ClientPool", () => {
  test("lends each client to one at a time, and all of them at once", async () => {
    await using pool = new ClientPool(master, 3);
    expect([pool.size, pool.available]).toEqual([3, 3]);
    const inUse = new Set<Client>();
    let most = 0;
    const work = (n: number) =>
      pool.reserve(
        async (client) => {
          expect(inUse.has(client)).toBe(false);
          inUse.add(client);
          most = Math.max(most, inUse.size);
          await client.set(`pool:${n}`, n);
          await delay(n % 3);
          expect(await client.get(`pool:${n}`)).toBe(n);
          inUse.delete(client);
        },
        { block: true },
      );
    await Promise.all(Array.from({ length: 40 }, (_, n) => work(n)));
    expect([most, pool.size, pool.available]).toEqual([3, 3, 3]);
  });

  test("hands them out first in, first out", async () => {
    await using pool = new ClientPool(master, 2);
    const first = await pool.reserve((client) => client);
    expect(first).not.toBe(master);
    const second = await pool.reserve((client) => client);
    expect(second).not.toBe(first);
    expect(await pool.reserve((client) => client)).toBe(first);
  });

  test("takes a client back after an error, thrown or rejected", async () => {
    await using pool = new ClientPool(master, 1);
    const thrown = pool.reserve(() => {
      throw new RangeError("mine");
    });
    await expect(thrown).rejects.toThrow(RangeError);
    await expect(pool.reserve(() => Promise.reject(new RangeError("mine")))).rejects.toThrow(
      "mine",
    );
    expect(pool.available).toBe(1);
  });

  test("a reservation ends with its block, and only once", async () => {
    await using pool = new ClientPool(master, 1);
    {
      using reservation = await pool.reserve();
      expect(await reservation.client.set("pool:using", 1)).toBe(true);
      expect(pool.available).toBe(0);
      reservation[Symbol.dispose]();
      expect(pool.available).toBe(1);
    }
    expect([pool.size, pool.available]).toEqual([1, 1]);
  });

  test("refuses at once when all are in use, unless it is to wait", async () => {
    await using pool = new ClientPool(master, 1);
    using reservation = await pool.reserve();
    await expect(pool.reserve()).rejects.toThrow(PoolExhaustedError);
    await expect(pool.reserve({ block: false })).rejects.toMatchObject({
      code: "ERR_MEMCACHED_POOL_EXHAUSTED",
      message: "The pool has no client to give: all 1 clients are in use",
      sent: false,
    });
    await expect(new ClientPool().reserve()).rejects.toThrow(/it was never filled/);
    const order: number[] = [];
    const waiting = [1, 2, 3].map((n) =>
      pool.reserve(() => order.push(n), n === 2 ? { timeoutMs: 10_000 } : { block: true }),
    );
    reservation[Symbol.dispose]();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
  });

  test("waits no longer than it may, and whoever gave up gets nothing", async () => {
    await using pool = new ClientPool(master, 1);
    const reservation = await pool.reserve();
    let used = 0;
    const waiting = pool.reserve(() => used++, { timeoutMs: 15 });
    await expect(waiting).rejects.toThrow(/No client of the pool's 1 came back within 15 ms/);
    reservation[Symbol.dispose]();
    await delay(1);
    expect([used, pool.available]).toEqual([0, 1]);
  });

  test("those who wait are served by filling it, too", async () => {
    await using pool = new ClientPool();
    const waiting = pool.reserve((client) => client.set("pool:filled", 1), { block: true });
    pool.fill(master, 2);
    expect(await waiting).toBe(true);
    expect(pool.size).toBe(2);
  });

  test("a client that came back closed is replaced", async () => {
    await using pool = new ClientPool(master, 1);
    const closed = await pool.reserve(async (client) => {
      await client.close();
      return client;
    });
    const next = await pool.reserve(async (client) => {
      await client.set("pool:closed", 1);
      return client;
    });
    expect(next).not.toBe(closed);
    expect(pool.size).toBe(1);
  });

  test("a clone that fails is the error of who asked, and costs the pool nothing", async () => {
    const own = new Stubborn(server.address);
    await using pool = new ClientPool(own, 1);
    const reservation = await pool.reserve();
    // So many that each in the call of the one before would be too deep.
    const waiting = Array.from({ length: 10_000 }, () =>
      pool.reserve((client) => client, { block: true }).catch(String),
    );
    own.refuses = true;
    own.behaviors.ketama = true;
    reservation[Symbol.dispose]();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["RangeError: no clone"]));
    await expect(pool.reserve()).rejects.toThrow("no clone");
    expect([pool.size, pool.available]).toEqual([1, 1]);
    own.refuses = false;
    expect(await pool.reserve((client) => client.behaviors.ketama)).toBe(true);
    expect(reservation.client.closed).toBe(true);
  });

  test("bad arguments", async () => {
    await using pool = new ClientPool(master, 1);
    await expect(pool.reserve({ timeout: 5 } as never)).rejects.toThrow(/did you mean "timeoutMs"/);
    await expect(pool.reserve({ timeoutMs: 0 })).rejects.toThrow(OptionError);
    await expect(pool.reserve({ block: "yes" as never })).rejects.toThrow(OptionError);
    expect(() => pool.fill(master, -1)).toThrow(/count must be a whole number/);
    expect(pool.available).toBe(1);
  });

  test("closing ends those who wait, and each client when it is back", async () => {
    const pool = new ClientPool(master, 2);
    const reservation = await pool.reserve();
    const other = await pool.reserve((client) => client);
    const another = await pool.reserve();
    const waiting = pool.reserve({ block: true });
    const closing = pool.close();
    await expect(waiting).rejects.toThrow(ConnectionClosedError);
    await closing;
    await expect(pool.reserve()).rejects.toThrow(/pool was closed/);
    expect(() => pool.fill(master, 1)).toThrow(/pool was closed/);
    expect(await reservation.client.set("pool:closing", 1)).toBe(true);
    reservation[Symbol.dispose]();
    another[Symbol.dispose]();
    expect([reservation.client.closed, other.closed]).toEqual([true, true]);
    expect(master.closed).toBe(false);
  });
});

describe("close() of a pool waits for clients in use:", () => {
  /** Begins something that takes a while with a client of its own, and says whether it is over. */
  function using(pool: ClientPool | ThreadMappedPool) {
    const job = { client: undefined as Client | undefined, isOver: false, over: gate() };
    const done = pool.reserve(async (client) => {
      job.client = client;
      await client.set("pool:job", 1);
      await job.over.opened;
      await client.set("pool:job", 2);
      job.isOver = true;
    });
    return Object.assign(job, { done });
  }

  const pools = [
    ["ClientPool", () => new ClientPool(master, 2)],
    ["ThreadMappedPool", () => new ThreadMappedPool(master)],
  ] as const;

  test.each(pools)("until they are back, in a %s", async (_, make) => {
    const pool = make();
    const job = using(pool);
    const closing = pool.close({ drainMs: 10_000 });
    setTimeout(job.over.open, 50);
    await closing;
    expect([job.isOver, job.client?.closed]).toEqual([true, true]);
    expect(job.client?.stats().get(server.address)?.connected).toBe(false);
    await job.done;
  });

  test.each(pools)("no longer than drainMs, and they end later, in a %s", async (_, make) => {
    const pool = make();
    const job = using(pool);
    await expect(pool.close({ drainMs: -1 })).rejects.toThrow(OptionError);
    await pool.close({ drainMs: 20 });
    expect([job.isOver, job.client?.closed]).toEqual([false, false]);
    await pool.close({ drainMs: 0 });
    job.over.open();
    await job.done;
    expect([job.isOver, job.client?.closed]).toEqual([true, true]);
  });

  test("as long as their calls may take, if it was not told", async () => {
    await using patient = new Client(server.address, { timeoutMs: 50 });
    const pool = new ClientPool(patient, 1);
    const job = using(pool);
    await pool.close();
    expect(job.isOver).toBe(false);
    job.over.open();
    await job.done;
  });
});

describe("every pooled client places keys as its master does", () => {
  const key = (wire: string) => Buffer.from(wire, "latin1");
  /** One case for each configuration, on servers of several weights where there are such. */
  const cases = new Map(
    vectors.pylibmc_cases
      .filter((each) => each.behaviors?.namespace === undefined)
      .toSorted(
        (a, b) => Number(b.servers.includes("weight")) - Number(a.servers.includes("weight")),
      )
      .map((each) => [
        JSON.stringify([each.behaviors, each.behaviors_set_after_construction]),
        each,
      ]),
  );

  test.each([...cases])("%s", async (_, each) => {
    const servers = vectors.server_lists[each.servers]!.map(({ host, port, weight }) =>
      port === 0 ? { path: host } : { host, port, weight: Math.max(1, weight) },
    );
    const options: ClientOptions = { binary: true, behaviors: each.behaviors ?? {} };
    const client = new Client(servers, options);
    client.behaviors = each.behaviors_set_after_construction ?? {};
    const places = (of: Client) => keysOf(each).map((wire) => of.serverFor(key(wire)).index);
    const expected = places(client);
    await using pool = new ClientPool(client, 2);
    await using mapped = new ThreadMappedPool(client);
    expect(await pool.reserve((one) => pool.reserve((two) => [one, two].map(places)))).toEqual([
      expected,
      expected,
    ]);
    expect(await mapped.reserve(places)).toEqual(expected);
  });

  test("there were many configurations", () => {
    expect(cases.size).toBeGreaterThan(25);
  });

  test("also after the master was changed, or the client by its borrower", async () => {
    const changing = new Client(["a", "b", "c"]);
    const keys = Array.from({ length: 500 }, (_, i) => `k${i}`);
    const places = (of: Client) => keys.map((each) => of.serverFor(each).name);
    await using pool = new ClientPool(changing, 2);
    await using mapped = new ThreadMappedPool(changing);
    const check = async () => {
      expect(await pool.reserve(places)).toEqual(places(changing));
      expect(await pool.reserve(places)).toEqual(places(changing));
      expect(await mapped.reserve(places)).toEqual(places(changing));
    };
    await check();
    changing.behaviors.ketama_weighted = true;
    await check();
    changing.addServer("d:1:4");
    await check();
    await pool.reserve((client) => client.removeServer("a"));
    await mapped.reserve((client) => {
      client.behaviors.hash = "crc";
      client.behaviors.distribution = "modula";
    });
    await check();
    expect(pool.size).toBe(2);
  });
});

describe("ThreadMappedPool", () => {
  test("gives a context one client, however deep and however often", async () => {
    await using pool = new ThreadMappedPool(master);
    await pool.reserve(async (outer) => {
      await delay(1);
      const inner = await Promise.all([pool.reserve((client) => client), pool.reserve((c) => c)]);
      expect(inner).toEqual([outer, outer]);
      expect(outer).not.toBe(master);
      expect(await outer.set("mapped:k", "v")).toBe(true);
    });
  });

  test("gives contexts that overlap clients of their own, and lets later ones have them", async () => {
    await using pool = new ThreadMappedPool(master);
    const context = () =>
      pool.reserve(async (client) => {
        await delay(5);
        expect(await pool.reserve((again) => again)).toBe(client);
        return client;
      });
    const first = await Promise.all([context(), context(), context()]);
    expect(new Set(first).size).toBe(3);
    const later = await Promise.all([context(), context(), context()]);
    expect(new Set([...first, ...later]).size).toBe(3);
  });

  test("what a context left behind has no part in its client any more", async () => {
    await using pool = new ThreadMappedPool(master);
    const later = gate();
    let left: Promise<Client | undefined> | undefined;
    let relinquishing: Promise<Client | undefined> | undefined;
    const first = await pool.reserve((client) => {
      left = later.opened.then(() => pool.reserve((another) => another));
      relinquishing = left.then(() => pool.relinquish());
      return client;
    });
    await pool.reserve(async (client) => {
      expect(client).toBe(first);
      later.open();
      const another = await left;
      expect(another).not.toBe(client);
      // It went back to the pool when its own reservation was over.
      expect(await relinquishing).toBe(another);
      await another?.close();
    });
  });

  test("a context's client stays with it until the last reservation in it is over", async () => {
    await using pool = new ThreadMappedPool(master);
    const over = gate();
    let inner: Promise<Client> | undefined;
    await pool.reserve(() => {
      inner = pool.reserve((client) => over.opened.then(() => client));
    });
    const other = await pool.reserve((client) => client);
    over.open();
    expect(await inner).not.toBe(other);
    expect(await pool.reserve((client) => client)).toBe(await inner);
  });

  test("a clone that fails loses no client", async () => {
    const own = new Stubborn(server.address);
    await using pool = new ThreadMappedPool(own);
    const first = await pool.reserve((client) => client);
    own.refuses = true;
    own.behaviors.ketama = true;
    await expect(pool.reserve((client) => client)).rejects.toThrow("no clone");
    expect(pool.relinquish()).toBe(first);
    await first.close();
  });

  test("keeps a client after an error", async () => {
    await using pool = new ThreadMappedPool(master);
    let failed: Client | undefined;
    const failing = pool.reserve((client) => {
      failed = client;
      throw new RangeError("mine");
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(await pool.reserve((client) => client)).toBe(failed);
  });

  test("relinquish takes the client out, inside of a context and after it", async () => {
    await using pool = new ThreadMappedPool(master);
    expect(pool.relinquish()).toBeUndefined();
    const used = await pool.reserve((client) => client);
    expect(pool.relinquish()).toBe(used);
    expect(pool.relinquish()).toBeUndefined();
    await used.close();
    await pool.reserve(async (client) => {
      expect(client).not.toBe(used);
      expect(pool.relinquish()).toBe(client);
      expect(pool.relinquish()).toBeUndefined();
      expect(await pool.reserve((next) => next)).not.toBe(client);
      await client.close();
    });
  });

  test("closing closes each client, at the latest when its context ends", async () => {
    const pool = new ThreadMappedPool(master);
    let busy: Client | undefined;
    await pool.reserve(async (client) => {
      busy = client;
      await pool.close();
      expect(await client.set("mapped:closing", 1)).toBe(true);
    });
    expect(busy?.closed).toBe(true);
    await expect(pool.reserve(() => 1)).rejects.toThrow(/pool was closed/);
  });
});
