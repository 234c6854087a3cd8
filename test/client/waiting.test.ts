import { setTimeout as delay } from "node:timers/promises";
import { type Client, PartialError, TimeoutError } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { describe, expect, test } from "vitest";
import { Gate } from "../support/gate.js";
import { errorOf, outcome } from "../support/outcome.js";
import { ScriptedServer } from "../support/scripted.js";
import { clientOf, use } from "../support/use.js";

/** Calls that wait in the client: their own value is in the making, or that of a call on the same key. */
const calls: [string, string | undefined, (client: Client, options: object) => Promise<unknown>][] =
  [
    ["set", "k", (client, options) => client.set("k", 1, options)],
    ["metaSet", "k", (client, options) => client.metaSet("k", 1, options)],
    ["setMulti", undefined, (client, options) => client.setMulti({ k: 1, j: 2 }, options)],
    ["get", "k", (client, options) => client.get("k", options)],
    ["incr", "k", (client, options) => client.incr("k", 1, { ...options, initial: 1 })],
    ["delete", "k", (client, options) => client.delete("k", options)],
    ["getMulti", undefined, (client, options) => client.getMulti(["k", "j"], options)],
    ["deleteMulti", "k", (client, options) => client.deleteMulti(["k"], options)],
  ];

/** A client whose key k is held, until the gate is opened. */
async function held(options = {}) {
  const server = use(await MemcachedServer.start({ log: "requests" }));
  const gate = new Gate();
  const client = clientOf(server.address, { serializer: gate.serializer, ...options });
  const first = client.set("k", 0, { timeoutMs: 60_000 });
  const commands = () => server.log.requests.map(({ command }) => command);
  return { client, gate, first, commands };
}

describe.each([
  ["in one item", {}],
  ["in chunks", { chunk: true }],
])("while a value is encoded, %s,", (_, options) => {
  test.each(calls)("a deadline ends %s, which is never sent", async (command, key, call) => {
    const { client, gate, first, commands } = await held(options);
    const error = await errorOf(call(client, { timeoutMs: 30 }));
    expect(error).toMatchObject({ command, key, sent: false });
    // Values in chunks are stored one by one.
    expect(error instanceof PartialError ? error.cause : error).toBeInstanceOf(TimeoutError);
    gate.open();
    expect(await first).toBe(true);
    expect(await client.get("k")).toBe(0);
    expect(commands()).toEqual(["connect", "set", "get"]);
  });

  test.each(calls)("an abort ends %s at once", async (_command, _key, call) => {
    const { client, gate, first, commands } = await held(options);
    const controller = new AbortController();
    const called = outcome(call(client, { signal: controller.signal }));
    controller.abort(new Error("enough"));
    expect(await called).toBe(controller.signal.reason);
    expect(await outcome(call(client, { signal: controller.signal }))).toBe(
      controller.signal.reason,
    );
    gate.open();
    expect(await first).toBe(true);
    expect(commands()).toEqual(["connect", "set"]);
  });
});

test("a call has the rest of its time when it is sent", async () => {
  const server = use(await ScriptedServer.start()); // it never answers
  const { serializer, open } = new Gate();
  const client = clientOf(server.address, { serializer, stallTimeoutMs: 60_000 });
  const ends: string[] = [];
  const call = (name: string, made: Promise<unknown>) =>
    errorOf(made).finally(() => void ends.push(name));
  const first = call("first", client.set("k", 1, { timeoutMs: 1000 }));
  await delay(600);
  open();
  await new Promise(setImmediate); // it has been encoded, and is ahead of the next
  // It would be the first to end if the other one had all of its time once more.
  const later = call("later", client.get("j", { timeoutMs: 700 }));
  for (const error of await Promise.all([first, later])) expect(error).toBeInstanceOf(TimeoutError);
  expect(ends).toEqual(["first", "later"]);
});

test("a codec that never comes to an end holds its key until its call's deadline", async () => {
  const { client, first, gate } = await held();
  const hung = outcome(client.set("j", 1, { timeoutMs: 30 }));
  const next = client.delete("j");
  expect(await hung).toBeInstanceOf(TimeoutError);
  expect(await next).toBe(false);
  gate.open();
  await first;
});

test("no chunk is written, or taken back, of a value that is made after its call has failed", async () => {
  const { client, gate, first, commands } = await held({ chunk: { size: 256 } });
  const late = outcome(client.set("j", "v".repeat(1000), { timeoutMs: 30 }));
  const signal = AbortSignal.timeout(30);
  const aborted = outcome(client.set("i", "v".repeat(1000), { signal }));
  expect(await late).toBeInstanceOf(TimeoutError);
  expect(await aborted).toBe(signal.reason);
  gate.open();
  await first;
  await client.flush();
  expect(commands()).toEqual(["connect", "set", "version"]);
});

test("flush waits for values in the making no longer than it may", async () => {
  const { client, gate, first } = await held();
  const error = await errorOf(client.flush({ timeoutMs: 30 }));
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error).toMatchObject({ command: "flush", key: undefined, sent: false });
  expect(await errorOf(client.flush({ signal: AbortSignal.abort("enough") }))).toBe("enough");
  gate.open();
  await first;
  expect(await client.flush()).toBe(true);
});

test("a wrong option fails its call alone", async () => {
  const { client, gate, first } = await held();
  for (const options of [{ timeoutMs: -1 }, { signal: 1 }]) {
    const wrong = client.set("k", 1, { ...options, ttl: -5 } as object);
    await expect(wrong).rejects.toMatchObject({ name: "OptionError" });
  }
  gate.open();
  expect(await first).toBe(true);
});
