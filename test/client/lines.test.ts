import type { Client } from "tslibmc";
import { expect, test } from "vitest";
import { ScriptedServer } from "../support/scripted.js";
import { clientOf, use } from "../support/use.js";

/** Half of what memcached reads at once; a line that needs several reads costs it a larger buffer. */
const MAX_LINE_BYTES = 8_192;

const short = Array.from({ length: 250 }, (_, i) => `k${i}`);
const long = Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(240, "x"));

const getMulti = (client: Client, keys: readonly string[]) => client.getMulti(keys);
const getsMulti = (client: Client, keys: readonly string[]) => client.getsMulti(keys);
const gets = (client: Client, keys: readonly string[]) =>
  Promise.all(keys.map((key) => client.get(key)));

test.each([
  ["getMulti of short keys", "get", short, getMulti],
  ["getMulti of long keys", "get", long, getMulti],
  ["getsMulti of long keys", "gets", long, getsMulti],
  ["a get for each of many short keys", "get", short, gets],
  ["a get for each of many long keys", "get", long, gets],
])("%s: a line has 100 at most, and is short", async (_, verb, keys, read) => {
  const server = use(
    await ScriptedServer.start((connection) => connection.onLine(() => connection.send("END\r\n"))),
  );
  await read(clientOf(server.address), keys);
  const lines = server.received.split("\r\n").slice(0, -1);
  const asked = lines.map((line) => line.split(" "));
  for (const [command, ...some] of asked) {
    expect(command).toBe(verb);
    expect(some.length).toBeLessThanOrEqual(100);
  }
  for (const line of lines) expect(line.length + 2).toBeLessThanOrEqual(MAX_LINE_BYTES);
  expect(asked.flatMap(([, ...some]) => some)).toEqual(keys);
  expect(lines.length).toBeLessThan(keys.length / 5);
});
