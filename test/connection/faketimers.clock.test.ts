import { Client, TimeoutError } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

/** A program's tests that fake time, as Jest does if not told otherwise: all of it at once. */

let server: MemcachedServer;
let client: Client;

beforeAll(async () => {
  server = await MemcachedServer.start();
});
beforeEach(() => {
  client = new Client(server.address, { timeoutMs: 60 });
});
afterEach(async () => {
  vi.useRealTimers();
  server.faults.clear();
  await client.close();
});
afterAll(() => server.close());

function fakeTime(): void {
  const timers = ["setTimeout", "setInterval", "setImmediate"] as const;
  const ends = ["clearTimeout", "clearInterval", "clearImmediate"] as const;
  vi.useFakeTimers({ toFake: [...timers, ...ends, "queueMicrotask", "performance", "Date"] });
}

test("calls are answered while time stands still", async () => {
  fakeTime();
  await client.set("fake", 1);
  const calls = Array.from({ length: 300 }, () => client.get("fake"));
  expect(new Set(await Promise.all(calls))).toEqual(new Set([1]));
  expect(await client.getMulti(["fake"])).toEqual(new Map([["fake", 1]]));
});

test("deadlines pass when the faked time does", async () => {
  fakeTime();
  await client.set("fake", 1);
  server.faults.add({ on: { command: "get" }, do: { kind: "stall" } });
  const failure = client.get("fake").catch((error: unknown) => error);
  vi.advanceTimersByTime(100);
  expect(await failure).toBeInstanceOf(TimeoutError);
});

test("each call has its own deadline, in whatever order they end", async () => {
  fakeTime();
  await client.set("fake", 1);
  server.faults.add({ on: { command: "get" }, do: { kind: "stall" } });
  const ended: number[] = [];
  const calls = [400, 100, 250].map((timeoutMs) =>
    client.get("fake", { timeoutMs }).catch(() => ended.push(timeoutMs)),
  );
  for (let ms = 0; ms < 420; ms += 10) await vi.advanceTimersByTimeAsync(10);
  await Promise.all(calls);
  expect(ended).toEqual([100, 250, 400]);
});

test("deadlines pass when time is real again, and nothing faked is waited for", async () => {
  server.faults.add({ on: { command: "get" }, do: { kind: "stall" } });
  fakeTime();
  const before = client.get("fake").catch((error: unknown) => error);
  vi.useRealTimers();
  await expect(client.get("fake")).rejects.toThrow(TimeoutError);
  expect(await before).toBeInstanceOf(TimeoutError);
});

test("a timer that began before time was faked is ended all the same", async () => {
  const end = vi.spyOn(globalThis, "clearInterval");
  await client.set("real", 1);
  fakeTime();
  await client.close();
  expect(end).toHaveBeenCalledOnce();
  vi.useRealTimers(); // which knows of the spy, and would put nothing in its place
  end.mockRestore();
});
