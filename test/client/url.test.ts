import { inspect } from "node:util";
import { Client, OptionError } from "tslibmc";
import { expect, test } from "vitest";
import { provokes } from "../support/warnings.js";

/** What is thrown by making a client. */
function refusal(...args: ConstructorParameters<typeof Client>): OptionError {
  try {
    new Client(...args);
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError);
    return error as OptionError;
  }
  throw new Error("nothing was refused");
}

provokes(/^The credentials for h/);

test.each([
  ["one host", "memcached://h", ["h:11211"]],
  ["hosts and ports", "memcached://h1:1,h2:2/", ["h1:1", "h2:2"]],
  ["weights and IPv6", "memcached://[::1]:1:3,h", ["[::1]:1", "h:11211"]],
  [
    "an IPv6 address with a zone",
    "memcached://[fe80::1%25eth0]:1,h",
    ["[fe80::1%eth0]:1", "h:11211"],
  ],
  ["a zone as other texts have it", "memcached://[fe80::1%eth0]", ["[fe80::1%eth0]:11211"]],
  ["a unix socket", "memcached:///run/mc.sock", ["/run/mc.sock"]],
  ["a user", "memcached://user:p%40ss@h1,h2", ["h1:11211", "h2:11211"]],
  ["a password with signs", "memcached://user:p@s:s/w@h", ["h:11211"]],
  ["TLS", "memcacheds://h", ["h:11211"]],
])("a URL may have %s", (_, url, names) => {
  expect(new Client(url).servers.map(({ name }) => name)).toEqual(names);
});

test.each<[string, ConstructorParameters<typeof Client>[0], RegExp]>([
  ["another scheme", "redis://user:secret@h", /must begin with "memcached:\/\/"/],
  ["a user without a password", "memcached://secret@h", /user without a password/],
  ["a password that is not encoded right", "memcached://user:secret%@h", /not percent-encoded/],
  ["credentials without a scheme", "user:secret@h:11211", /"@" in it/],
  ["credentials in a list of text", "user:secret@h1,h2", /"@" in it/],
  ["credentials in an array", ["user:secret@h"], /"@" in it/],
  ["a URL in an array", ["memcached://user:secret@h"], /"@" in it/],
  ["credentials in an object", [{ host: "user:secret@h" }], /"@" in it/],
  ["a user in an object", [{ host: "user@secret" }], /"@" in it/],
  ["a URL without a host", "memcached://user:secret", /port of a server must be 1 to 65535/],
  [
    "a user for each host",
    "memcached://user:secret@h1,user:secret@h2",
    /one user and one password/,
  ],
])("%s is refused without showing a secret", (_, servers, words) => {
  const error = refusal(servers);
  expect(error.message).toMatch(words);
  expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/secret/);
});

test.each<[string, ConstructorParameters<typeof Client>[0], RegExp]>([
  ["a URL in an array", ["memcached://h1", "h2"], /is a URL, which stands alone, for all/],
  ["a query", "memcached://h?timeoutMs=500", /"\?" or "#"; options go into/],
  ["a fragment", "h1#2", /"\?" or "#"/],
])("%s is refused with what to do", (_, servers, words) => {
  expect(refusal(servers).message).toMatch(words);
});

test("an option that is undefined does not take away what the URL says", () => {
  const options = { tls: undefined, username: undefined, password: undefined };
  const url = "memcacheds://user:secret@127.0.0.1:1";
  expect(refusal(url, { ...options, credentials: () => ({ username: "", password: "" }) })).toEqual(
    expect.objectContaining({ message: expect.stringContaining("not both") }),
  );
});

test("tls: false does not take TLS from a URL that asks for it", () => {
  expect(refusal("memcacheds://h", { tls: false }).message).toMatch(/memcacheds.*tls is false/);
});

test.each<[string, ConstructorParameters<typeof Client>, string]>([
  ["TLS", ["h", { failover: { servers: "memcacheds://gutter" } }], "tls"],
  ["a user", ["h", { failover: { servers: "memcached://user:secret@gutter" } }], "username"],
  [
    "another password",
    ["memcached://user:mine@h", { failover: { servers: "memcached://user:secret@gutter" } }],
    "password",
  ],
])("servers that stand in have no %s that the client has not", (_, args, option) => {
  const { message } = refusal(...args);
  expect(message).toContain(`another ${option} than the client`);
  expect(message).not.toContain("secret");
});

test("servers that stand in may have the URL of the client's own kind", () => {
  const options = { failover: { servers: "memcacheds://user:secret@gutter" } };
  expect(() => new Client("memcacheds://user:secret@h", options)).not.toThrow();
});
