import { type Client, type ClientOptions, PartialError, TimeoutError } from "tslibmc";
import { Migration } from "tslibmc/migration";
import { MemcachedServer } from "tslibmc/testing";
import { describe, expect, test } from "vitest";
import { Gate } from "../support/gate.js";
import { errorOf, outcome } from "../support/outcome.js";
import { ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { clientOf, PATIENT, use } from "../support/use.js";

/** Calls whose value is there, and not decoded yet. */
const calls: [string, string | undefined, (client: Client, options: object) => Promise<unknown>][] =
  [
    ["get", "k", (client, options) => client.get("k", options)],
    ["gets", "k", (client, options) => client.gets("k", options)],
    ["getAndTouch", "k", (client, options) => client.getAndTouch("k", 60, options)],
    ["getsAndTouch", "k", (client, options) => client.getsAndTouch("k", 60, options)],
    ["metaGet", "k", (client, options) => client.metaGet("k", options)],
    ["getMulti", undefined, (client, options) => client.getMulti(["k", "j"], options)],
    ["getsMulti", undefined, (client, options) => client.getsMulti(["k", "j"], options)],
  ];

/** Larger than a chunk. */
const SLOW = "slow".repeat(100);

/** Decodes `SLOW` when it is opened, and all else at once. */
function slowOne() {
  const { serializer, open } = new Gate();
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const deserialize = (data: Uint8Array, flags: number) => {
    const value: unknown = JSON.parse(Buffer.from(data).toString());
    if (value !== SLOW) return value;
    begin();
    return serializer.deserialize(data, flags);
  };
  const serialize = (value: unknown) => ({ data: JSON.stringify(value), flags: 0 });
  return { serializer: { serialize, deserialize }, open, begun };
}

/** A client that cannot decode the slow values of a server until it is opened. */
async function reading(options: ClientOptions = {}, servers = 1) {
  const all = await Promise.all(Array.from({ length: servers }, () => MemcachedServer.start()));
  const addresses = all.map((server) => use(server).address);
  const { serializer, open, begun } = slowOne();
  const client = clientOf(addresses, { serializer, ...options });
  await client.setMulti({ k: SLOW, j: 1, i: 2 });
  return { client, open, begun, addresses };
}

describe.each<[string, ClientOptions, number]>([
  ["in one item", {}, 1],
  ["over the binary protocol", { binary: true }, 1],
  ["in chunks", { chunk: { size: 256 } }, 1],
  ["with copies", { behaviors: { num_replicas: 1 }, hedge: { minDelayMs: 1 } }, 2],
])("while a value is decoded, %s,", (_, options, servers) => {
  const some = calls.filter(([command]) => !(options.binary && command === "metaGet"));

  test.each(some)("a deadline ends %s", async (command, key, call) => {
    const { client, open } = await reading(options, servers);
    const error = await errorOf(call(client, { timeoutMs: 50 }));
    expect(error).toMatchObject({ command, key, sent: true });
    const first = error instanceof PartialError ? error.cause : error;
    expect(first).toBeInstanceOf(TimeoutError);
    expect(first).toMatchObject({ command, key: "k", sent: true });
    open();
    expect(await client.get("k")).toBe(SLOW);
  });

  test.each(some)("an abort ends %s at once", async (_command, _key, call) => {
    const { client, begun } = await reading(options, servers);
    const controller = new AbortController();
    const called = outcome(call(client, { signal: controller.signal, timeoutMs: 60_000 }));
    await begun;
    controller.abort(new Error("enough"));
    expect(await called).toBe(controller.signal.reason);
    await client.close(); // waits for nothing
  });
});

test("a call on many keys has the values that were decoded, and nothing comes after it", async () => {
  const { client, open, addresses } = await reading({}, 3);
  const all = await errorOf(client.getMulti(["j", "k", "i", "h"], { timeoutMs: 50 }));
  const expected = new Map([
    ["j", 1],
    ["i", 2],
  ]);
  const home = client.serverFor("k").name;
  expect(addresses).toContain(home);
  expect(all).toMatchObject({ results: expected, server: home });
  expect([...(all as PartialError<unknown>).errors.keys()]).toEqual([home]);
  open();
  await client.get("k");
  expect(all).toMatchObject({ results: expected });
});

test("a value whose line failed meanwhile is not put into what the caller was given", async () => {
  const server = use(await ScriptedServer.start());
  const { serializer, open } = slowOne();
  const client = clientOf(server.address, { serializer });
  const reads = errorOf(client.getMulti(["k", "j"], PATIENT));
  await until(() => server.received.includes("k j"));
  const values = `VALUE k 0 ${SLOW.length + 2}\r\n"${SLOW}"\r\nVALUE j 0 1\r\n1\r\n`;
  server.connections[0]!.send(`${values}what?\r\n`);
  const error = await reads;
  const given = { results: new Map([["j", 1]]), cause: { name: "ProtocolError" } };
  expect(error).toMatchObject(given);
  open();
  await client.close({ drainMs: 1000 }); // waits for what is decoded
  expect(error).toMatchObject(given);
});

test("a value that takes another thread to inflate has the rest of the call's time, and no more", async () => {
  const { client } = await reading({ serializer: undefined });
  const large = "large".repeat(8_000_000);
  await client.set("l", large, { compress: true, ...PATIENT });
  expect((await client.get<string>("l", PATIENT)) === large).toBe(true);
  const error = await errorOf(client.get("l", { timeoutMs: 1 }));
  expect(error).toBeInstanceOf(TimeoutError);
});

test("a migration's calls end with their deadlines too", async () => {
  const from = await reading();
  const to = await reading();
  await to.client.delete("k");
  const migration = new Migration({ from: from.client, to: to.client }, { reads: "both" });
  const error = await errorOf(migration.get("k", { timeoutMs: 50 }));
  expect(error).toBeUndefined(); // the old cluster is not what a call depends on
  await from.client.set("k", 1);
  expect(await migration.get("k")).toBe(1);
});
