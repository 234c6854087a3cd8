import {
  type BehaviorOptions,
  type Behaviors,
  Client,
  ClientPool,
  checkConfiguration,
  OptionError,
} from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcacheds } from "../support/memcached.js";

describe("a client from libmemcached's configuration", () => {
  let servers: Memcached[];

  beforeAll(async () => {
    servers = await startMemcacheds(3);
  });
  afterAll(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

  test("works, and is what the same behaviors make", async () => {
    const text = servers.map(({ address }, i) => `--SERVER=${address}/?${i + 1}`).join(" ");
    await using client = Client.fromConfiguration(
      `${text} --DISTRIBUTION=consistent --HASH=MD5 --NAMESPACE="conf:" --POLL-TIMEOUT=700`,
    );
    await using same = new Client(
      servers.map(({ address }, i) => `${address}:${i + 1}`),
      { behaviors: { distribution: "consistent", hash: "md5", namespace: "conf:" } },
    );
    expect(client.behaviors).toEqual({ ...same.behaviors, _poll_timeout: 700 });
    expect(client.servers).toEqual(same.servers);
    for (let i = 0; i < 50; i++) await client.set(`k${i}`, i);
    const read = await same.getMulti(Array.from({ length: 50 }, (_, i) => `k${i}`));
    expect(read.size).toBe(50);
    await using pool = new ClientPool(client, 1);
    expect(await pool.reserve((one) => one.get("k7"))).toBe(7);
  });

  test("reads copies at random where the text says so", async () => {
    const text = servers.map(({ address }) => `--SERVER=${address}`).join(" ");
    await using client = Client.fromConfiguration(
      `${text} --NUMBER-OF-REPLICAS=2 --RANDOMIZE-REPLICA-READ`,
    );
    await client.set("copied", 1);
    for (let i = 0; i < 100; i++) expect(await client.get("copied")).toBe(1);
    for (const { hits } of client.stats().values()) expect(hits).toBeGreaterThan(0);
  });
});

test.each<[string, BehaviorOptions, Partial<Behaviors>]>([
  ["--DISTRIBUTION=consistent", { ketama_weighted: true }, { distribution: "consistent weighted" }],
  ["--DISTRIBUTION=random", { ketama: true }, { distribution: "consistent ketama" }],
  ["--DISTRIBUTION=consistent", { hash: "crc" }, { distribution: "consistent", hash: "crc" }],
  ["--NUMBER-OF-REPLICAS=2", { "num replicas": 1 }, { num_replicas: 1 }],
  ["--REMOVE-FAILED-SERVERS=1", { auto_eject: false }, { auto_eject: false }],
])("%s gives way to the behaviors %j, whatever they are called", (text, behaviors, expected) => {
  const client = Client.fromConfiguration(`--SERVER=a --SERVER=b ${text}`, { behaviors });
  expect(client.behaviors).toMatchObject(expected);
});

test("options go with the text, and their behaviors before it", () => {
  const client = Client.fromConfiguration(
    '--SERVER=cache.example.com --SOCKET="/tmp/a b.sock"/?3 --HASH=CRC --BINARY-PROTOCOL',
    { maxValueSize: 100, behaviors: { hash: "murmur", ketama: true } },
  );
  expect(client.servers.map(({ name, weight }) => [name, weight])).toEqual([
    ["cache.example.com:11211", 1],
    ["/tmp/a b.sock", 3],
  ]);
  expect(client.behaviors).toMatchObject({ hash: "murmur", distribution: "consistent ketama" });
});

test("a subclass makes its own kind", () => {
  class Mine extends Client {}
  expect(Mine.fromConfiguration("--SERVER=localhost")).toBeInstanceOf(Mine);
});

test("sources give what the text refers to", () => {
  const client = Client.fromConfiguration(
    "",
    {},
    { environment: { LIBMEMCACHED: "--SERVER=env" } },
  );
  expect(client.servers[0]?.name).toBe("env:11211");
});

test("mistakes are refused", () => {
  for (const [text, says] of [
    ["--SERVER=localhost --HASH=MD6", /MD6/],
    ["--HASH=MD5", /list of servers is empty/],
    ["--SERVER=localhost --USE-UDP", /USE-UDP is not taken; give servers as "udp:host:port"/],
    ["--SERVER=localhost --POLL-TIMEOUT=0", /_poll_timeout must be a number of milliseconds/],
  ] as const) {
    expect(() => Client.fromConfiguration(text)).toThrow(says);
    expect(() => Client.fromConfiguration(text)).toThrow(OptionError);
  }
  expect(checkConfiguration("--SERVER=localhost --HASH=MD6")?.message).toMatch(/MD6/);
  expect(checkConfiguration("--SERVER=localhost")).toBeUndefined();
});
