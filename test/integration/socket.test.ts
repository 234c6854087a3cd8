import type { LookupFunction } from "node:net";
import { Client, type ClientOptions, ConnectError, OptionError } from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDoor } from "../support/door.js";
import { hasIPv6 } from "../support/ipv6.js";
import { type Memcached, startMemcached } from "../support/memcached.js";

let server: Memcached;
beforeAll(async () => {
  server = await startMemcached();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Resolves every name to these addresses. */
function resolvingTo(addresses: () => { address: string; family: number }[]): LookupFunction {
  return (_name, options, callback) => {
    const [first] = addresses();
    if (options.all) callback(null, addresses());
    else callback(null, first!.address, first!.family);
  };
}

describe.runIf(hasIPv6)("IPv6", () => {
  test.each(["[::1]", "[0:0:0:0:0:0:0:1]", "[::1%lo]"])("as %s", async (host) => {
    await using door = await openDoor(server, "::1");
    await using client = new Client(`${host}:${door.port}`);
    await client.set("k", host);
    expect(await client.get("k")).toBe(host);
    expect(client.serverFor("k").name).toBe(`${host}:${door.port}`);
  });

  test("in a URL, and in a server object without brackets", async () => {
    await using door = await openDoor(server, "::1");
    await using byUrl = new Client(`memcached://[::1]:${door.port}/`);
    await using byObject = new Client([{ host: "::1", port: door.port }]);
    await byUrl.set("k", "v6");
    expect(await byObject.get("k")).toBe("v6");
  });
});

describe("a unix socket", () => {
  test.each([false, true])("with binary: %s, as a path, an object or a URL", async (binary) => {
    await using local = await startMemcached({ unix: true });
    const path = local.address;
    await using plain = new Client(path, { binary });
    await using byObject = new Client([{ path }], { binary });
    await using byUrl = new Client(`memcached://${path}`, { binary });
    await plain.set("k", "unix");
    expect(await byObject.get("k")).toBe("unix");
    expect(await byUrl.get("k")).toBe("unix");
    expect(byUrl.serverFor("k")).toMatchObject({ host: path, port: 0 });
  });

  test("that is not there is a ConnectError with Node's code", async () => {
    await using client = new Client("/nonexistent/memcached.sock");
    const error: unknown = await client.get("k").catch((reason) => reason);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ cause: { code: "ENOENT" } });
  });
});

describe("a name", () => {
  test("with several addresses is tried until one of them answers", async () => {
    const lookup = resolvingTo(() => [
      { address: "::1", family: 6 },
      { address: "127.0.0.2", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ]);
    await using client = new Client(`cache.example:${server.port}`, { socket: { lookup } });
    const value = Buffer.alloc(200_000, 7);
    expect(await client.set("k", value)).toBe(true);
    expect((await client.get<Buffer>("k"))?.equals(value)).toBe(true);
  });

  test("of which no address answers is one ConnectError that tells of each", async () => {
    const addresses = ["127.0.0.2", "127.0.0.3"].map((address) => ({ address, family: 4 }));
    const lookup = resolvingTo(() => addresses);
    await using client = new Client(`cache.example:${server.port}`, { socket: { lookup } });
    const error: unknown = await client.get("k").catch((reason) => reason);
    expect(error).toBeInstanceOf(ConnectError);
    expect(String(error)).toMatch(/127\.0\.0\.2.*127\.0\.0\.3/);
  });

  test("is resolved again for the next connection", async () => {
    await using door = await openDoor(server, "127.0.0.9");
    await using _elsewhere = await startMemcached({ port: door.port });
    let address = "127.0.0.9";
    const lookup = resolvingTo(() => [{ address, family: 4 }]);
    await using client = new Client(`cache.example:${door.port}`, { socket: { lookup } });
    await client.set("where", "behind the door");
    address = "127.0.0.1";
    client.disconnectAll();
    expect(await client.get("where")).toBeUndefined();
  });

  test("that nobody knows is a ConnectError with the resolver's code", async () => {
    await using client = new Client("no-such-host.invalid", { timeoutMs: 10_000 });
    const error: unknown = await client.get("k").catch((reason) => reason);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ cause: { code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) } });
  });
});

describe("options of sockets", () => {
  test("localAddress decides where connections come from", async () => {
    await using door = await openDoor(server);
    const socket = { localAddress: "127.0.0.8", noDelay: false, keepAliveIdleMs: 30_000 };
    await using client = new Client(`127.0.0.1:${door.port}`, { socket });
    await client.set("k", 1);
    expect(door.visitors.map((visitor) => visitor.remoteAddress)).toEqual(["127.0.0.8"]);
  });

  test("family leaves out the other addresses of a name", async () => {
    const asked: unknown[] = [];
    const lookup: LookupFunction = (name, options, callback) => {
      asked.push(options.family);
      resolvingTo(() => [{ address: "127.0.0.1", family: 4 }])(name, options, callback);
    };
    const socket = { family: 4, lookup } as const;
    await using client = new Client(`cache.example:${server.port}`, { socket });
    expect(await client.set("k", 1)).toBe(true);
    expect(asked).toEqual([4]);
  });

  test.each<[string, unknown, RegExp]>([
    ["an unknown name", { nodelay: true }, /did you mean "noDelay"/],
    ["no boolean", { keepAlive: 1 }, /keepAlive must be true or false/],
    ["no duration", { keepAliveIdleMs: -1 }, /keepAliveIdleMs/],
    ["a name for an address", { localAddress: "localhost" }, /must be an IP address/],
    ["another family", { family: 5 }, /family must be 4, 6/],
    ["no function", { lookup: "dns" }, /lookup must be a function/],
    ["no object", 7, /must be an object/],
  ])("%s is refused", (_, socket, words) => {
    const options = { socket } as ClientOptions;
    expect(() => new Client(server.address, options)).toThrow(OptionError);
    expect(() => new Client(server.address, options)).toThrow(words);
  });
});
