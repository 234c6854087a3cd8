import { inspect } from "node:util";
import { AuthError, Client, type ClientOptions, OptionError } from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startMemcached } from "../support/memcached.js";
import { runPython } from "../support/python.js";
import { type SaslMemcached, startSaslMemcached } from "../support/sasl.js";

const USER = { username: "user1", password: "pässwörd, with = and blanks" };
const SECRET = /pässwörd|wrong-secret/;

const MECHANISMS = ["PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;

let sasl: SaslMemcached;
let address: string;

beforeAll(async () => {
  sasl = await startSaslMemcached(["DIGEST-MD5", ...MECHANISMS], { user1: USER.password });
  address = sasl.server.address;
});
afterAll(() => sasl[Symbol.asyncDispose]());

const clientWith = (options: ClientOptions) =>
  new Client(address, { binary: true, ...USER, ...options });

/** What a call rejects with. */
async function failureOf(call: Promise<unknown>): Promise<AuthError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(AuthError);
  return error as AuthError;
}

describe.each(MECHANISMS)("%s", (saslMechanism) => {
  test("lets in who knows the password", async () => {
    await using client = clientWith({ saslMechanism });
    expect(await client.set("k", saslMechanism)).toBe(true);
    expect(await client.get("k")).toBe(saslMechanism);
  });

  test("takes a password in whatever form of Unicode the server has it", async () => {
    const password = "\u00bd e\u0301 \u00a0";
    sasl.setPassword("decomposed", password);
    await using client = clientWith({ username: "decomposed", password, saslMechanism });
    expect(await client.set("k", 1)).toBe(true);
  });

  test("refuses a wrong password, and shows it nowhere", async () => {
    await using client = clientWith({ saslMechanism, password: "wrong-secret" });
    const error = await failureOf(client.get("k"));
    expect(error).toMatchObject({ server: address, command: "get", sent: false, retcode: 41 });
    expect(error.message).toContain(address);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(SECRET);
    expect(inspect(client, { depth: 10, showHidden: true })).not.toMatch(SECRET);
  });

  test("refuses somebody unknown", async () => {
    await using client = clientWith({ saslMechanism, username: "nobody" });
    await failureOf(client.get("k"));
  });
});

describe("an authentication", () => {
  test("comes before everything else on each connection, once for calls made together", async () => {
    let asked = 0;
    const credentials = (server: string) => {
      expect(server).toBe(address);
      asked++;
      return USER;
    };
    await using client = new Client(address, { binary: true, credentials, timeoutMs: 10_000 });
    await Promise.all(Array.from({ length: 100 }, (_, i) => client.set(`many-${i}`, i)));
    expect(asked).toBe(1);
    client.disconnectAll();
    expect(await client.get("many-99")).toBe(99);
    expect(asked).toBe(2);
  });

  test("follows a password that changes", async () => {
    sasl.setPassword("rotating", "first");
    let password = "first";
    await using client = new Client(address, {
      binary: true,
      credentials: async () => ({ username: "rotating", password }),
    });
    await client.set("k", 1);
    sasl.setPassword("rotating", "second");
    password = "second";
    client.disconnectAll();
    expect(await client.get("k")).toBe(1);
  });

  test("that was refused fails every call at once, and is tried again later", async () => {
    await using client = clientWith({ password: "wrong-secret" });
    const calls = await Promise.allSettled([client.get("a"), client.set("b", 1), client.incr("c")]);
    for (const call of calls) {
      expect(call).toMatchObject({ status: "rejected", reason: { code: "ERR_MEMCACHED_AUTH" } });
    }
    const { message } = await failureOf(client.get("a"));
    expect(message).toMatch(/the next attempt is due in \d+ ms$/);
  });

  test("is the server's demand for a client without credentials", async () => {
    await using client = new Client(address, { binary: true });
    const { message } = await failureOf(client.get("k"));
    expect(message).toBe(`${address} wants credentials, and refused get: Auth failure.`);
  });

  test("takes the credentials of a URL", async () => {
    const user = `user1:${encodeURIComponent(USER.password)}`;
    await using client = new Client(`memcached://${user}@${address}`, { binary: true });
    expect(await client.set("k", "by URL")).toBe(true);
    expect(inspect(client, { depth: 10, showHidden: true })).not.toContain("p%C3%A4ssw");
  });

  test("at a server that offers nothing we know says what it offers", async () => {
    await using digest = await startSaslMemcached(["DIGEST-MD5"], { user1: "x" });
    await using client = new Client(digest.server.address, { binary: true, ...USER });
    const { message } = await failureOf(client.get("k"));
    expect(message).toBe(
      `Authentication at ${digest.server.address} failed: it offers DIGEST-MD5 alone`,
    );
  });

  test("at a server without SASL says so", async () => {
    await using server = await startMemcached();
    await using client = new Client(server.address, { binary: true, ...USER });
    expect((await failureOf(client.get("k"))).message).toContain(
      "it knows none, as memcached without -S",
    );
  });

  test("is the same to pylibmc", async () => {
    await using client = clientWith({ saslMechanism: "PLAIN" });
    await client.set("node", "from node");
    const found = await runPython(
      `
      import pylibmc
      client = pylibmc.Client([input["server"]], binary=True,
                              username=input["username"], password=input["password"])
      client.set("python", "from python")
      output = client.get("node")
      `,
      { server: address, ...USER },
    );
    expect(found).toBe("from node");
    expect(await client.get("python")).toBe("from python");
  });

  test("whose function fails or gives no credentials is an AuthError", async () => {
    const cause = new Error("vault is sealed");
    await using failing = new Client(address, {
      binary: true,
      credentials: () => Promise.reject(cause),
    });
    expect(await failureOf(failing.get("k"))).toMatchObject({ cause, server: address });
    const credentials = () => ({ username: "user1" }) as never;
    await using lacking = new Client(address, { binary: true, credentials });
    expect((await failureOf(lacking.get("k"))).message).toMatch(/username, password/);
  });
});

test.each<[string, ClientOptions, RegExp]>([
  ["a password alone", { password: "x" }, /two strings/],
  ["both kinds", { username: "a", password: "b", credentials: () => USER }, /not both/],
  ["no function", { credentials: USER as never }, /must be a function/],
  ["an unknown mechanism", { binary: true, saslMechanism: "LOGIN" as never }, /must be "SCRAM/],
  ["a mechanism over text", { ...USER, saslMechanism: "PLAIN" }, /binary: true/],
  ["a mechanism for nobody", { binary: true, saslMechanism: "PLAIN" }, /needs username/],
])("options with %s are refused", (_, options, words) => {
  expect(() => new Client(address, options)).toThrow(OptionError);
  expect(() => new Client(address, options)).toThrow(words);
});
