import { Client, ConnectError, type MemcachedError, PartialError, TimeoutError } from "tslibmc";
import { Migration } from "tslibmc/migration";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";

/** Calls on many keys and on all servers, when one of three servers is lost. */
describe("a call that lost a server", () => {
  let servers: Memcached[];
  let client: Client<number>;
  const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`);
  const onServer = (index: number) => keys.filter((key) => client.serverFor(key).index === index);

  beforeAll(async () => {
    servers = await startMemcacheds(3);
  });
  afterAll(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

  beforeEach(async () => {
    client = new Client<number>(
      servers.map((server) => server.address),
      { timeoutMs: 5000 },
    );
    await client.setMulti(keys.map((key, i) => [key, i] as const));
    return async () => {
      await client.close({ drainMs: 0 });
      for (const server of servers) server.resume();
      await Promise.all(servers.map((server) => server.restart()));
    };
  });

  async function partial<Results>(call: Promise<Results>): Promise<PartialError<Results>> {
    const error = await errorOf(call);
    expect(error).toBeInstanceOf(PartialError);
    return error as PartialError<Results>;
  }

  test("getMulti has what the others answered, and the error by server", async () => {
    await servers[1]?.kill();
    const error = await partial(client.getMulti(keys));
    const expected = [...onServer(0), ...onServer(2)];
    expect([...error.results.keys()].sort()).toEqual(expected.sort());
    for (const [key, value] of error.results) expect(`key-${value}`).toBe(key);
    expect([...error.errors.keys()]).toEqual([servers[1]?.address]);
    expect(error.code).toBe("ERR_MEMCACHED_PARTIAL");
    expect(error.retcode).toBe(19);
  });

  test("its message names each server once, and says how many failed", async () => {
    await servers[1]?.kill();
    const { address } = servers[1]!;
    const one = await partial(client.getMulti(onServer(1)));
    expect(one.message).toBe(
      `getMulti failed: Cannot connect to ${address}: connect ECONNREFUSED ${address}`,
    );
    await servers[0]?.kill();
    const { message } = await partial(client.version());
    expect(message).toMatch(/^version failed at 2 servers, the first: Cannot connect to /);
  });

  test("its message names the server, also where another name that begins so is in it", async () => {
    const [server] = servers.map(({ address }) => address) as [string];
    const key = `${server}0`;
    await using one = new Client(server);
    await one.set(key, 2n ** 60n);
    const { message } = await partial(one.incrMulti([key]));
    expect(message).toMatch(
      `incrMulti failed at ${server}: The counter ${JSON.stringify(key)} is `,
    );
  });

  test("an error about one key's item counts for the server that has it", async () => {
    const [key = ""] = onServer(1);
    await using writer = new Client(servers.map((server) => server.address));
    await writer.set(key, 2n ** 60n);
    const calls = [client.incrMulti(keys), client.incrMulti(keys, 1, { initial: 0 })];
    for (const { errors, results, message } of await Promise.all(calls.map(partial))) {
      expect([...errors.keys()]).toEqual([servers[1]?.address]);
      expect(message).toMatch(`incrMulti failed at ${servers[1]?.address}: `);
      expect(results.size).toBe(keys.length - 1);
    }
    await using next = new Client<number>("127.0.0.1:1");
    await using migration = new Migration({ from: client, to: next }, { reads: "old" });
    const { errors } = await partial(migration.incrMulti([key]));
    expect([...errors.keys()]).toEqual([servers[1]?.address]);

    const [groupKey = ""] = onServer(2);
    const prefixed = keys.find((each) => client.serverFor(`p:${each}`).index === 0) ?? "";
    await writer.set(key, 2n ** 60n, { groupKey });
    await writer.set(`p:${prefixed}`, 2n ** 60n);
    const grouped = await partial(migration.incrMulti([key], 1, { groupKey }));
    expect([...grouped.errors.keys()]).toEqual([servers[2]?.address]);
    const withPrefix = await partial(migration.incrMulti([prefixed], 1, { keyPrefix: "p:" }));
    expect([...withPrefix.errors.keys()]).toEqual([servers[0]?.address]);
  });

  test("a server that hangs costs its own keys, up to the deadline", async () => {
    await servers[2]?.pause();
    const error = await partial(client.getMulti(keys, { timeoutMs: 300 }));
    expect([...error.results.keys()].sort()).toEqual([...onServer(0), ...onServer(1)].sort());
    expect(error.errors.get(servers[2]?.address ?? "")).toBeInstanceOf(TimeoutError);
    const [alive] = onServer(0);
    expect(await client.get(alive ?? "")).toBe(keys.indexOf(alive ?? ""));
  });

  test("setMulti, deleteMulti and touchMulti name the keys not known to be done", async () => {
    await servers[0]?.kill();
    const lost = onServer(0).sort();
    const calls = [
      client.setMulti(keys.map((key, i) => [key, i] as const)),
      client.touchMulti(keys, 100),
      client.deleteMulti(keys),
    ];
    for (const call of calls) {
      const error = await partial<unknown[]>(call as Promise<unknown[]>);
      expect([...error.results].sort()).toEqual(lost);
    }
  });

  test("incrMulti counts where it can", async () => {
    await servers[0]?.kill();
    const error = await partial(client.incrMulti(keys, 1000));
    expect(error.results.size).toBe(keys.length - onServer(0).length);
    for (const [key, value] of error.results) expect(`key-${value - 1000}`).toBe(key);
  });

  test("version, getStats and flushAll speak for the others", async () => {
    await servers[1]?.kill();
    const alive = [servers[0]?.address, servers[2]?.address];
    expect([...(await partial(client.version())).results.keys()].sort()).toEqual(alive.sort());
    expect((await partial(client.getStats())).results.size).toBe(2);
    const error = await partial(client.flushAll() as Promise<unknown>);
    expect(error.errors.size).toBe(1);
    const [left] = onServer(0);
    expect(await client.get(left ?? "")).toBeUndefined();
  });

  test("all servers lost is an error for each", async () => {
    await Promise.all(servers.map((server) => server.kill()));
    const error = await partial(client.getMulti(keys));
    expect(error.results.size).toBe(0);
    expect(error.errors.size).toBe(3);
    for (const each of error.errors.values()) {
      expect(["ERR_MEMCACHED_CONNECT", "ERR_MEMCACHED_CONNECTION_CLOSED"]).toContain(each.code);
    }
  });

  test("may have been carried out if any of its servers may have done so", async () => {
    await servers[0]?.kill();
    await servers[1]?.pause();
    const error = await partial(client.setMulti({ [onServer(1)[0]!]: 1 }, { timeoutMs: 100 }));
    expect(error).toMatchObject({ sent: true, server: servers[1]?.address });
    const calls = client.incrMulti([onServer(0)[0]!, onServer(1)[0]!], 1, { timeoutMs: 300 });
    const { errors, sent } = await partial(calls);
    expect([...errors.values()].map((each) => each.sent)).toEqual([false, true]);
    expect(sent).toBe(true);
  });

  test("single keys of the lost server fail fast, and work again when it is back", async () => {
    await servers[1]?.kill();
    const [lost = ""] = onServer(1);
    const [alive = ""] = onServer(0);
    const error = await client.get(lost).catch((error: MemcachedError) => error);
    expect(error).toBeInstanceOf(Error);
    await expect(client.get(lost)).rejects.toBeInstanceOf(ConnectError);
    expect(await client.get(alive)).toBe(keys.indexOf(alive));
    await servers[1]?.start();
    const back = async () => {
      for (;;) {
        const stored = await client.set(lost, 7).catch((error: MemcachedError) => error.code);
        if (stored === true) return client.get(lost);
        expect(stored).toBe("ERR_MEMCACHED_CONNECT");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    expect(await back()).toBe(7);
  });

  test("an abort ends the whole call with its own reason", async () => {
    await servers[0]?.pause();
    const controller = new AbortController();
    const call = client.getMulti(keys, { signal: controller.signal });
    controller.abort("enough");
    await expect(call).rejects.toBe("enough");
    const refused = client.getMulti(keys, { signal: AbortSignal.abort("already") });
    await expect(refused).rejects.toBe("already");
  });
});
