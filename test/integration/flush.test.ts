import { randomBytes } from "node:crypto";
import { Client, PartialError } from "tslibmc";
import { describe, expect, test } from "vitest";
import { startMemcached, startMemcacheds } from "../support/memcached.js";
import { PATIENT } from "../support/use.js";

describe.each([false, true])("flush, binary: %s", (binary) => {
  test("comes back when all servers have carried out what was silent", async () => {
    const servers = await startMemcacheds(2);
    const addresses = servers.map(({ address }) => address);
    await using client = new Client(addresses, { ...PATIENT, binary });
    await using observer = new Client(addresses, PATIENT);
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
    const large = Buffer.alloc(100_000, "x");
    for (const key of keys) void client.set(key, large, { noreply: true });
    expect(await client.flush()).toBe(true);
    let items = 0;
    for (const stats of (await observer.getStats()).values()) items += Number(stats["total_items"]);
    expect(items).toBe(300);
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  });

  test("waits for values that are being compressed", async () => {
    const servers = await startMemcacheds(2);
    const addresses = servers.map(({ address }) => address);
    await using client = new Client(addresses, { ...PATIENT, binary });
    await using observer = new Client(addresses, PATIENT);
    const large = randomBytes(600_000).toString("base64");
    const keys = Array.from({ length: 8 }, (_, i) => `k${i}`);
    const options = { compress: true, noreply: true } as const;
    for (const key of keys) void client.set(key, large, options);
    expect(await client.flush()).toBe(true);
    expect((await observer.getMulti(keys)).size).toBe(8);
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  });

  test("waits for values in chunks that are being compressed", async () => {
    await using server = await startMemcached();
    await using client = new Client(server.address, {
      ...PATIENT,
      binary,
      chunk: { size: 50_000 },
    });
    await using observer = new Client(server.address, { ...PATIENT, chunk: { size: 50_000 } });
    const large = randomBytes(300_000).toString("base64");
    void client.setMulti({ a: large, b: "small" }, { compress: true, noreply: true });
    expect(await client.flush()).toBe(true);
    const found = await observer.getMulti(["a", "b"]);
    expect(found.get("a") === large).toBe(true);
    expect(found.get("b")).toBe("small");
  });

  test("rejects when a server is gone", async () => {
    const servers = await startMemcacheds(2);
    const addresses = servers.map(({ address }) => address);
    await using client = new Client(addresses, { ...PATIENT, binary });
    await client.version();
    await servers[1]!.kill();
    const error: unknown = await client.flush().catch((reason) => reason);
    expect(error).toBeInstanceOf(PartialError);
    expect([...(error as PartialError).errors.keys()]).toEqual([addresses[1]]);
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  });
});
