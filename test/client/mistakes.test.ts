import { afterAll, describe, expect, test } from "vitest";
import { Client, type ClientOptions, MemcachedError, type Servers } from "../../src/index.js";

/** What people get wrong at first, and that the message says what to do instead. */

const client = new Client("127.0.0.1:1");
afterAll(() => client.close());

async function refusalOf(call: () => Promise<unknown>): Promise<string> {
  const error: unknown = await call().then(
    (value) => expect.fail(`resolved to ${value}`),
    (error: unknown) => error,
  );
  if (!(error instanceof MemcachedError)) throw error;
  expect(error.sent).toBe(false);
  return error.message;
}

describe("a call", () => {
  test.each<[string, () => Promise<unknown>, string]>([
    [
      "has a callback",
      () => client.get("k", (() => {}) as never),
      "calls return a promise, and take no callback",
    ],
    [
      "has its ttl as text",
      () => client.set("k", 1, "60" as never),
      'an object or a ttl (whole seconds, or a Date), not "60"',
    ],
    [
      "has another client's name for the ttl",
      () => client.set("k", 1, { expires: 60 } as never),
      'set has no option "expires"; did you mean "ttl"?',
    ],
    ["has several keys", () => client.get(["a", "b"] as never), "; getMulti takes several"],
    ["has a ttl in milliseconds", () => client.set("k", 1, Date.now()), "not milliseconds"],
    [
      "means a point in time",
      () => client.set("k", 1, Math.floor(Date.now() / 1000) + 60),
      "a Date is a point in time",
    ],
    [
      "has a wrong vivify",
      () => client.metaGet("k", { vivify: true as never }),
      "vivify must be a number of seconds or a Date, not true",
    ],
    [
      "has a fraction to touch",
      () => client.metaGet("k", { touch: 1.5 }),
      "touch must be a whole number of seconds, not 1.5",
    ],
    [
      "has a prefix that is none",
      () => client.get("k", { keyPrefix: 5 as never }),
      "No key can begin with this prefix. A key must be a string or a Uint8Array, not 5",
    ],
    [
      "has a prefix with a blank",
      () => client.get("k", { keyPrefix: "a b" }),
      'No key can begin with this prefix. The key "a b" has the byte 0x20',
    ],
    [
      "has an empty group key",
      () => client.get("k", { groupKey: "" }),
      "groupKey must be what a key may be. The key is empty",
    ],
    [
      "has a list in the place of options",
      () => client.get("k", ["a"] as never),
      "get takes an object of options, not an array",
    ],
    [
      "waits for ever",
      () => client.get("k", { timeoutMs: Number.POSITIVE_INFINITY }),
      "above 0 and up to 2147483647, not Infinity",
    ],
  ])("that %s", async (_, call, message) => {
    expect(await refusalOf(call)).toContain(message);
  });
});

describe("a value", () => {
  test.each<[string, unknown, string]>([
    ["undefined", undefined, "store null, or delete the key"],
    ["a function", () => {}, "A function cannot be stored"],
    ["a promise", Promise.resolve(1), "value is a Promise; await it first"],
    ["a promise within", { user: Promise.resolve(1) }, "value.user is a Promise; await it first"],
    ["too large", "x".repeat(2 ** 20 + 1), "or set chunk to store it in several items"],
  ])("%s", async (_, value, message) => {
    expect(await refusalOf(() => client.set("k", value))).toContain(message);
  });

  test.each([
    ["a promise", Promise.resolve({ a: 1 }), "a Promise"],
    ["a Date", new Date(), "a Date"],
    ["a WeakMap", new WeakMap(), "a WeakMap"],
  ])("many of them in %s", async (_, mapping, name) => {
    const message = `A Map or an object of keys and values is needed, not ${name}`;
    expect(await refusalOf(() => client.setMulti(mapping as never))).toBe(message);
    expect(await refusalOf(() => client.addMulti(mapping as never))).toBe(message);
  });

  test.each([[{}], [Object.create(null)], [new Map()], [[]]])(
    "none at all: %o",
    async (mapping) => {
      expect(await client.setMulti(mapping)).toEqual([]);
    },
  );
});

/** As an environment's variable may have it. */
const ONE_LINE = "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n";

describe("a client", () => {
  test.each<[string, unknown, string]>([
    ["a behavior", { ketama: true }, "{ behaviors: { ketama: … } }"],
    ["an early name of one", { "poll timeout": 5 }, "{ behaviors: { poll timeout: … } }"],
    ["a ttl", { ttl: 60 }, "ttl is an option of calls and not of the client"],
    ["silence", { noreply: true }, "noreply is an option of calls"],
    [
      "a list of behaviors",
      { behaviors: ["ketama"] },
      "an object such as { ketama: true }, not an",
    ],
    ["a list in their place", ["ketama"], "Client takes an object of options, not an array"],
    ["text in their place", "ketama", "The options of Client must be an object, not a string"],
    ["a socket's wrong option", { socket: { noDelay: 1 } }, "socket.noDelay must be true or false"],
    ["a socket's wrong family", { socket: { family: 5 } }, "socket.family must be 4, 6, or 0"],
    [
      "buffers for TCP",
      { socket: { sendBufferSize: 1 } },
      "socket.sendBufferSize is for UDP alone",
    ],
    ["memjs's options", { expires: 60 }, 'no option "expires"; give each call its ttl'],
    ["more of them", { retries: 2 }, "what can be repeated goes out once more by itself"],
    ["memcached's", { poolSize: 10 }, "one connection serves all calls"],
    ["memcache-client's", { maxConnections: 10 }, "one connection serves all calls"],
    ["a logger", { logger: console }, 'no option "logger"; listen with on("health", …)'],
    ["pylibmc's of a call", { min_compress_len: 1 }, "set compress: { minLength, level }"],
    ["its servers", { servers: ["h"] }, "servers stand before the options"],
    ["TLS without tls", { ca: "" }, "set tls: { ca, … }"],
    ["a file as an authority", { tls: { ca: "/etc/ca.pem" } }, "tls.ca must be PEM"],
    ["a certificate in one line", { tls: { cert: ONE_LINE } }, "tls.cert must be PEM"],
    ["bytes of another form", { tls: { ca: [new Uint8Array(9)] } }, "what is in a file, not its"],
    ["pickles for PHP", { codec: "php", pickle: { protocol: 2 } }, "has no pickles"],
    ["pickles without types", { serializer: "raw", pickle: {} }, "has no pickles"],
    [
      "compression by a codec that takes none",
      { codec: { encode: String, decode: String }, compress: true },
      "let it compress what it encodes",
    ],
  ])("has %s among its options", (_, options, message) => {
    expect(() => new Client("127.0.0.1", options as ClientOptions)).toThrow(message);
  });

  test.each<[Servers, string]>([
    [[{ host: "h:11211" }], "has a colon in its host, which is not an IPv6 address"],
    [[{ host: "" }], `A server's host must be a string that is not empty, not ""`],
    ["[h:1]:11211", "has a colon in its host, which is not an IPv6 address"],
    [[{ hostname: "h" } as never], "it has host, port, path, weight, udp"],
  ])("with a server like %j", (servers, message) => {
    expect(() => new Client(servers)).toThrow(message);
  });

  test.each<Servers>(["[::1]", "[fe80::1%eth0]:11211", "[::ffff:10.0.0.1]:1"])(
    "at %s",
    (server) => {
      expect(new Client(server).servers[0]?.name).toContain("]:");
      expect(new Client([{ host: "fe80::1%eth0" }]).servers[0]?.host).toBe("fe80::1%eth0");
    },
  );
});
