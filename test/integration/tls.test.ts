import { connect } from "node:net";
import { createServer } from "node:tls";
import {
  Client,
  type ClientOptions,
  ConnectError,
  ConnectionClosedError,
  OptionError,
} from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Authority, type Certificate } from "../support/certificates.js";
import { openDoor } from "../support/door.js";
import { type Memcached, type MemcachedOptions, startMemcached } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { listen } from "../support/port.js";
import { until } from "../support/until.js";

let authority: Authority;
let server: Memcached;
let port: number;

/** A memcached that speaks TLS with a certificate. */
function startTls(
  { certFile, keyFile }: Certificate,
  options: MemcachedOptions = {},
  more = "",
): Promise<Memcached> {
  const tls = `ssl_chain_cert=${certFile},ssl_key=${keyFile}${more}`;
  return startMemcached({ ...options, args: ["-Z", "-o", tls] });
}

beforeAll(async () => {
  authority = new Authority("authority of the tests");
  server = await startTls(authority.issue("good", ["DNS:localhost", "IP:127.0.0.1"]));
  port = server.port;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  authority[Symbol.dispose]();
});

const trusting = (more: ClientOptions = {}): ClientOptions => ({
  tls: { ca: authority.cert },
  ...more,
});

/** What a connection fails with. */
async function failureOf(address: string, options: ClientOptions): Promise<unknown> {
  await using client = new Client(address, options);
  const error: unknown = await client.get("k").catch((reason) => reason);
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({ server: address, sent: false });
  return (error as ConnectError).cause;
}

describe("a server whose certificate is right", () => {
  test("is reached by address and by name, over the text and the binary protocol", async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      for (const binary of [false, true]) {
        await using client = new Client(`${host}:${port}`, trusting({ binary }));
        await client.set("k", { over: host });
        expect(await client.get("k")).toEqual({ over: host });
      }
    }
  });

  test("is reached by a memcacheds:// URL, which trusts what Node trusts", async () => {
    const address = `localhost:${port}`;
    await using client = new Client(`memcacheds://${address}`, trusting());
    expect(await client.set("k", 1)).toBe(true);
    for (const options of [{}, { tls: undefined }]) {
      await using doubting = new Client(`memcacheds://${address}`, options);
      await expect(doubting.get("k")).rejects.toMatchObject({
        message: expect.stringMatching(/certificate.*; set tls\.ca to who signed it$/),
        cause: { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
      });
    }
  });

  test("gives back large values, and many at once", async () => {
    await using client = new Client(`localhost:${port}`, trusting());
    const large = Buffer.alloc(900_000, "tls ");
    await client.set("large", large);
    const found = await Promise.all(Array.from({ length: 20 }, () => client.get<Buffer>("large")));
    for (const value of found) expect(value?.equals(large)).toBe(true);
    const pairs = Array.from({ length: 2000 }, (_, i) => [`k${i}`, i] as const);
    expect(await client.setMulti(pairs)).toEqual([]);
    expect(await client.getMulti(pairs.map(([key]) => key))).toEqual(new Map(pairs));
  });
});

describe("many requests at once, which memcached 1.6.18 has read in parts", () => {
  test.each([false, true])("are all answered, binary: %s", async (binary) => {
    await using client = new Client(`localhost:${port}`, trusting({ binary, timeoutMs: 10_000 }));
    const sizes = [0, 1, 100, 2000, 9000, 16_000, 16_384, 17_000, 40_000, 100_000];
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 600; i++) {
      const size = sizes[(i * 7) % sizes.length]!;
      calls.push(client.set(`part-${i % 50}`, Buffer.alloc(size, "v")));
      calls.push(client.get(`part-${(i * 3) % 50}`));
      if (i % 100 === 0)
        calls.push(client.getMulti(Array.from({ length: 90 }, (_, n) => `part-${n}`)));
    }
    expect((await Promise.all(calls)).length).toBe(1206);
  });

  test.each([false, true])("and so is each change of a call, binary: %s", async (binary) => {
    await using client = new Client(`localhost:${port}`, trusting({ binary, timeoutMs: 10_000 }));
    const keys = Array.from({ length: 40 }, (_, i) => `change-${i}`);
    for (const size of [400, 900, 1000, 1100, 5000, 12_000, 16_000]) {
      const value = Buffer.alloc(size, "v");
      expect(await client.setMulti(keys.map((key) => [key, value] as const))).toEqual([]);
      expect(await client.addMulti(keys.map((key) => [key, value] as const))).toEqual(keys);
      expect(await client.deleteMulti(keys)).toEqual([]);
    }
  });
});

describe("a certificate that is wrong is a ConnectError with Node's code", () => {
  test("signed by nobody we trust", async () => {
    expect(await failureOf(`localhost:${port}`, { tls: true })).toMatchObject({
      code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    });
  });

  test("for another name", async () => {
    await using other = await startTls(authority.issue("other", ["DNS:other.example"]));
    const address = `localhost:${other.port}`;
    expect(await failureOf(address, trusting())).toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
    await using named = new Client(address, {
      tls: { ca: authority.cert, servername: "other.example" },
    });
    expect(await named.set("k", 1)).toBe(true);
  });

  test("expired", async () => {
    await using expired = await startTls(authority.issue("expired", ["DNS:localhost"], -1));
    expect(await failureOf(`localhost:${expired.port}`, trusting())).toMatchObject({
      code: "CERT_HAS_EXPIRED",
    });
    await using careless = new Client(`localhost:${expired.port}`, {
      tls: { ca: authority.cert, rejectUnauthorized: false },
    });
    expect(await careless.set("k", 1)).toBe(true);
  });
});

test("a client certificate is shown where the server requires one", async () => {
  const options = `,ssl_ca_cert=${authority.file},ssl_verify_mode=2`;
  await using strict = await startTls(authority.issue("strict", ["DNS:localhost"]), {}, options);
  const address = `localhost:${strict.port}`;
  const { cert, key } = authority.issue("client", ["DNS:client.example"]);
  await using client = new Client(address, { tls: { ca: authority.cert, cert, key } });
  expect(await client.set("k", 1)).toBe(true);
  await using stranger = new Client(address, trusting());
  await expect(stranger.get("k")).rejects.toMatchObject({ name: /^Connect(ion)?(Closed)?Error$/ });
});

describe("a second connection resumes the session of the first", () => {
  test("with memcached over TLS 1.2", async () => {
    const cached = authority.issue("cached", ["DNS:localhost"]);
    await using caching = await startTls(cached, {}, ",ssl_session_cache");
    await using client = new Client(`localhost:${caching.port}`, {
      tls: { ca: authority.cert, maxVersion: "TLSv1.2" },
    });
    const newSessions = async () => {
      const [stats] = (await client.getStats()).values();
      return Number(stats?.["ssl_new_sessions"]);
    };
    const before = await newSessions();
    client.disconnectAll();
    expect(await client.set("k", 1)).toBe(true);
    expect(await newSessions()).toBe(before);
  });

  test("with a terminator before memcached over TLS 1.3", async () => {
    await using plain = await startMemcached();
    const { cert, key } = authority.issue("front", ["DNS:localhost"]);
    const resumed: boolean[] = [];
    const front = createServer({ cert, key, minVersion: "TLSv1.3" }, (socket) => {
      resumed.push(socket.isSessionReused());
      const back = connect(plain.port, plain.host);
      socket.on("error", () => back.destroy());
      socket.pipe(back).pipe(socket);
    });
    await using client = new Client(`localhost:${await listen(front, "localhost")}`, trusting());
    expect(await client.set("k", 1)).toBe(true);
    client.disconnectAll();
    expect(await client.get("k")).toBe(1);
    front.close();
    expect(resumed).toEqual([false, true]);
  });
});

describe.each([1, 2])("a server that asks for certificates, ssl_verify_mode=%i", (mode) => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "and takes up no session, over %s",
    async (version) => {
      const more = `,ssl_ca_cert=${authority.file},ssl_verify_mode=${mode}`;
      await using asking = await startTls(authority.issue("asking", ["IP:127.0.0.1"]), {}, more);
      await using door = await openDoor(asking);
      const address = `127.0.0.1:${door.port}`;
      const { cert, key } = authority.issue("asked", ["DNS:client.example"]);
      const tls = { ca: authority.cert, cert, key, maxVersion: version };
      await using client = new Client(address, { tls });
      for (let i = 0; i < 4; i++) {
        expect(await client.set("k", i)).toBe(true);
        client.disconnectAll();
      }
      // One of them was refused, and no session is offered after that.
      expect(door.visitors).toHaveLength(4 + 1);
      expect(client.stats().get(address)).toMatchObject({ connects: 4, connectErrors: 0 });
    },
  );
});

test("a memcached at its limit of connections, which says so without TLS", async () => {
  const full = authority.issue("full", ["IP:127.0.0.1"]);
  const { certFile, keyFile } = full;
  await using server = await startMemcached({
    args: ["-c", "60", "-t", "1", "-Z", "-o", `ssl_chain_cert=${certFile},ssl_key=${keyFile}`],
  });
  const holders = Array.from({ length: 120 }, () => connect(server.port, server.host).resume());
  for (const holder of holders) holder.on("error", () => {});
  await until(() => holders.filter((socket) => socket.closed).length > 10);
  await using client = new Client(server.address, trusting());
  const error = await errorOf(client.get("k"));
  for (const holder of holders) holder.destroy();
  expect(error).toBeInstanceOf(ConnectError);
  expect((error as Error).message).toContain("or is at its limit of connections");
});

describe("a server that speaks TLS, asked without", () => {
  const hint = "before it answered anything, as servers do that expect TLS or another protocol";

  test.each([{}, { binary: true }])("with %o, is named as a reason", async (options) => {
    await using client = new Client(server.address, options);
    const error = await errorOf(client.get("k"));
    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect((error as Error).message).toContain(hint);
  });

  test("also when it hangs up on the credentials", async () => {
    await using client = new Client(server.address, { username: "user", password: "secret" });
    const error = await errorOf(client.get("k"));
    expect(error).toBeInstanceOf(ConnectError);
    expect((error as Error).message).toContain(hint);
  });

  test("is no reason where it has answered before", async () => {
    await using plain = await startMemcached();
    await using client = new Client(plain.address);
    await client.set("k", 1);
    await plain.pause();
    const call = errorOf(client.incr("k"));
    await until(() => client.stats().get(plain.address)?.inFlight === 1);
    await plain.kill();
    expect(await call).toBeInstanceOf(ConnectionClosedError);
    expect(String(await call)).not.toContain("TLS");
  });
});

test("bytes that are no TLS, on a connection that was open, say nothing of the port", async () => {
  await using door = await openDoor(server);
  await using client = new Client(`127.0.0.1:${door.port}`, trusting());
  await client.set("k", 1);
  const told = new Promise<string>((resolve) => {
    client.on("disconnect", ({ error }) => resolve(String(error?.message)));
  });
  door.visitors[0]?.write("garbage garbage");
  // OpenSSL 3.0 calls it a wrong version number, and 3.5 a bad record type.
  expect(await told).toMatch(/was lost: TLS: (?:wrong version number|bad record type)$/);
});

test("a server that does not speak TLS is a ConnectError that says so", async () => {
  await using plain = await startMemcached();
  const address = `127.0.0.1:${plain.port}`;
  await using client = new Client(address, trusting());
  const error: unknown = await client.get("k").catch((reason) => reason);
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({
    message: `Cannot connect to ${address}: the server does not speak TLS on this port, or is at its limit of connections`,
    cause: { code: "ERR_SSL_WRONG_VERSION_NUMBER" },
  });
});

test("what OpenSSL fails with is told without its files and lines", async () => {
  const older = createServer({
    ...authority.issue("older", ["IP:127.0.0.1"]),
    maxVersion: "TLSv1.2",
  });
  const address = `127.0.0.1:${await listen(older)}`;
  await using client = new Client(address, { tls: { ca: authority.cert, minVersion: "TLSv1.3" } });
  const error: unknown = await client.get("k").catch((reason) => reason);
  older.close();
  expect((error as Error).message).toMatch(/^Cannot connect to [\d.:]+: TLS: [a-z0-9 ]+$/);
});

test.each<[unknown]>([["yes"], [1], [null]])("tls: %s is refused", (tls) => {
  expect(() => new Client("localhost", { tls: tls as never })).toThrow(OptionError);
});

test.each(["host", "port", "path", "socket", "session", "lookup", "timeout"])(
  "tls: { %s } is refused, since the client says it itself",
  (name) => {
    const tls = { [name]: "/run/elsewhere.sock" };
    expect(() => new Client("localhost", { tls })).toThrow(`tls takes no ${name}`);
    expect(() => new Client("localhost", { tls: { [name]: undefined } })).not.toThrow();
  },
);
