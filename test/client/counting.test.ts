import { OptionError, TimeoutError } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { expect, test } from "vitest";
import { outcome } from "../support/outcome.js";
import { ScriptedServer } from "../support/scripted.js";
import { clientOf, use } from "../support/use.js";

test("a counter that is neither there nor can be made is tried for until the call's deadline", async () => {
  const server = use(
    await ScriptedServer.start((connection) =>
      connection.onLine((line) => {
        if (line.startsWith("incr")) connection.send("NOT_FOUND\r\n");
        else if (!line.startsWith("add")) connection.send("NOT_STORED\r\n");
      }),
    ),
  );
  // Each step is answered within the millisecond that it has at least: the call alone is late.
  const client = clientOf(server.address, { timeoutMs: 1_000 });
  expect(await outcome(client.incr("n", 1, { initial: 1 }))).toBeInstanceOf(TimeoutError);
  expect(server.received).toMatch(/^(?:incr n 1\r\nadd n \d+ 0 1\r\n1\r\n){2}/);
});

test("counting by nothing tells the number", async () => {
  await using server = await MemcachedServer.start();
  const client = clientOf(server.address);
  await client.set("n", 7);
  expect([
    await client.incr("n", 0),
    await client.decr("n", 0),
    await client.incr("n", 0n),
  ]).toEqual([...[7, 7], 7n]);
});

test("a counter is made with no number that its result could not be", async () => {
  await using server = await MemcachedServer.start();
  const client = clientOf(server.address);
  const initial = 2n ** 53n;
  for (const call of [
    client.incr("n", 1, { initial }),
    client.decr("n", 1, { initial }),
    client.incrMulti(["n"], 1, { initial }),
  ]) {
    const error = await outcome(call);
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({
      message:
        "initial is 9007199254740992, which no number holds exactly; pass the delta as a bigint",
    });
  }
  expect(await client.has("n")).toBe(false);
  expect(await client.incr("n", 1, { initial: initial - 1n })).toBe(2 ** 53 - 1);
  expect(await client.incr("m", 1n, { initial })).toBe(initial);
});
