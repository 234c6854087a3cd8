import { Client, PartialError, ValueTooLargeError } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { describe, expect, test } from "vitest";
import { startMemcached } from "../support/memcached.js";
import { PATIENT, use } from "../support/use.js";

const binaryClient = (server: { address: string }) =>
  use(new Client(server.address, { ...PATIENT, binary: true }));

const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
const pairs = keys.map((key) => [key, key] as const);
const NOOP = 0x0a;

/** The opcodes of what a server was sent, without their requests' bodies. */
function opcodesOf(bytes: Buffer): number[] {
  const opcodes: number[] = [];
  for (let at = 0; at < bytes.length; at += 24 + bytes.readUInt32BE(at + 8)) {
    opcodes.push(bytes[at + 1]!);
  }
  return opcodes;
}

describe("a server that dies before the noop", () => {
  test("leaves every key of the batch unknown, and none stored", async () => {
    const server = use(await MemcachedServer.start({ log: "requests" }));
    const client = binaryClient(server);
    await client.version();
    server.faults.add({ on: { command: "noop" }, do: { kind: "reset" } });
    const error: unknown = await client.addMulti(pairs).catch((reason) => reason);
    expect(error).toBeInstanceOf(PartialError);
    expect(error).toMatchObject({ sent: true, command: "addMulti", results: keys });
    expect(server.log.requests.filter(({ command }) => command === "add")).toHaveLength(50);
  });

  test("has the batch repeated where that does no harm", async () => {
    const server = use(await MemcachedServer.start());
    const client = binaryClient(server);
    await client.version();
    server.faults.add({ on: { command: "noop", times: 1 }, do: { kind: "reset" } });
    expect(await client.setMulti(pairs)).toEqual([]);
    expect(client.stats().get(server.address)).toMatchObject({ connects: 2, errors: 0 });
    expect((await client.getMulti(keys)).size).toBe(50);
  });

  test("leaves unknown what is behind the last failure that it told, and nothing before it", async () => {
    const server = use(await MemcachedServer.start());
    const client = binaryClient(server);
    await client.set("k30", "present");
    server.faults.add({ on: { command: "noop" }, do: { kind: "reset" } });
    const error: unknown = await client.addMulti(pairs).catch((reason) => reason);
    expect(error).toBeInstanceOf(PartialError);
    expect((error as PartialError).results).toEqual(keys.slice(30));
  });

  test("one that never answers it is a timeout for every key", async () => {
    const server = use(await MemcachedServer.start());
    const client = binaryClient(server);
    await client.version();
    server.faults.add({ on: { command: "noop", times: 1 }, do: { kind: "delay", ms: 2_000 } });
    const late = client.setMulti(pairs, { timeoutMs: 50 }).catch((reason) => reason);
    const reading = client.get("k49");
    const error: unknown = await late;
    expect(error).toMatchObject({ sent: true, message: expect.stringContaining("timed out") });
    expect((error as PartialError).results).toEqual(keys);
    expect(await reading).toBe("k49");
    expect(await client.deleteMulti(keys)).toEqual([]);
    expect(client.stats().get(server.address)!.connects).toBe(1);
  });
});

describe("failures in the middle of a batch", () => {
  test("are those of their own keys, on a real memcached", async () => {
    const server = use(await startMemcached());
    const client = binaryClient(server);
    const present = ["k3", "k4", "k49"];
    for (const key of present) await client.set(key, "present");
    const absent = keys.filter((key) => !present.includes(key));
    expect(await client.addMulti(pairs)).toEqual(present);
    expect((await client.getMulti(present)).get("k49")).toBe("present");
    await client.deleteMulti(present);
    expect(await client.deleteMulti(keys)).toEqual(present);
    expect(await client.setMulti(pairs)).toEqual([]);
    expect(await client.deleteMulti(absent)).toEqual([]);
    expect([...(await client.getMulti(keys)).keys()]).toEqual(present);
  });

  test("a value that the server refuses fails alone", async () => {
    const server = use(await startMemcached());
    const client = binaryClient(server);
    const values = new Map<string, string | Buffer>(pairs);
    for (const key of ["k0", "k25", "k49"]) values.set(key, Buffer.alloc(1024 * 1024));
    const error: unknown = await client.setMulti(values).catch((reason) => reason);
    expect(error).toBeInstanceOf(PartialError);
    expect((error as PartialError).cause).toBeInstanceOf(ValueTooLargeError);
    expect((error as PartialError).results).toEqual(["k0", "k25", "k49"]);
    expect((await client.getMulti(keys)).size).toBe(47);
    expect(client.stats().get(server.address)!.connects).toBe(1);
  });

  test("do not harm the calls around it, nor silent ones", async () => {
    const server = use(await startMemcached());
    const client = binaryClient(server);
    await client.setMulti({ text: "no number", k7: "present" });
    const rounds = Array.from({ length: 20 }, () =>
      Promise.all([
        client.incr("text", 1, { noreply: true }),
        client.addMulti(pairs.slice(0, 10)),
        client.get("k7"),
        client.delete("absent", { noreply: true }),
        client.deleteMulti(["k0", "absent", "k1"]),
        client.set("k8", 8),
        client.deleteMulti(["k2", "k3", "k4", "k5", "k6", "k8", "k9"]),
      ]),
    );
    for (const found of await Promise.all(rounds)) {
      expect(found.slice(1)).toEqual([["k7"], "present", true, ["absent"], true, []]);
    }
  });
});

test("one noop ends the changes of a call; a single key needs none", async () => {
  const server = use(await MemcachedServer.start());
  const client = binaryClient(server);
  await client.setMulti({ a: 1, b: 2, c: 3 });
  await client.deleteMulti(["a", "b"]);
  await client.setMulti({ a: 1 });
  const sent = opcodesOf(server.log.received());
  expect(sent).toEqual([0x11, 0x11, 0x11, NOOP, 0x14, 0x14, NOOP, 0x01]);
});
