import { Client, ClientPool, type SocketOptions } from "tslibmc";
import { elasticache } from "tslibmc/discovery";
import { describe, expect, test } from "vitest";
import { busy } from "../support/busy.js";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { clientOf, use } from "../support/use.js";

/** A program that is busy for longer than something may take does not take that for failed. */

/** Enough for a server on a starved machine, too, once the program is not busy any more. */
const LIMIT_MS = 1_000;
const LONGER_MS = 1_500;

/** An endpoint, as it was at engines before 1.4.14, of which each member is itself. */
async function endpoint(): Promise<Memcached> {
  const memcached = use(await startMemcached());
  const client = clientOf(memcached.address);
  await client.set("AmazonElastiCache:cluster", `1\nlocalhost|127.0.0.1|${memcached.port}\n`);
  return memcached;
}

describe("a discovery endpoint that was asked before", () => {
  test("gives its list", async () => {
    const { address, port } = await endpoint();
    const iterator = elasticache(address, { timeoutMs: LIMIT_MS })[Symbol.asyncIterator]();
    const list = outcome(iterator.next());
    busy(LONGER_MS);
    expect(await list).toEqual({ done: false, value: [{ host: "localhost", port }] });
    await iterator.return?.();
  });

  test("gives it in time for a client that is being made", async () => {
    const { address, port } = await endpoint();
    const source = elasticache(address, { timeoutMs: 10_000 });
    const making = outcome(Client.discover(source, { discoverTimeoutMs: LIMIT_MS }));
    busy(LONGER_MS);
    const client = await making;
    expect(client).toBeInstanceOf(Client);
    await using made = client as Client;
    expect(made.servers.map(({ name }) => name)).toEqual([`localhost:${port}`]);
  });
});

test("calls that were made before close() are sent, and answered", async () => {
  const memcached = use(await startMemcached());
  const client = clientOf(memcached.address, { timeoutMs: 10_000 });
  const calls = [client.set("k", "v"), client.incr("n", 1, { initial: 5 })].map(outcome);
  const closing = client.close({ drainMs: LIMIT_MS });
  busy(LONGER_MS);
  await closing;
  expect(await Promise.all(calls)).toEqual([true, 5]);
});

test("a client comes back to its pool before those who wait for it give up", async () => {
  const memcached = use(await startMemcached());
  const master = clientOf(memcached.address, { timeoutMs: 10_000 });
  await using pool = new ClientPool(master, 1);
  const first = pool.reserve((client) => client.set("k", "v"));
  const second = outcome(pool.reserve((client) => client.get("k"), { timeoutMs: LIMIT_MS }));
  busy(LONGER_MS);
  expect(await Promise.all([first, second])).toEqual([true, "v"]);
});

test("a server is reached over UDP when its name is found", async () => {
  const { host, udpPort } = use(await startMemcached({ args: ["-U", "-1"] }));
  const lookup: SocketOptions["lookup"] = (_, __, done) => {
    setImmediate(() => setTimeout(() => done(null, host, 4), 100));
  };
  const client = clientOf(`udp:name.test:${udpPort}`, {
    timeoutMs: 10_000,
    socket: { lookup },
    behaviors: { failure_limit: 1, connect_timeout: 500 },
  });
  const states: string[] = [];
  client.on("health", ({ state }) => states.push(state));
  const read = outcome(client.get("k"));
  busy(800);
  expect(await read).toBeUndefined();
  expect(states).toEqual([]);
});

/** Finds two addresses, and nobody is at the second; the program is busy once while the first is connected to. */
class TwoAddresses {
  lookups = 0;
  readonly lookup: NonNullable<SocketOptions["lookup"]> = (_, __, found) => {
    const addresses = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
    setImmediate(() => {
      found(null, addresses);
      if (++this.lookups === 1) process.nextTick(busy, 500);
    });
  };
}

describe("somebody who has several addresses is reached at the first of them:", () => {
  test("a server", async () => {
    const { port } = use(await startMemcached());
    const name = new TwoAddresses();
    const client = clientOf(`name.test:${port}`, {
      timeoutMs: 10_000,
      socket: { lookup: name.lookup },
    });
    expect(await outcome(client.get("k"))).toBeUndefined();
    expect(name.lookups).toBe(2);
  });

  test("a discovery endpoint", async () => {
    const { port } = await endpoint();
    const name = new TwoAddresses();
    const source = elasticache(`name.test:${port}`, {
      timeoutMs: 10_000,
      socket: { lookup: name.lookup },
    });
    const iterator = source[Symbol.asyncIterator]();
    expect(await outcome(iterator.next())).toMatchObject({ value: [{ host: "localhost" }] });
    expect(name.lookups).toBe(2);
    await iterator.return?.();
  });
});
