import { createSecretKey } from "node:crypto";
import { inspect } from "node:util";
import {
  Client,
  type ClientOptions,
  MemcachedError,
  parseConfiguration,
  parseServerList,
} from "tslibmc";
import { dnsAddresses, elasticache } from "tslibmc/discovery";
import { describe, expect, test } from "vitest";
import { outcome } from "../support/outcome.js";
import { clientOf } from "../support/use.js";

const SECRET = "hunter2";
const PEM = `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----\n`;
const NUMBER = 12345678;

/** All that can be seen of something, but where it happened. */
function seen(value: unknown): string {
  return (inspect(value, { depth: 20, showHidden: true }) + JSON.stringify(value)).replace(
    / {4}at .*\n/g,
    "",
  );
}

function expectNoSecret(error: unknown): void {
  expect(error).toBeInstanceOf(MemcachedError);
  expect(seen(error)).not.toMatch(/hunter2|12345678/);
}

const with32Bytes = { id: "a", secret: Buffer.alloc(32, SECRET) };

describe("a secret in the wrong place is refused without showing it", () => {
  test.each<[string, unknown]>([
    ["encryption", { encryption: SECRET }],
    ["encryption's keys", { encryption: { keys: SECRET } }],
    ["an encryption key", { encryption: { keys: [SECRET] } }],
    ["an encryption key that is a number", { encryption: { keys: [NUMBER] } }],
    ["an encryption key's secret", { encryption: { keys: [{ id: "a", secret: SECRET }] } }],
    ["a short one", { encryption: { keys: [{ id: "a", secret: Buffer.from(SECRET) }] } }],
    ["one in the place of the id", { encryption: { keys: [{ id: SECRET, secret: "a" }] } }],
    [
      "what only looks like a KeyObject",
      { encryption: { keys: [{ id: "a", secret: { symmetricKeySize: 32, it: SECRET } }] } },
    ],
    ["the same id twice", { encryption: { keys: [with32Bytes, with32Bytes] } }],
    ["credentials", { credentials: SECRET }],
    ["credentials of two", { credentials: ["u", SECRET] }],
    ["a password that is a number", { username: "u", password: NUMBER }],
    ["a password without a user", { password: SECRET }],
    ["tls", { tls: SECRET }],
    ["tls.key", { tls: { key: SECRET } }],
    ["all options", SECRET],
    ["socket", { socket: SECRET }],
    ["gutter servers", { failover: { servers: [{ host: `u:${SECRET}@h` }] } }],
  ])("%s", async (_, options) => {
    expectNoSecret(await outcome((async () => new Client("h", options as ClientOptions))()));
  });

  test.each<[string, () => unknown]>([
    ["a configuration", () => Client.fromConfiguration(`--SERVER=u:${SECRET}@h`)],
    ["a configuration's unknown option", () => parseConfiguration(`--PASSWORD=${SECRET}`)],
    ["a list of servers", () => parseServerList(`u:${SECRET}@h`)],
    ["an endpoint", () => elasticache([{ host: `u:${SECRET}@h` }] as never)],
    ["an endpoint's options", () => elasticache("h", SECRET as never)],
    ["a name of DNS", () => dnsAddresses(`memcached://u:${SECRET}@h`)],
    ["a source that is none", () => new Client("h").follow(`memcached://u:${SECRET}@h` as never)],
    ["a source's server", () => Client.discover(listing([{ host: `u:${SECRET}@h` }]))],
    ["a source's URL", () => Client.discover(listing(`memcached://u:${SECRET}@h h`))],
  ])("%s", async (_, call) => {
    expectNoSecret(await outcome((async () => call())()));
  });

  test.each<[string, object]>([
    ["a key that is a number", { key: NUMBER }],
    ["a key of several", { key: [{ pem: NUMBER }] }],
    ["a key that only looks like PEM", { key: PEM, cert: PEM, passphrase: SECRET }],
    ["a pfx that is a number", { pfx: NUMBER }],
    ["a callback that is none", { pskCallback: SECRET }],
  ])("tls: %s, which only Node refuses", async (_, tls) => {
    const client = clientOf("127.0.0.1:1", { tls: tls as never });
    expectNoSecret(await outcome(client.get("k")));
  });
});

test("an encryption key may be a KeyObject", () => {
  const secret = createSecretKey(Buffer.alloc(32));
  expect(() => new Client("h", { encryption: { keys: [{ id: "a", secret }] } })).not.toThrow();
});

test("nothing that a client shows of itself has its secrets", async () => {
  const client = clientOf(`memcached://user:${SECRET}@127.0.0.1:1`, {
    encryption: { keys: [{ id: "a", secret: Buffer.alloc(32, SECRET) }] },
    tls: { passphrase: SECRET, key: PEM },
  });
  const clone = client.clone();
  await outcome(client.get("k"));
  for (const shown of [client, clone, client.behaviors, client.servers, client.stats()]) {
    expect(seen(shown)).not.toContain(SECRET);
  }
  expect(seen(await client.explain("k"))).not.toContain(SECRET);
  await clone.close();
});

async function* listing(servers: unknown): AsyncGenerator<never> {
  yield servers as never;
}
