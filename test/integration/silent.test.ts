import { Client } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { describe, expect, test } from "vitest";
import { startMemcached } from "../support/memcached.js";

const silently = { noreply: true };

describe.each([false, true])("what goes unanswered, binary: %s", (binary) => {
  test("flushAll follows the behavior, and touch only its own call", async () => {
    await using server = await MemcachedServer.start();
    await using client = new Client(server.address, { binary, behaviors: { _noreply: true } });
    await client.set("k", 1, { noreply: false });
    expect(await client.touch("absent", 60)).toBe(false);
    expect(await client.touch("absent", 60, silently)).toBe(true);
    expect(await client.flushAll()).toBe(true);
    expect(await client.get("k")).toBeUndefined();
    const { operations } = client.stats().get(server.address)!;
    expect(operations).toBe(5);
  });

  test("a flush that the server refuses shifts no later answer", async () => {
    await using server = await startMemcached({ args: ["-F"] });
    await using client = new Client(server.address, { binary });
    await client.set("k", "kept");
    const flushes = Array.from({ length: 50 }, () => client.flushAll(silently));
    const found = await Promise.all(
      flushes.map(async (flush) => [await flush, await client.get("k"), await client.has("none")]),
    );
    expect(new Set(found.map(String))).toEqual(new Set(["true,kept,false"]));
    expect(client.stats().get(server.address)).toMatchObject({ connects: 1, errors: 0 });
    await expect(client.flushAll()).rejects.toThrow("flushAll failed");
  });

  test("touches without an item shift no later answer", async () => {
    await using server = await startMemcached();
    await using client = new Client(server.address, { binary });
    await client.set("k", "kept");
    const answers: Promise<unknown>[] = [];
    for (let i = 0; i < 100; i++) {
      void client.touch(`absent-${i}`, 60, silently);
      answers.push(client.get("k"), client.touch("k", 60), client.touch(`absent-${i}`, 60));
    }
    const expected = Array.from({ length: 100 }, () => ["kept", true, false]).flat();
    expect(await Promise.all(answers)).toEqual(expected);
    expect(client.stats().get(server.address)).toMatchObject({ connects: 1, errors: 0 });
  });

  test("a call that could not be sent rejects all the same", async () => {
    await using server = await startMemcached();
    await using client = new Client(server.address, { binary, timeoutMs: 500 });
    await server.kill();
    await expect(client.touch("k", 1, silently)).rejects.toThrow("Cannot connect");
    await expect(client.flushAll(silently)).rejects.toThrow("flushAll failed");
  });
});
