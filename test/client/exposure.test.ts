import { Client, type ClientOptions, OptionError } from "tslibmc";
import { describe, expect, test } from "vitest";
import { provokes } from "../support/warnings.js";

const credentials = { username: "user", password: "secret-of-nobody" };

describe("credentials that would go over a network without TLS", () => {
  const warnings = provokes(/credentials/);

  /** What has been warned of when there is a client with these servers and options. */
  function warningsOf(servers: string[], options: ClientOptions): readonly string[] {
    new Client(servers, options);
    return warnings.messages;
  }

  test("are warned of, once for each server", async () => {
    const servers = ["exposed-a.test:11211", "exposed-b.test:11211"];
    const first = warningsOf(servers, credentials);
    expect(first).toHaveLength(2);
    expect(first[0]).toContain("exposed-a.test:11211");
    expect(first.join()).not.toContain(credentials.password);
    expect(warningsOf(servers, credentials)).toHaveLength(2);
  });

  test("or to a server that nobody verifies, too", async () => {
    const tls = { rejectUnauthorized: false };
    const [warning, ...others] = warningsOf(["exposed-e.test:11211"], {
      ...credentials,
      tls,
    });
    expect(warning).toContain("exposed-e.test:11211 go to whoever answers there");
    expect(others).toEqual([]);
    const options = { ...credentials, tls, plaintextCredentials: "refuse" } as const;
    expect(() => new Client("exposed-e.test:11211", options)).toThrow("set tls.ca in its place");
    expect(warningsOf(["127.0.0.1", "exposed-f.test"], { tls })).toHaveLength(1);
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
    expect(warningsOf([server], options)).toEqual([]);
  });

  test("an unknown choice is refused", () => {
    const options = { ...credentials, plaintextCredentials: "maybe" as never };
    expect(() => new Client("127.0.0.1", options)).toThrow('must be "allow", "warn" or "refuse"');
  });
});
