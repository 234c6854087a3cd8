import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AuthError,
  type Client,
  ClientErrorReply,
  type ClientOptions,
  NotSupportedError,
  ServerErrorReply,
} from "tslibmc";
import { describe, expect, onTestFinished, test } from "vitest";
import { startMemcached } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { clientOf, use } from "../support/use.js";

/** What a memcached that was started with unusual switches makes of calls. */

async function serve(args: readonly string[], options: ClientOptions = {}): Promise<Client> {
  const server = use(await startMemcached({ args }));
  return clientOf(server.address, options);
}

const countersOf = (client: Client) => [...client.stats().values()][0]!;

describe.each([false, true])("-C, which keeps no cas tokens, with binary: %s", (binary) => {
  test("a token that is none is refused, and what it would compare stays", async () => {
    const client = await serve(["-C"], { binary });
    await client.setMulti({ text: "value", number: 5 });
    const { value, cas } = (await client.gets("text"))!;
    expect({ value, cas }).toEqual({ value: "value", cas: 0n });
    const compared = { compareCas: cas };
    for (const call of [
      () => client.cas("text", "changed", cas),
      () => client.metaSet("text", "changed", compared),
      () => client.metaDelete("text", compared),
      () => client.metaArithmetic("number", compared),
    ]) {
      const error = await errorOf(call());
      expect(error).toBeInstanceOf(NotSupportedError);
      expect(error).toMatchObject({ sent: false, message: expect.stringContaining("-C") });
    }
    expect(await client.getMulti(["text", "number"])).toEqual(
      new Map<string, unknown>([
        ["text", "value"],
        ["number", 5],
      ]),
    );
  });
});

test("-C: no item is given back, since nobody would notice that it was changed", async () => {
  const server = use(await startMemcached({ args: ["-C"] }));
  const other = use(await startMemcached({ args: ["-C"] }));
  const client = clientOf([server.address, other.address], {
    behaviors: { num_replicas: 1 },
    readRepair: true,
  });
  const key = "copied";
  await client.set(key, "value");
  const isHome = client.serverFor(key).name === server.address;
  const [home, copy] = (isHome ? [server, other] : [other, server]).map(({ address }) =>
    clientOf(address),
  ) as [Client, Client];
  await home.delete(key);
  expect(await client.get(key)).toBe("value");
  const hits = async () => [...(await copy.getStats()).values()][0]!["get_hits"];
  await until(async () => (await hits()) === 2); // it was read, and then looked at
  for (let i = 0; i < 2; i++) await client.version();
  expect(await home.get(key)).toBeUndefined();
  expect(client.copyReads.repaired).toBe(0);
});

test.each([
  [false, ClientErrorReply, "flush_all not allowed"],
  [true, AuthError, "flush_all switched off (-F)"],
] as const)("-F: flush_all is refused in words, with binary: %s", async (binary, type, words) => {
  const client = await serve(["-F"], { binary });
  await client.set("kept", 1);
  const { cause } = (await errorOf(client.flushAll())) as Error;
  expect(cause).toBeInstanceOf(type);
  expect(cause).toMatchObject({ message: expect.stringContaining(words) });
  expect(await client.get("kept")).toBe(1);
  expect(countersOf(client).connects).toBe(1);
});

test.each([false, true])(
  "-M: a set for which no memory is left also loses what the key held (binary: %s)",
  async (binary) => {
    const client = await serve(["-M", "-m", "2"], { binary, timeoutMs: 5000 });
    await client.set("first", "old");
    const value = "x".repeat(1000);
    const sets = Array.from({ length: 4000 }, (_, i) => client.set(`k${i}`, value));
    const refused = (await Promise.allSettled(sets)).filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(100);
    for (const each of refused)
      expect(each).toMatchObject({ reason: expect.any(ServerErrorReply) });
    expect(await client.get("first")).toBe("old");
    expect(await errorOf(client.set("first", value))).toBeInstanceOf(ServerErrorReply);
    expect(await client.get("first")).toBeUndefined();
    expect(await client.get("k1")).toBe(value);
    expect(countersOf(client).connects).toBe(1);
  },
);

test("idle_timeout: who comes back to a connection that the server ended gets another", async () => {
  const client = await serve(["-o", "idle_timeout=1"]);
  await client.set("visits", 0);
  await new Promise((resolve) => client.on("disconnect", resolve));
  expect(await client.incr("visits")).toBe(1);
  expect(countersOf(client)).toMatchObject({ connects: 2, errors: 0, state: "up" });
});

test("extstore: values on disk are read and changed as others, but not added to", async () => {
  const path = join(tmpdir(), `tslibmc-extstore-${process.pid}`);
  onTestFinished(() => rmSync(path, { force: true }));
  const extstore = `ext_page_size=8,ext_path=${path}:64m,ext_wbuf_size=2,ext_item_age=0`;
  const client = await serve(["-m", "64", "-o", extstore]);
  const pairs = Array.from(
    { length: 500 },
    (_, i) => [`k${i}`, `${i}:`.padEnd(2000, "x")] as const,
  );
  await client.setMulti(pairs);
  const onDisk = async () =>
    [...(await client.getStats()).values()][0]!["extstore_objects_used"] as number;
  await until(async () => (await onDisk()) > 400);
  expect(await client.getMulti(pairs.map(([key]) => key))).toEqual(new Map(pairs));
  expect(await Promise.all(pairs.map(([key]) => client.get(key)))).toEqual(pairs.map(([, v]) => v));
  const binary = clientOf(client.servers[0]!.name, { binary: true });
  expect(await binary.getMulti(pairs.map(([key]) => key))).toEqual(new Map(pairs));
  const { cas } = (await client.gets("k1"))!;
  expect(await client.cas("k1", "changed", cas)).toBe(true);
  expect(await client.get("k1")).toBe("changed");
  const added = await Promise.all(pairs.slice(2).map(([key]) => client.append(key, "!")));
  const read = await client.getMulti(pairs.slice(2).map(([key]) => key));
  expect(added).toContain(false);
  for (const [i, [key, value]] of pairs.slice(2).entries()) {
    expect(read.get(key)).toBe(added[i] ? `${value}!` : value);
  }
});
