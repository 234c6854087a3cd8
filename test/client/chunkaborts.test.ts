import { tracingChannel } from "node:diagnostics_channel";
import type { Client, ClientOptions } from "tslibmc";
import { type Fault, MemcachedServer } from "tslibmc/testing";
import { expect, test } from "vitest";
import { Gate } from "../support/gate.js";
import { outcome } from "../support/outcome.js";
import { until } from "../support/until.js";
import { clientOf, PATIENT, use } from "../support/use.js";

/** Four chunks. */
const VALUE = "v".repeat(1000);
const CHUNKS = 4;
const CHUNKED: ClientOptions = { chunk: { size: 256 } };

/** Encodes 0 when it is opened, and all else at once. */
function gated() {
  const { serializer, open } = new Gate();
  const serialize = (value: unknown) =>
    value === 0 ? serializer.serialize(value) : { data: JSON.stringify(value), flags: 0 };
  return { serializer: { ...serializer, serialize }, open };
}

async function start(faults: Fault[] = [], options = {}) {
  const server = use(await MemcachedServer.start({ log: "requests", faults, ...options }));
  const count = (name: string) =>
    server.log.requests.filter(({ command, keys }) => command === name && keys[0]?.startsWith("k:"))
      .length;
  /** Every chunk is stored, and the client knows. */
  const written = async (client: Client) => {
    await until(() => count("set") === CHUNKS);
    await client.version();
  };
  return { server, count, written };
}

test.each(["abort", "deadline"])(
  "the chunks of a value that waits for a call before it are taken back after its %s",
  async (how) => {
    const { server, count, written } = await start();
    const { serializer, open } = gated();
    const client = clientOf(server.address, { ...PATIENT, ...CHUNKED, serializer });
    const first = client.set("k", 0);
    const controller = new AbortController();
    const end = how === "abort" ? { signal: controller.signal } : { timeoutMs: 500 };
    const second = outcome(client.set("k", VALUE, end));
    await written(client);
    controller.abort();
    if (how === "abort") expect(await second).toBe(controller.signal.reason);
    else expect(await second).toMatchObject({ name: "TimeoutError", sent: false });
    await until(() => count("delete") === CHUNKS);
    open();
    expect(await first).toBe(true);
    const [stats] = (await client.getStats()).values();
    expect(stats).toMatchObject({ curr_items: 1 });
  },
);

test("the chunks of a value whose manifest waits for a connection are taken back after an abort", async () => {
  const users = { asciiAuth: { u: "p" } };
  const later: Fault = { on: { command: "auth", nth: 2 }, do: { kind: "delay", ms: 300 } };
  const { server, count, written } = await start([later], users);
  const { serializer, open } = gated();
  const credentials = { username: "u", password: "p" };
  const client = clientOf(server.address, { ...PATIENT, ...CHUNKED, ...credentials, serializer });
  const first = outcome(client.set("k", 0));
  const controller = new AbortController();
  const second = outcome(client.set("k", VALUE, { signal: controller.signal }));
  await written(client);
  client.disconnectAll();
  open();
  await until(() => server.faults.hits(later) === 1);
  controller.abort();
  expect(await second).toBe(controller.signal.reason);
  expect(await first).toBe(true);
  await until(() => count("delete") === CHUNKS);
  expect(await client.get("k")).toBe(0);
});

test.each<[string, ClientOptions, number, boolean]>([
  ["", {}, 1, false],
  [", with copies", { behaviors: { num_replicas: 1 } }, 2, false],
  [", to who traces", {}, 1, true],
])(
  "the chunks of a value stay where an abort came after its manifest was sent%s",
  async (_, options, servers, traces) => {
    const late: Fault = { on: { command: "set", key: "k" }, do: { kind: "delay", ms: 200 } };
    const started = await Promise.all(Array.from({ length: servers }, () => start([late])));
    const addresses = started.map(({ server }) => server.address);
    const client = clientOf(addresses, { ...PATIENT, ...CHUNKED, ...options });
    const channel = tracingChannel("tslibmc:command");
    const subscribers = { start() {}, end() {}, asyncStart() {}, asyncEnd() {}, error() {} };
    if (traces) channel.subscribe(subscribers);
    const controller = new AbortController();
    const storing = outcome(client.set("k", VALUE, { signal: controller.signal }));
    await until(() => started.every(({ server }) => server.faults.hits(late) === 1));
    controller.abort();
    channel.unsubscribe(subscribers);
    expect(await storing).toBe(controller.signal.reason);
    expect(await client.get("k")).toBe(VALUE);
    expect(started.map(({ count }) => count("delete"))).toEqual(started.map(() => 0));
  },
);
