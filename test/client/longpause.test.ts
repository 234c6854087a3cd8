import { setTimeout as delay } from "node:timers/promises";
import { Client } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { expect, test } from "vitest";
import { until } from "../support/until.js";

test("a dead server is left alone by a dead_timeout that is longer than a timer can wait", async () => {
  await using well = await MemcachedServer.start();
  await using dead = await MemcachedServer.start({ log: "requests" });
  await using client = new Client([well.address, dead.address], {
    timeoutMs: 100,
    behaviors: { ketama: true, auto_eject: true, failure_limit: 1, dead_timeout: 2 ** 31 - 1 },
  });
  dead.faults.add({ on: { command: "get" }, do: { kind: "silence" } });
  const keys = Array.from({ length: 50 }, (_, i) => `key:${i}`);
  const key = keys.find((each) => client.serverFor(each).name === dead.address) ?? "";
  await until(async () => {
    await client.get(key).catch(() => {});
    return client.stats().get(dead.address)?.state === "dead";
  });
  const { length } = dead.log.requests;
  await delay(200);
  expect(dead.log.requests).toHaveLength(length);
});
