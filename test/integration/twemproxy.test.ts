import { createHash } from "node:crypto";
import {
  Client,
  ClientErrorReply,
  ConnectionClosedError,
  NotSupportedError,
  OptionError,
  PartialError,
  ServerErrorReply,
} from "tslibmc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { startTwemproxy, type Twemproxy } from "../support/twemproxy.js";
import { clientOf, use } from "../support/use.js";

let servers: Memcached[];
let proxy: Twemproxy;
let client: Client;

beforeAll(async () => {
  servers = await startMemcacheds(3);
  proxy = await startTwemproxy(servers.map(({ address }) => address));
  client = new Client(proxy.address, { proxy: "twemproxy" });
});
afterAll(async () => {
  await client.close();
  await proxy[Symbol.asyncDispose]();
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});

test("the classic commands reach the servers behind it", async () => {
  expect(await client.set("k", { a: 1 }, 60)).toBe(true);
  expect(await client.get("k")).toEqual({ a: 1 });
  expect(await client.add("k", 1)).toBe(false);
  expect(await client.replace("k", "b")).toBe(true);
  expect(await client.append("k", "c")).toBe(true);
  expect(await client.prepend("k", "a")).toBe(true);
  const { value, cas } = (await client.gets("k"))!;
  expect(value).toBe("abc");
  expect(await client.cas("k", "abcd", cas)).toBe(true);
  expect(await client.cas("k", "lost", cas)).toBe(false);
  expect(await client.touch("k", 60)).toBe(true);
  await expect(client.incr("k")).rejects.toThrow(ClientErrorReply);
  expect(await client.delete("k")).toBe(true);
  expect(await client.set("n", 41)).toBe(true);
  expect(await client.incr("n")).toBe(42);
  expect(await client.set("n", 0, { noreply: true })).toBe(true);
  expect(await client.get("n")).toBe(0);
  expect(await client.touch("absent", 60, { noreply: true })).toBe(true);
  expect(await client.get("n")).toBe(0);
});

test("many keys come back from all the servers, whatever the order of the answers", async () => {
  const pairs = Array.from({ length: 500 }, (_, i) => [`many-${i}`, i] as const);
  expect(await client.setMulti(pairs)).toEqual([]);
  const keys = pairs.map(([key]) => key);
  expect(await client.getMulti(keys)).toEqual(new Map(pairs));
  expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(pairs.map(([, i]) => i));
  expect(await client.deleteMulti(keys)).toEqual([]);
});

test("values of many kilobytes pass", async () => {
  const value = Buffer.alloc(500_000, "proxy");
  await client.set("large", value);
  const found = await Promise.all(Array.from({ length: 5 }, () => client.get<Buffer>("large")));
  for (const each of found) expect(each?.equals(value)).toBe(true);
});

test("flush and version work, since it passes on version", async () => {
  expect(await client.flush()).toBe(true);
  expect([...(await client.version()).keys()]).toEqual([proxy.address]);
});

test.each<[string, () => Promise<unknown>]>([
  ["getAndTouch", () => client.getAndTouch("k", 1)],
  ["has", () => client.has("k")],
  ["metaArithmetic", () => client.metaArithmetic("k")],
  ["metaGet", () => client.metaGet("k")],
  ["flushAll", () => client.flushAll()],
  ["getStats", () => client.getStats()],
  ["verbosity", () => client.verbosity(1)],
])("%s is a NotSupportedError, and the connection lives on", async (_, call) => {
  const reading = client.set("alive", 1);
  const error: unknown = await call().catch((reason) => reason);
  const cause = error instanceof PartialError ? error.cause : error;
  expect(cause).toBeInstanceOf(NotSupportedError);
  expect(cause).toMatchObject({ sent: false, message: expect.stringContaining("twemproxy") });
  expect(await reading).toBe(true);
});

test("a client that does not know of it loses its connection by such a command", async () => {
  await using unknowing = new Client(proxy.address);
  await expect(unknowing.metaGet("k")).rejects.toMatchObject({
    code: "ERR_MEMCACHED_CONNECTION_CLOSED",
  });
});

test("other proxies, and twemproxy with the binary protocol, are refused", () => {
  expect(() => new Client("localhost", { proxy: "nginx" as never })).toThrow(OptionError);
  expect(() => new Client("localhost", { proxy: "twemproxy", binary: true })).toThrow(OptionError);
});

/** A key that twemproxy's hash spreads, as it does not numbers in a row. */
const md5 = (n: number) => createHash("md5").update(String(n)).digest("hex");

test("while a server behind it is down no key is a miss, and no answer is another's", async () => {
  const behind = (await startMemcacheds(3)).map(use);
  const { address } = use(await startTwemproxy(behind.map((server) => server.address)));
  const reader = clientOf(address, { proxy: "twemproxy", timeoutMs: 5_000 });
  const values = new Map(Array.from({ length: 150 }, (_, i) => [md5(i), i]));
  expect(await reader.setMulti(values)).toEqual([]);
  await behind[0]!.kill();
  const keys = [...values.keys()];
  const single: unknown[] = [];
  for (const key of keys) single.push(await outcome(reader.get(key)));
  expect(single.filter((value) => value instanceof ServerErrorReply).length).toBeGreaterThan(5);
  for (let n = 0; n < 20; n++) {
    const calls = keys.map((key, i) => {
      const pair = [key, keys[i + 1] ?? md5(0)] as const;
      return [outcome(reader.getMulti(pair)), outcome(reader.gets(key))] as const;
    });
    for (const [i, [many, one]] of calls.entries()) {
      const next = (i + 1) % keys.length;
      const isLost = [single[i], single[next]].some((value) => value instanceof Error);
      const read = await many;
      if (isLost || read instanceof Error) expect(read).toBeInstanceOf(PartialError);
      else expect(read).toEqual(new Map([i, next].map((k) => [md5(k), k])));
      const found = await one;
      // It ends a connection now and then when it loses a server.
      if (!(found instanceof ServerErrorReply || found instanceof ConnectionClosedError)) {
        expect(found).toMatchObject({ value: i });
      }
    }
  }
});
