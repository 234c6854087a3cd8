import { setImmediate as turn } from "node:timers/promises";
import { NotSupportedError, PartialError, ServerErrorReply } from "tslibmc";
import { describe, expect, test } from "vitest";
import { startMemcacheds } from "../support/memcached.js";
import { hasProxy, startMemcachedProxy } from "../support/memcachedproxy.js";
import { outcome } from "../support/outcome.js";
import { until } from "../support/until.js";
import { clientOf, use } from "../support/use.js";

const KEYS = Array.from({ length: 120 }, (_, i) => `key-${i}`.padEnd(80, "-"));
const VALUES = new Map(KEYS.map((key, i) => [key, i]));

async function proxied(proxy?: "memcached") {
  const servers = await startMemcacheds(3);
  for (const server of servers) use(server);
  const { address } = use(await startMemcachedProxy(servers));
  const client = clientOf(address, { proxy, timeoutMs: 5_000 });
  expect(await client.setMulti(VALUES)).toEqual([]);
  return { servers, client };
}

/** memcached's own proxy, which Debian's memcached is built without: `MEMCACHED` may name another. */
describe.runIf(hasProxy())("through memcached's proxy", () => {
  test("calls on keys do what they do without it", async () => {
    const { client } = await proxied("memcached");
    expect(await client.getMulti(KEYS)).toEqual(VALUES);
    expect(await client.add("k", "b")).toBe(true);
    expect(await client.append("k", "c")).toBe(true);
    const read = (await client.gets("k"))!;
    expect(read.value).toBe("bc");
    expect(await client.cas("k", "d", read.cas)).toBe(true);
    expect(await client.cas("k", "e", read.cas)).toBe(false);
    expect(await client.getAndTouch("k", 60)).toBe("d");
    expect(await client.has("k")).toBe(true);
    expect(await client.metaGet("k", { returnTtl: true })).toMatchObject({ value: "d", ttl: 60 });
    expect(await client.touch("k", 30)).toBe(true);
    expect(await client.incr("n", 1, { initial: 5 })).toBe(5);
    expect(await client.incr("n", 2)).toBe(7);
    expect(await client.set("k", 1, { noreply: true })).toBe(true);
    expect(await client.flush()).toBe(true);
    expect(await client.get("k")).toBe(1);
    expect(await client.deleteMulti(KEYS)).toEqual([]);
    expect((await client.getMulti(KEYS)).size).toBe(0);
  });

  test("what it would hang up on is refused before", async () => {
    const { client } = await proxied("memcached");
    for (const call of [client.flushAll(), client.verbosity(1)]) {
      const error = (await outcome(call)) as PartialError;
      expect(error.cause).toBeInstanceOf(NotSupportedError);
      expect(error.cause).toMatchObject({
        message: expect.stringContaining("memcached as a proxy"),
      });
    }
    expect((await client.version()).size).toBe(1);
    expect((await client.getStats()).size).toBe(1);
  });

  test("while a server behind it is down its keys fail, and those of the others are found", async () => {
    const { servers, client } = await proxied("memcached");
    await servers[0]!.kill();
    const error = (await outcome(client.getMulti(KEYS))) as PartialError<Map<string, number>>;
    expect(error).toBeInstanceOf(PartialError);
    expect(error.cause).toBeInstanceOf(ServerErrorReply);
    expect(error.results.size).toBeGreaterThan(40);
    for (const [key, value] of error.results) expect(value).toBe(VALUES.get(key));

    for (let n = 0; n < 20; n++) {
      const calls = await Promise.all(KEYS.map((key) => outcome(client.get(key))));
      for (const [i, found] of calls.entries()) {
        if (found instanceof ServerErrorReply) expect(error.results.has(KEYS[i]!)).toBe(false);
        else expect(found).toBe(i);
      }
    }
    expect([...client.stats().values()][0]!.connects).toBe(1);

    await servers[0]!.start();
    await until(async () => (await outcome(client.getMulti(KEYS))) instanceof Map);
  });

  test("a client that does not know of it takes no key for a miss, and no answer for another's", async () => {
    const { servers, client } = await proxied();
    await servers[0]!.kill();
    const dead: string[] = [];
    for (const key of KEYS.slice(0, 30)) {
      if ((await outcome(client.get(key))) instanceof ServerErrorReply) dead.push(key);
    }
    const alive = KEYS.slice(0, 30).filter((key) => !dead.includes(key));
    for (let n = 0; n < 20; n++) {
      const lost = dead.map((key) => outcome(client.get(key)));
      await turn();
      const values = await Promise.all(alive.map((key) => client.get(key)));
      expect(values).toEqual(alive.map((key) => VALUES.get(key)));
      for (const error of await Promise.all(lost)) expect(error).toBeInstanceOf(ServerErrorReply);
    }
  });
});
