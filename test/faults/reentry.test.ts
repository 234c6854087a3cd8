import { type TracingChannelSubscribers, tracingChannel } from "node:diagnostics_channel";
import { type ClientOptions, ConnectionClosedError, TimeoutError } from "tslibmc";
import { describe, expect, onTestFinished, test } from "vitest";
import { startMemcached } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { clientOf, use } from "../support/use.js";

/** What a listener or a subscriber does within the client's own work. */

interface Trace {
  readonly command: string;
  readonly key: string;
}

/** Calls `act` within the settling of the first call that is traced. */
function whenFirstSettles(act: () => void): void {
  const channel = tracingChannel<unknown, Trace>("tslibmc:command");
  let isFirst = true;
  const ignore = () => {};
  const subscribers: TracingChannelSubscribers<Trace> = {
    start: ignore,
    end: ignore,
    asyncStart: ignore,
    error: ignore,
    asyncEnd() {
      if (!isFirst) return;
      isFirst = false;
      act();
    },
  };
  channel.subscribe(subscribers);
  onTestFinished(() => {
    channel.unsubscribe(subscribers);
  });
}

const UNREACHABLE: ClientOptions = {
  timeoutMs: 50,
  connectTimeoutMs: 60_000,
  socket: { lookup: () => {} },
};

describe("while calls are failed whose time is over", () => {
  test("what a listener of lost asks for is settled as well", async () => {
    const client = clientOf("nowhere", { ...UNREACHABLE, behaviors: { buffer_requests: true } });
    const asked: Promise<unknown>[] = [];
    client.on("lost", ({ key }) => asked.push(outcome(client.get(key))));
    for (let i = 0; i < 40; i++) await client.set(`lost:${i}`, i);
    await outcome(client.get("after"));
    await until(() => asked.length === 40);
    const settled = await Promise.all(asked);
    expect(settled.every((error) => error instanceof TimeoutError)).toBe(true);
  });

  test("over UDP, too", async () => {
    const silent = use(await ScriptedServer.start());
    const client = clientOf(`udp:${silent.address}`, { timeoutMs: 50, onError: "miss" });
    const asked: Promise<unknown>[] = [];
    client.on("masked", () => {
      if (asked.length < 400) asked.push(client.get(`again:${asked.length}`));
    });
    const first = Array.from({ length: 400 }, (_, i) => client.get(`first:${i}`));
    expect(await Promise.all(first)).toEqual(Array(400).fill(undefined));
    expect(await Promise.all(asked)).toEqual(Array(400).fill(undefined));
  });

  test("a listener of masked may disconnect", async () => {
    const client = clientOf("nowhere", { ...UNREACHABLE, onError: "miss" });
    client.on("masked", () => client.disconnectAll());
    const gets = Array.from({ length: 40 }, (_, i) => client.get(`masked:${i}`));
    expect(await Promise.all(gets)).toEqual(Array(40).fill(undefined));
    expect(client.masked).toBe(40);
  });
});

describe("while a batch is being written", () => {
  test("a subscriber may disconnect and ask again: what it asks goes out on the next connection", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address);
    await client.set("k", "value");
    const asked: Promise<unknown>[] = [];
    whenFirstSettles(() => {
      client.disconnectAll();
      for (let i = 0; i < 5; i++) asked.push(client.get("k"));
    });
    const silent = client.set("silent", 1, { noreply: true });
    const behind = Array.from({ length: 5 }, () => outcome(client.get("k")));
    expect(await silent).toBe(true);
    for (const error of await Promise.all(behind)) {
      expect(error).toBeInstanceOf(ConnectionClosedError);
    }
    expect(await Promise.all(asked)).toEqual(Array(5).fill("value"));
  });

  test("what a subscriber asks for keeps behind what is being written", async () => {
    const memcached = use(await startMemcached());
    const client = clientOf(memcached.address, { encodeKeys: "base64" });
    await client.get("k");
    const asked: Promise<boolean>[] = [];
    whenFirstSettles(() => {
      for (let i = 0; i < 200; i++) asked.push(client.delete(`not there ${i}`));
    });
    await client.set("a key in base64", 1, { noreply: true });
    await until(() => asked.length === 200);
    expect(await Promise.all(asked)).toEqual(Array(200).fill(false));
  });
});

test("a listener that takes itself off and on again is told of an event once", async () => {
  const memcached = use(await startMemcached());
  const client = clientOf(memcached.address);
  let told = 0;
  const listener = () => {
    if (++told > 10) return;
    client.off("connect", listener);
    client.on("connect", listener);
  };
  client.on("connect", listener);
  await client.get("k");
  expect(told).toBe(1);
});
