import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, ConnectionClosedError } from "tslibmc";
import { expect, test } from "vitest";
import { Authority } from "../support/certificates.js";
import { Haproxy, type HaproxyOptions } from "../support/haproxy.js";
import { startMemcached } from "../support/memcached.js";
import { outcome } from "../support/outcome.js";
import { until } from "../support/until.js";
import { clientOf, use } from "../support/use.js";

/** A real memcached behind a real haproxy. */
async function balanced(options: HaproxyOptions = {}, ofClient = {}) {
  const server = use(await startMemcached());
  const proxy = use(await Haproxy.start(server.address, options));
  const client = clientOf(proxy.address, { timeoutMs: 5_000, ...ofClient });
  return { server, proxy, client };
}

const statsOf = (client: Client) => [...client.stats().values()][0]!;

test("a connection that was idle for too long is made anew, and nobody notices", async () => {
  const { client } = await balanced({ idleMs: 400 });
  expect(await client.set("n", 1)).toBe(true);
  for (let n = 2; n < 5; n++) {
    await until(() => !statsOf(client).connected);
    expect(await client.incr("n")).toBe(n);
  }
  expect(statsOf(client).connects).toBe(4);
});

test("a balancer whose servers are down is said to be one, and answers when they are back", async () => {
  const { server, client } = await balanced({ server: "check inter 50 fall 1 rise 1" });
  expect(await client.set("k", 1)).toBe(true);
  await server.kill();
  await until(async () => {
    const error = await outcome(client.get("k"));
    return error instanceof ConnectionClosedError && error.message.includes("without a server");
  });
  await server.start();
  await until(async () => (await outcome(client.set("k", 2))) === true);
  expect(await client.get("k")).toBe(2);
});

test("a reload of the balancer takes no call with it", async () => {
  const { proxy, client } = await balanced();
  expect(await client.set("n", 0)).toBe(true);
  let counted = 0;
  const counting = (async () => {
    for (; counted < 500; counted++) await client.incr("n");
  })();
  await until(() => counted > 50);
  const old = await proxy.reload();
  await counting;
  expect(await client.get("n")).toBe(500);
  await until(async () => {
    client.disconnectAll();
    expect(await client.get("n")).toBe(500);
    return old.exitCode !== null;
  });
});

test.each([
  ["text", {}],
  ["binary", { binary: true }],
])("TLS that ends at the balancer: %s", async (_, protocol) => {
  const authority = new Authority("authority of the balancer's test");
  const { certFile, keyFile } = authority.issue("balancer", ["IP:127.0.0.1"]);
  const certificate = join(certFile, "..", "both.pem");
  writeFileSync(certificate, readFileSync(certFile, "utf8") + readFileSync(keyFile, "utf8"));
  const { server, client } = await balanced(
    { certificate },
    { tls: { ca: authority.cert }, ...protocol },
  );
  const large = Buffer.alloc(900_000, "balanced");
  const pairs = new Map(Array.from({ length: 500 }, (_, i) => [`key-${i}`, i]));
  const [stored] = await Promise.all([client.setMulti(pairs), client.set("large", large)]);
  expect(stored).toEqual([]);
  const [found, read] = await Promise.all([
    client.getMulti([...pairs.keys()]),
    client.get<Buffer>("large"),
  ]);
  expect(found).toEqual(pairs);
  expect(read?.equals(large)).toBe(true);
  await server.restart();
  await until(async () => (await outcome(client.get("key-1"))) === undefined);
  authority[Symbol.dispose]();
});

test.each(["send-proxy", "send-proxy-v2"])(
  "a balancer that speaks the PROXY protocol fails every first call, and misleads none: %s",
  async (option) => {
    const { server, client } = await balanced({ server: option });
    await clientOf(server.address).setMulti({ a: "a", b: "b" });
    for (let n = 0; n < 10; n++) {
      const calls = [client.get("absent"), client.gets("a"), client.metaGet("b"), client.get("b")];
      for (const call of calls.map(outcome)) expect(await call).toBeInstanceOf(Error);
    }
    expect(await outcome(client.get("b"))).toMatchObject({
      message: expect.stringMatching(/answered get with: (ERROR|CLIENT_ERROR bad)|PROXY protocol/),
    });
  },
);
