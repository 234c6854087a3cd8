import { Client } from "tslibmc";
import { expect, test } from "vitest";
import { prepare, run } from "../../bench/connections/load.js";
import { startMemcached } from "../support/memcached.js";

test.each([
  ["nothing", 1],
  ["get", 2],
  ["set", 2],
] as const)(
  "small reads are measured beside %s, with %i sockets of two",
  async (beside, sockets) => {
    await using server = await startMemcached({ args: ["-m", "256"] });
    await using client = new Client(server.address, { connections: 2, timeoutMs: 10_000 });
    await prepare(client);
    client.disconnectAll();
    const before = [...client.stats().values()][0]!.connects;
    const sample = await run(client, beside, 50);
    expect(sample.p99).toBeGreaterThanOrEqual(sample.p50);
    expect(sample.smallPerSecond).toBeGreaterThan(0);
    expect(sample.largePerSecond > 0).toBe(beside !== "nothing");
    expect([...client.stats().values()][0]!.connects - before).toBe(sockets);
  },
);
