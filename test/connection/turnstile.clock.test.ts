import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Client, TimeoutError } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { parseAddress } from "../../src/connection/address.js";
import { Connection } from "../../src/connection/connection.js";
import { type Entrant, Turnstile } from "../../src/connection/turnstile.js";
import { Operation } from "../../src/operation.js";
import type { Reply } from "../../src/protocol/reply.js";
import { VERSION_REQUEST } from "../../src/protocol/request.js";
import { TextWire } from "../../src/protocol/text/wire.js";
import { createCodec } from "../../src/value/factory.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";

describe("a turnstile", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Five who want to enter, and the order in which they began. */
  function five(turnstile: Turnstile): { entrants: Entrant[]; begun: number[] } {
    const begun: number[] = [];
    const entrants = Array.from({ length: 5 }, (_, i) => ({ begin: () => void begun.push(i) }));
    for (const entrant of entrants) turnstile.enter(entrant);
    return { entrants, begun };
  }

  test("lets in so many, and the next in their order as others leave", () => {
    const turnstile = new Turnstile(2);
    const { entrants, begun } = five(turnstile);
    expect(begun).toEqual([0, 1]);
    turnstile.leave(entrants[1]!);
    expect(begun).toEqual([0, 1, 2]);
    turnstile.leave(entrants[0]!);
    turnstile.leave(entrants[2]!);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  test("forgets those who leave before their turn, and makes no room for them", () => {
    const turnstile = new Turnstile(2);
    const { entrants, begun } = five(turnstile);
    turnstile.leave(entrants[2]!);
    turnstile.leave(entrants[2]!);
    expect(begun).toEqual([0, 1]);
    turnstile.leave(entrants[0]!);
    expect(begun).toEqual([0, 1, 3]);
  });

  test("passes by those who take long, one after the other", () => {
    const turnstile = new Turnstile(2, 100);
    const { entrants, begun } = five(turnstile);
    vi.advanceTimersByTime(60);
    turnstile.leave(entrants[0]!); // 2 follows
    vi.advanceTimersByTime(39);
    expect(begun).toEqual([0, 1, 2]);
    vi.advanceTimersByTime(1); // 1 is slow
    expect(begun).toEqual([0, 1, 2, 3]);
    vi.advanceTimersByTime(60); // and so is 2
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    turnstile.leave(entrants[1]!);
    vi.advanceTimersByTime(10_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** To which of some servers connections are begun, from now on. */
function attempts(servers: readonly string[]): string[] {
  const begun: string[] = [];
  const note = (message: unknown) => {
    const { server } = message as { server: string };
    if (servers.includes(server)) begun.push(server);
  };
  subscribe("tracing:tslibmc:connect:start", note);
  onTestFinished(() => {
    unsubscribe("tracing:tslibmc:connect:start", note);
  });
  return begun;
}

describe("many servers", () => {
  test("120 are connected to eight at a time, and again when all were restarted", async () => {
    const servers = await Promise.all(Array.from({ length: 120 }, () => MemcachedServer.start()));
    const addresses = servers.map(({ address }) => address);
    await using client = new Client(addresses, { maxConnecting: 8, timeoutMs: 30_000 });
    const keys = Array.from({ length: 2000 }, (_, i) => `key:${i}`);
    const begun = attempts(addresses);
    const storing = client.setMulti(keys.map((key) => [key, key] as const));
    expect(begun).toHaveLength(8);
    expect(await storing).toEqual([]);
    expect(new Set(begun).size).toBe(120);

    let lost = 0;
    client.on("disconnect", () => lost++);
    await Promise.all(servers.map((server) => server.close()));
    await until(() => lost === 120);
    const again = await Promise.all(servers.map(({ port }) => MemcachedServer.start({ port })));
    begun.length = 0;
    const reading = client.getMulti(keys);
    expect(begun).toHaveLength(8);
    expect((await reading).size).toBe(0);
    expect(new Set(begun).size).toBe(120);
    await Promise.all(again.map((server) => server.close()));
  });
});

describe("servers that nothing comes of", () => {
  /** Connections to these names never come to anything; others are to an embedded server. */
  const lookup = (name: string, options: { all?: boolean }, found: (...of: unknown[]) => void) => {
    if (name.startsWith("hole")) return;
    if (options.all) found(null, [{ address: "127.0.0.1", family: 4 }]);
    else found(null, "127.0.0.1", 4);
  };

  test("hold up the others only for a moment", async () => {
    await using server = await MemcachedServer.start();
    const holes = Array.from({ length: 6 }, (_, i) => `hole${i}:11211`);
    const good = `good:${server.port}`;
    await using client = new Client([...holes, good], {
      maxConnecting: 2,
      timeoutMs: 10_000,
      connectTimeoutMs: 60_000,
      socket: { lookup: lookup as never },
    });
    const keyOn = (name: string) => {
      for (let i = 0; ; i++) if (client.serverFor(`key:${i}`).name === name) return `key:${i}`;
    };
    const controller = new AbortController();
    const { signal } = controller;
    const lost = holes.map((name) => errorOf(client.get(keyOn(name), { signal })));
    expect(await client.set(keyOn(good), 1)).toBe(true);
    controller.abort();
    await Promise.all(lost);
  });
});

test("what waits for its turn does so until its deadline, and the server is not blamed for it", async () => {
  await using server = await MemcachedServer.start();
  const turnstile = new Turnstile(1, 3_600_000);
  const other = { begin: () => {} };
  turnstile.enter(other);
  const failures: unknown[] = [];
  const connection = new Connection({
    address: parseAddress(server.address),
    wire: () => new TextWire(),
    socket: {},
    tls: undefined,
    greet: undefined,
    connecting: { connectTimeoutMs: 5_000 },
    stallTimeoutMs: 5_000,
    backoff: { retryTimeoutMs: 2_000 },
    limits: { maxOperations: 100, maxBytes: 1_000_000, waits: false },
    turnstile,
    onEvent: () => {},
    onReply: () => {},
    onFailure: (failure) => failures.push(failure),
    onLost: () => false,
    onUnsent: () => {},
    onFailed: () => {},
    onRefused: () => {},
  });
  const ask = (timeoutMs: number) =>
    new Promise((resolve, reject) => {
      const command = { name: "version", idempotent: true, read: ({ kind }: Reply) => kind };
      const deadline = performance.now() + timeoutMs;
      connection.execute(
        new Operation(command, VERSION_REQUEST, "", createCodec({}), deadline, resolve, reject),
      );
    });
  expect(await errorOf(ask(20))).toBeInstanceOf(TimeoutError);
  expect(failures).toEqual([]);
  const patient = ask(20_000);
  turnstile.leave(other);
  expect(await patient).toBe("text");
  connection.end();
});

test.each([0, 1.5, "8"])("a maxConnecting of %s is refused", (maxConnecting) => {
  const make = () => new Client("h", { maxConnecting: maxConnecting as number });
  expect(make).toThrow(/maxConnecting must be a whole number from 1/);
});
