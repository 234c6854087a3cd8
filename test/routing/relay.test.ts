import type { Client, PartialError } from "tslibmc";
import type { MemcachedServer } from "tslibmc/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Operation } from "../../src/operation.js";
import { relay } from "../../src/routing/relay.js";
import { errorOf } from "../support/outcome.js";
import { Fleet, keyOn, keysOn } from "./fleet.js";

/** Operations that others speak for: what an abort calls back, and whose errors they have. */

let fleet: Fleet;
let a: MemcachedServer;
let b: MemcachedServer;

beforeAll(async () => {
  fleet = await Fleet.start(3);
  [a, b] = fleet.servers as [MemcachedServer, MemcachedServer, MemcachedServer];
});
afterEach(() => fleet.reset());
afterAll(() => fleet[Symbol.asyncDispose]());

const REASON = new Error("not wanted any more");

test("that another server failed it before is known of whoever speaks for it", () => {
  const command = { name: "get", idempotent: true, read: () => undefined };
  const request = { verb: "admin", action: "version", key: "" } as const;
  const codec = { decode: () => undefined };
  const nothing = () => {};
  const operation = new Operation(command, request, "", codec, 1_000, nothing, nothing);
  expect(relay(operation, {}).moved).toBe(false);
  operation.moved = true;
  expect(relay(operation, {}).moved).toBe(true);
});

/** Calls and aborts before a byte was written; what went out all the same is then there. */
async function abortAtOnce(
  client: Client,
  call: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  await client.version();
  for (const server of fleet.servers) server.log.clear();
  const controller = new AbortController();
  const error = errorOf(call(controller.signal));
  controller.abort(REASON);
  expect(await error).toBe(REASON);
  await client.flush();
}

const requests = (server: MemcachedServer) =>
  server.log.requests.map(({ command }) => command).filter((command) => command !== "version");

describe("an abort with num_replicas", () => {
  const calls: Record<string, (client: Client, signal: AbortSignal) => Promise<unknown>> = {
    set: (client, signal) => client.set("k", "v", { signal }),
    delete: (client, signal) => client.delete("k", { signal }),
    add: (client, signal) => client.add("k", "v", { signal }),
    touch: (client, signal) => client.touch("k", 60, { signal }),
    get: (client, signal) => client.get("k", { signal }),
    getAndTouch: (client, signal) => client.getAndTouch("k", 60, { signal }),
    getMulti: (client, signal) => client.getMulti(["k", "l", "m"], { signal }),
    setMulti: (client, signal) => client.setMulti([["k", 1] as const], { signal }),
  };

  test.each(Object.keys(calls))("%s that was not sent goes to no server", async (name) => {
    const client = fleet.connect({ behaviors: { num_replicas: 2 } });
    await abortAtOnce(client, (signal) => calls[name]!(client, signal));
    expect(fleet.servers.flatMap(requests)).toEqual([]);
  });

  test("a change that one server may have seen is carried through", async () => {
    const writer = fleet.connect({ behaviors: { num_replicas: 1 } });
    const key = keyOn(writer, a);
    await writer.set(key, "old");
    const client = fleet.connect({ behaviors: { num_replicas: 1 } });
    await client.gets(key); // its home's connection is open, that of the copy is not
    const controller = new AbortController();
    const seen = a.log.next("set");
    const error = errorOf(client.set(key, "new", { signal: controller.signal }));
    await Promise.resolve();
    controller.abort(REASON);
    expect(await error).toBe(REASON);
    await seen;
    await client.flush();
    expect((await fleet.everywhere(key)).filter((value) => value !== undefined)).toEqual([
      "new",
      "new",
    ]);
  });

  test("a read's touch goes to no copy that was not sent it yet, though others were", async () => {
    const [, , c] = fleet.servers as [MemcachedServer, MemcachedServer, MemcachedServer];
    const client = fleet.connect({ behaviors: { num_replicas: 2 } });
    const key = keyOn(client, a);
    for (const server of [a, b]) await client.gets(keyOn(client, server)); // they have connections
    const controller = new AbortController();
    const seen = b.log.next("touch");
    const error = errorOf(client.getAndTouch(key, 60, { signal: controller.signal }));
    await Promise.resolve();
    controller.abort(REASON);
    expect(await error).toBe(REASON);
    await seen;
    await client.flush();
    await client.version();
    expect(requests(c)).toEqual(["connect"]);
  });

  test("what its own server has done is done to the copies, though nobody waits", async () => {
    const client = fleet.connect({ behaviors: { num_replicas: 1 } });
    const key = keyOn(client, a);
    await client.set(key, 1);
    a.faults.add({ on: { command: "incr" }, do: { kind: "delay", ms: 60 } });
    const controller = new AbortController();
    const seen = a.log.next("incr");
    const deleted = b.log.next("delete");
    const error = errorOf(client.incr(key, 1, { signal: controller.signal }));
    await seen;
    controller.abort(REASON);
    expect(await error).toBe(REASON);
    await deleted;
    await client.flush();
    expect(await fleet.everywhere(key)).toEqual([2, undefined, undefined]);
  });
});

test("an abort calls back what was on its way to a gutter", async () => {
  const [, , gutter] = fleet.servers as [MemcachedServer, MemcachedServer, MemcachedServer];
  const client = fleet.connect(
    {
      behaviors: { failure_limit: 1 },
      failover: { servers: [gutter.address] },
    },
    [a.address],
  );
  a.refuse();
  a.disconnectAll();
  expect(await client.set("warm", 1)).toBe(true);
  gutter.log.clear();
  const controller = new AbortController();
  const error = errorOf(client.set("k", "v", { signal: controller.signal }));
  controller.abort(REASON);
  expect(await error).toBe(REASON);
  expect(await client.get("warm")).toBe(1);
  expect(requests(gutter)).toEqual(["get"]);
});

describe("a PartialError names the server that failed", () => {
  test("the gutter, where that stood in", async () => {
    const [, , gutter] = fleet.servers as [MemcachedServer, MemcachedServer, MemcachedServer];
    const client = fleet.connect(
      { behaviors: { failure_limit: 1 }, failover: { servers: [gutter.address] } },
      [a.address, b.address],
    );
    const keys = [...keysOn(client, a, 3), ...keysOn(client, b, 3)];
    a.refuse();
    a.disconnectAll();
    gutter.refuse();
    gutter.disconnectAll();
    const error = (await errorOf(client.getMulti(keys))) as PartialError<Map<string, unknown>>;
    expect([...error.errors.keys()]).toEqual([gutter.address]);
    expect(error.server).toBe(gutter.address);
  });

  test("the last copy that was asked", async () => {
    const client = fleet.connect({ behaviors: { num_replicas: 1 } });
    const keys = keysOn(client, a, 3);
    for (const server of [a, b]) {
      server.refuse();
      server.disconnectAll();
    }
    const read = (await errorOf(client.getMulti(keys))) as PartialError<Map<string, unknown>>;
    expect([...read.errors.keys()]).toEqual([b.address]);
    for (const [server, error] of read.errors) expect(error.server).toBe(server);
  });
});
