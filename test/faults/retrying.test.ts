import {
  Client,
  type ClientOptions,
  type MemcachedError,
  NoServerError,
  QueueFullError,
} from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { expect, test } from "vitest";
import { provoking } from "../support/warnings.js";

/**
 * A program that tries again at once, without a pause: each refusal has to leave the event loop a
 * turn, or nothing else in the process ever happens, and what was the matter never passes.
 */
async function tryUntil(isOver: () => boolean, call: () => Promise<unknown>) {
  let last: unknown;
  for (let i = 0; i < 100_000 && !isOver(); i++) last = await call().catch((error) => error);
  return last;
}

async function lastErrorIn(client: Client, call: () => Promise<unknown>): Promise<MemcachedError> {
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 1);
  const error = await tryUntil(() => fired, call);
  expect(fired, "the timer never fired").toBe(true);
  await client.close({ drainMs: 0 });
  return error as MemcachedError;
}

test.each<[string, ClientOptions]>([
  ["rehash", { failover: "rehash" }],
  ["next", { failover: "next" }],
])("where every server is dead, with failover: %s", async (_, options) => {
  using _provoked = provoking(/^failover: "rehash" .* moves no keys on modula/);
  const client = new Client("127.0.0.1:1", { ...options, behaviors: { failure_limit: 1 } });
  await client.get("k").catch(() => {});
  const error = await lastErrorIn(client, () => client.get("k"));
  expect(error).toBeInstanceOf(NoServerError);
  expect(error).toMatchObject({ server: "127.0.0.1:1", command: "get", key: "k", sent: false });
  expect(error.message).toMatch(
    /^127.0.0.1:1 is dead after (?:a failure|\d+ failures in a row, the last): .*ECONNREFUSED.*; no other server may take its place now$/,
  );
  expect(error.cause).toMatchObject({ code: "ECONNREFUSED" });
});

test("where the queue is full, it drains meanwhile", async () => {
  await using server = await MemcachedServer.start();
  await using client = new Client(server.address, { maxQueueLength: 1 });
  let isStored = false;
  const first = client.set("k", 1).then(() => {
    isStored = true;
  });
  const error = await tryUntil(
    () => isStored,
    () => client.set("k", 2),
  );
  expect(error).toBeInstanceOf(QueueFullError);
  await first;
  expect(await client.set("k", 3)).toBe(true);
});

test("where a server that ends every connection is left alone for a while", async () => {
  await using server = await MemcachedServer.start();
  server.faults.add({ on: { command: "get" }, do: { kind: "close" } });
  const client = new Client(server.address, { behaviors: { failure_limit: 1000 } });
  for (let i = 0; i < 3; i++) await client.get("k").catch(() => {});
  const error = await lastErrorIn(client, () => client.get("k"));
  expect(error.message).toContain("the server ended it");
});
