import { once } from "node:events";
import { createServer } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { MemcachedServer } from "tslibmc/testing";
import { afterEach, expect, test, vi } from "vitest";
import { until } from "../support/until.js";
import { use } from "../support/use.js";
import { exchange, Wire } from "./support/wire.js";

/** Faults that last, by a clock that stands still unless it is told to go on. */

afterEach(() => {
  vi.useRealTimers();
});

test("a server comes back when who has taken its port meanwhile has left it", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const server = use(
    await MemcachedServer.start({
      faults: [{ on: { command: "get", times: 1 }, do: { kind: "restart", ms: 300 } }],
    }),
  );
  await exchange(server.port, "set a 0 0 0\r\n\r\nget a\r\n");
  const taker = createServer((socket) => socket.end("taken")).listen(server.port, "127.0.0.1");
  await once(taker, "listening");
  await vi.advanceTimersByTimeAsync(300);
  while (vi.getTimerCount() === 0) await turn(); // until it has failed, and is to try again
  expect(await Wire.to(server).rest()).toBe("taken");
  taker.close();
  await once(taker, "close");
  await vi.advanceTimersByTimeAsync(50);
  vi.useRealTimers();
  await until(async () => (await exchange(server.port, "get a\r\n")) === "END\r\n");
});
