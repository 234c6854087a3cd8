import { Client } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { describe, expect, test } from "vitest";
import { startMemcached } from "../support/memcached.js";
import { until } from "../support/until.js";

const silently = { noreply: true };

type Server = AsyncDisposable & { readonly address: string };

const kinds: [string, (flushAll: boolean) => Promise<Server>][] = [
  ["memcached", (flushAll) => startMemcached({ args: flushAll ? [] : ["-F"] })],
  ["the embedded server", (flushAll) => MemcachedServer.start({ flushAll })],
];
const cases = kinds.flatMap(([name, start]) =>
  [false, true].map((binary) => ({ name, start, binary })),
);

describe.each(cases)("what goes unanswered by $name, binary: $binary", ({ start, binary }) => {
  test("flushAll follows the behavior, and touch only its own call", async () => {
    await using server = await start(true);
    await using client = new Client(server.address, { binary, behaviors: { _noreply: true } });
    await client.set("k", 1, { noreply: false });
    expect(await client.touch("absent", 60)).toBe(false);
    expect(await client.touch("absent", 60, silently)).toBe(true);
    let flushes = 0;
    // from 1.6.25 on memcached leaves an item of this second that another of its threads holds
    await until(async () => {
      flushes++;
      expect(await client.flushAll()).toBe(true);
      return (await client.get("k")) === undefined;
    });
    const { operations } = client.stats().get(server.address)!;
    expect(operations).toBe(3 + 2 * flushes);
  });

  test("a flush that the server refuses shifts no later answer", async () => {
    await using server = await start(false);
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
    await using server = await start(true);
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

  test("failures of every kind shift no later answer", async () => {
    await using server = await start(true);
    await using client = new Client(server.address, { binary });
    await client.setMulti({ present: 1, text: "no number" });
    const answers: Promise<unknown>[] = [];
    for (let i = 0; i < 30; i++) {
      void client.add("present", 2, silently);
      void client.replace("absent", 2, silently);
      void client.append("absent", "x", silently);
      void client.cas("present", 2, 2n ** 40n, silently);
      void client.incr("text", 1, silently);
      void client.delete("absent", silently);
      void client.incr("absent", 1, silently);
      void client.touch("absent", 1, silently);
      answers.push(client.get("present"), client.deleteMulti(["absent", "none"]));
      void client.setMulti({ silent: i, quiet: i }, silently);
      void client.deleteMulti(["absent", "none"], silently);
      answers.push(client.addMulti({ present: 2, text: 2 }), client.incr("silent", 1));
    }
    const expected = Array.from({ length: 30 }, (_, i) => [
      ...[1, ["absent", "none"]],
      ...[["present", "text"], i + 1],
    ]).flat();
    expect(await Promise.all(answers)).toEqual(expected);
    expect(client.stats().get(server.address)).toMatchObject({ connects: 1, errors: 0 });
  });
});

describe.each([false, true])("a server that is gone, binary: %s", (binary) => {
  test("a silent call that could not be sent rejects all the same", async () => {
    await using server = await startMemcached();
    await using client = new Client(server.address, { binary, timeoutMs: 10_000 });
    await server.kill();
    await expect(client.touch("k", 1, silently)).rejects.toThrow("Cannot connect");
    await expect(client.flushAll(silently)).rejects.toThrow("flushAll failed");
  });
});
