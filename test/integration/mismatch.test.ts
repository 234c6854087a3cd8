import { Client } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { expect, test } from "vitest";
import { Authority } from "../support/certificates.js";
import { startMemcached } from "../support/memcached.js";

/** A server that expects something else does not say so: the message has to ask. */

async function refusalOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    (value) => expect.fail(`resolved to ${value}`),
    (error: Error) => error.message,
  );
}

test("a server of TLS ends what is no handshake", async () => {
  using authority = new Authority("mismatch");
  const { cert, key } = authority.issue("server", ["IP:127.0.0.1"]);
  await using server = await MemcachedServer.start({ tls: { cert, key } });
  await using client = new Client(server.address);
  expect(await refusalOf(client.get("k"))).toContain(
    "ended it before it answered anything, as servers do that expect TLS",
  );
});

test("a server that waits for the rest of a request of its own protocol never answers", async () => {
  await using server = await startMemcached({ args: ["-B", "ascii"] });
  await using client = new Client(server.address, { binary: true, timeoutMs: 100 });
  expect(await refusalOf(client.get("k"))).toContain(
    "its reply did not come within 100 ms, and none ever did on this connection: the server is stopped, or expects another protocol",
  );
});

test("a server that has spoken is only late, or gone", async () => {
  await using server = await MemcachedServer.start();
  await using client = new Client(server.address, { timeoutMs: 10_000 });
  await client.set("k", 1);
  server.faults.add({ on: { command: "get" }, do: { kind: "stall" } });
  expect(await refusalOf(client.get("k", { timeoutMs: 100 }))).toMatch(
    /its reply did not come within 100 ms$/,
  );
  server.disconnectAll();
  server.faults.clear();
  server.faults.add({ on: { command: "incr" }, do: { kind: "close" } });
  await client.set("k", 1);
  expect(await refusalOf(client.incr("k"))).toMatch(/the server ended it$/);
});
