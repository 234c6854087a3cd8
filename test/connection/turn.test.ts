import { Socket } from "node:net";
import { Client } from "tslibmc";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";

let memcached: Memcached;

beforeAll(async () => {
  memcached = await startMemcached();
});

afterAll(() => memcached[Symbol.asyncDispose]());

test("what several events of one turn ask for goes out in one write while a reply is due", async () => {
  await using client = new Client([memcached.address]);
  await client.set("turn", "value");
  const write = vi.spyOn(Socket.prototype, "write");
  try {
    const first = client.get("turn");
    const others = Array.from({ length: 10 }, () => afterTimer(() => client.get("turn")));
    untilTimersAreDue();
    expect(await Promise.all([first, ...others])).toEqual(Array(11).fill("value"));
    expect(write).toHaveBeenCalledTimes(2);
  } finally {
    write.mockRestore();
  }
});

test("an idle connection sends before the next event", async () => {
  await using client = new Client([memcached.address]);
  await client.set("idle", "value");
  const write = vi.spyOn(Socket.prototype, "write");
  try {
    const value = client.get("idle");
    await Promise.resolve();
    expect(write).toHaveBeenCalledTimes(1);
    expect(await value).toBe("value");
  } finally {
    write.mockRestore();
  }
});

test("of many some leave while the others are still asked for, half as many as before", async () => {
  await using client = new Client([memcached.address]);
  await client.set("many", "value");
  const write = vi.spyOn(Socket.prototype, "write");
  /** How many of so many gets were asked for when the first of them left. */
  const aheadOf = async (count: number) => {
    write.mockClear();
    const gets: Promise<unknown>[] = [];
    let ahead = 0;
    for (let asked = 1; asked <= count; asked++) {
      gets.push(client.get("many"));
      if (ahead === 0 && write.mock.calls.length > 0) ahead = asked;
    }
    expect(await Promise.all(gets)).toEqual(Array(count).fill("value"));
    expect(write).toHaveBeenCalledTimes(ahead === 0 ? 1 : 2);
    return ahead;
  };
  try {
    expect(await aheadOf(31)).toBe(0);
    expect(await aheadOf(200)).toBe(32);
    expect(await aheadOf(150)).toBe(100);
    expect(await aheadOf(70)).toBe(0);
    expect(await aheadOf(70)).toBe(35);
  } finally {
    write.mockRestore();
  }
});

/** A timer is an event of its own: all microtasks are done between two of them. */
function afterTimer<T>(act: () => Promise<T>): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(act()), 1));
}

function untilTimersAreDue(): void {
  const due = performance.now() + 5;
  while (performance.now() < due);
}
