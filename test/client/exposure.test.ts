import { Client, type ClientOptions, OptionError } from "tslibmc";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const credentials = { username: "user", password: "secret-of-nobody" };

describe("credentials that would go over a network without TLS", () => {
  let warnings: Error[] = [];
  const listen = (warning: Error) => {
    if (/credentials/.test(warning.message)) warnings.push(warning);
  };
  beforeEach(() => {
    warnings = [];
    process.on("warning", listen);
  });
  afterEach(() => {
    process.off("warning", listen);
  });

  /** What a client with these servers and options warns of. */
  async function warningsOf(servers: string[], options: ClientOptions): Promise<string[]> {
    new Client(servers, options);
    await new Promise((resolve) => setImmediate(resolve));
    return warnings.map(({ message }) => message);
  }

  test("are warned of, once for each server", async () => {
    const servers = ["exposed-a.test:11211", "exposed-b.test:11211"];
    const first = await warningsOf(servers, credentials);
    expect(first).toHaveLength(2);
    expect(first[0]).toContain("exposed-a.test:11211");
    expect(first.join()).not.toContain(credentials.password);
    expect(await warningsOf(servers, credentials)).toHaveLength(2);
  });

  test("or to a server that nobody verifies, too", async () => {
    const tls = { rejectUnauthorized: false };
    const [warning, ...others] = await warningsOf(["exposed-e.test:11211"], {
      ...credentials,
      tls,
    });
    expect(warning).toContain("exposed-e.test:11211 go to whoever answers there");
    expect(others).toEqual([]);
    const options = { ...credentials, tls, plaintextCredentials: "refuse" } as const;
    expect(() => new Client("exposed-e.test:11211", options)).toThrow("set tls.ca in its place");
    expect(await warningsOf(["127.0.0.1", "exposed-f.test"], { tls })).toHaveLength(1);
  });

  test("are refused, if so asked", () => {
    const options = { ...credentials, plaintextCredentials: "refuse" } as const;
    expect(() => new Client("exposed-c.test:11211", options)).toThrow(OptionError);
    const client = new Client("127.0.0.1:11211", options);
    expect(() => client.addServer("exposed-c.test:11211")).toThrow("set tls");
  });

  test.each<[string, string, ClientOptions]>([
    ["this machine", "localhost:11211", credentials],
    ["its address", "127.0.0.1:11211", credentials],
    ["its other address", "[::1]:11211", credentials],
    ["a unix socket", "/run/memcached.sock", credentials],
    ["TLS", "exposed-d.test:11211", { ...credentials, tls: true }],
    ["no credentials", "exposed-d.test:11211", {}],
    ["leave to", "exposed-d.test:11211", { ...credentials, plaintextCredentials: "allow" }],
    [
      "a mechanism that does not send the password",
      "exposed-d.test:11211",
      { ...credentials, binary: true, saslMechanism: "SCRAM-SHA-256" },
    ],
  ])("%s is no reason", async (_, server, options) => {
    expect(await warningsOf([server], options)).toEqual([]);
  });

  test("an unknown choice is refused", () => {
    const options = { ...credentials, plaintextCredentials: "maybe" as never };
    expect(() => new Client("127.0.0.1", options)).toThrow('must be "allow", "warn" or "refuse"');
  });
});
