import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { AuthError, Client } from "tslibmc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";

let folder: string;
let server: Memcached;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "memcached-auth-"));
  const file = join(folder, "users");
  writeFileSync(file, "user1:secret1\nuser2:secret2\n");
  server = await startMemcached({ args: ["-Y", file] });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test("who is in the file is let in, and every call of the first tick waits for that", async () => {
  await using client = new Client(server.address, { username: "user2", password: "secret2" });
  const calls = Array.from({ length: 100 }, (_, i) => client.set(`k${i}`, i));
  expect(new Set(await Promise.all(calls))).toEqual(new Set([true]));
  client.disconnectAll();
  expect(await client.get("k99")).toBe(99);
  expect(await client.get("authentication")).toBeUndefined();
});

test("the credentials may stand in the URL", async () => {
  await using client = new Client(`memcached://user1:secret1@${server.address}`);
  expect(await client.set("k", 1)).toBe(true);
});

test("a wrong password is an AuthError that does not show it", async () => {
  await using client = new Client(server.address, { username: "user1", password: "wrong" });
  const error: unknown = await client.get("k").catch((reason) => reason);
  expect(error).toBeInstanceOf(AuthError);
  expect(error).toMatchObject({
    message: `${server.address} refused authentication: CLIENT_ERROR authentication failure`,
    server: server.address,
    command: "get",
    sent: false,
  });
  expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/user1|wrong/);
});

test("without credentials the server's refusal is an AuthError", async () => {
  await using client = new Client(server.address);
  await expect(client.get("k")).rejects.toThrow(AuthError);
  await expect(client.set("k", 1)).rejects.toThrow(AuthError);
  await expect(client.metaGet("k")).rejects.toThrow(AuthError);
});

test("without credentials all calls that are made at once are refused, as are later ones", async () => {
  await using client = new Client(server.address);
  for (let round = 0; round < 3; round++) {
    const calls = [client.get("k"), client.incr("n"), client.set("k", 1), client.metaGet("k")];
    for (const error of await Promise.all(calls.map(errorOf))) {
      expect(error).toBeInstanceOf(AuthError);
    }
  }
});

test("a name with a blank cannot be said", async () => {
  await using client = new Client(server.address, { username: "user 1", password: "x" });
  await expect(client.get("k")).rejects.toThrow("the user's name has a blank in it");
});

test("a server that wants no authentication keeps no credentials", async () => {
  await using open = await startMemcached();
  await using client = new Client(open.address, { username: "user1", password: "secret1" });
  expect(await client.set("k", 1)).toBe(true);
  expect(await client.get("authentication")).toBeUndefined();
  const [stats] = (await client.getStats()).values();
  expect(stats?.["curr_items"]).toBe(1);
});
