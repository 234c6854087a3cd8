import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { type Client, ConnectError, ConnectionClosedError } from "tslibmc";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Authority } from "../support/certificates.js";
import { errorOf, outcome } from "../support/outcome.js";
import { until } from "../support/until.js";
import { clientOf } from "../support/use.js";

let authority: Authority;
let stranger: Authority;
beforeAll(() => {
  authority = new Authority("authority of the faults");
  stranger = new Authority("nobody that is known");
});
afterAll(() => {
  authority[Symbol.dispose]();
  stranger[Symbol.dispose]();
});

const NAMES = ["IP:127.0.0.1"];
const trusting = () => ({ tls: { ca: authority.cert } });

/** Answers every `incr` with 5, and whoever asks for the version. */
function count(socket: Socket): void {
  let rest = "";
  socket.on("data", (bytes) => {
    const lines = (rest + bytes.toString("latin1")).split("\r\n");
    rest = lines.pop() ?? "";
    for (const line of lines) socket.write(line === "version" ? "VERSION 1.6.18\r\n" : "5\r\n");
  });
}

/** A server of TLS until the test is over, or `close()`. */
async function secureServer(
  options: TlsOptions,
  serve: (socket: TLSSocket, number: number) => void = count,
  port = 0,
) {
  const sockets: TLSSocket[] = [];
  const server = createTlsServer(options, (socket) => {
    socket.on("error", () => {});
    serve(socket, sockets.push(socket));
  });
  return listening(server, sockets, port);
}

async function listening(server: Server, sockets: readonly Socket[], port = 0) {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  };
  onTestFinished(close);
  const own = (server.address() as AddressInfo).port;
  return { port: own, address: `127.0.0.1:${own}`, close };
}

/** Calls at once, of which every second may be repeated without harm. */
function thousand(client: Client): Promise<unknown[]> {
  const call = (i: number) => errorOf(i % 2 === 0 ? client.get(`k${i}`) : client.incr(`k${i}`));
  return Promise.all(Array.from({ length: 1000 }, (_, i) => call(i)));
}

describe("a thousand calls that wait for TLS", () => {
  test("each reject with what is wrong with the certificate", async () => {
    const server = await secureServer(authority.issue("known", NAMES));
    const client = clientOf(server.address, { tls: { ca: stranger.cert } });
    for (const error of await thousand(client)) {
      expect(error).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({
        sent: false,
        cause: { code: expect.stringMatching(/VERIFY/) },
      });
    }
  });

  test("reject by connectTimeoutMs when the handshake is never answered", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => {
      sockets.push(socket.on("error", () => {}).resume());
    });
    const { address } = await listening(silent, sockets);
    const client = clientOf(address, { ...trusting(), connectTimeoutMs: 100, timeoutMs: 60_000 });
    for (const error of await thousand(client)) {
      expect(error).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({ sent: false, message: expect.stringContaining("100 ms") });
    }
  });

  test.each<[string, (socket: Socket) => void]>([
    ["ended", (socket) => socket.once("data", () => socket.end())],
    ["reset", (socket) => socket.once("data", () => socket.resetAndDestroy())],
  ])("reject when the handshake is %s in its middle", async (_, end) => {
    const sockets: Socket[] = [];
    const rude = createServer((socket) => {
      sockets.push(socket.on("error", () => {}));
      end(socket);
    });
    const { address } = await listening(rude, sockets);
    for (const error of await thousand(clientOf(address, trusting()))) {
      expect(error).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({ sent: false });
    }
    expect(sockets).toHaveLength(1);
  });
});

test("each connection judges the certificate anew, and finds a version that both speak", async () => {
  const good = authority.issue("good", NAMES);
  const unknown = stranger.issue("unknown", NAMES);
  const expired = authority.issue("expired", NAMES, -1);
  const other = authority.issue("other", ["DNS:other.example"]);
  const first = await secureServer(good);
  const client = clientOf(first.address, { ...trusting(), behaviors: { failure_limit: 1000 } });
  const isGone = () => !client.stats().get(first.address)!.connected;
  expect(await client.incr("k")).toBe(5);
  await first.close();
  await until(isGone);
  const lives: [TlsOptions, unknown][] = [
    [unknown, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    [good, 5],
    [expired, "CERT_HAS_EXPIRED"],
    [{ ...good, maxVersion: "TLSv1.2" }, 5],
    [{ ...good, minVersion: "TLSv1.3" }, 5],
    [other, "ERR_TLS_CERT_ALTNAME_INVALID"],
    [{ ...good, maxVersion: "TLSv1.2" }, 5],
  ];
  for (const [options, expected] of lives) {
    const server = await secureServer(options, count, first.port);
    let found: unknown;
    // The life before this one may have led to a pause.
    await until(async () => {
      found = await outcome(client.incr("k"));
      return !(found instanceof Error && found.message.includes("next attempt"));
    });
    const code = (found as { cause?: { code?: string } }).cause?.code;
    expect(code ?? found).toBe(expected);
    await server.close();
    await until(isGone);
  }
});

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "a server with another's certificate hears no password, however often it is asked, over %s",
  async (version) => {
    let heard = "";
    let sessions = 0;
    const pinned = { minVersion: version, maxVersion: version };
    const other = authority.issue("other", ["DNS:other.example"]);
    const server = await secureServer({ ...other, ...pinned }, (socket) => {
      if (socket.isSessionReused()) sessions++;
      socket.on("data", (bytes) => {
        heard += bytes.toString();
        socket.write("STORED\r\nEND\r\n"); // as if it had let the client in
      });
    });
    const credentials = { username: "user", password: "hunter2" };
    const client = clientOf(server.address, { ...trusting(), ...credentials });
    let attempts = 0;
    client.on("connectError", () => attempts++);
    await until(async () => {
      expect(await errorOf(client.get("k"))).toBeInstanceOf(ConnectError);
      return attempts >= 4;
    });
    expect(heard).toBe("");
    expect(sessions).toBe(0);
  },
);

describe.each(["TLSv1.2", "TLSv1.3"] as const)("over %s", (version) => {
  const speaking = () => ({ ...authority.issue("version", NAMES), maxVersion: version });

  test("what was answered before close_notify counts, and the rest goes out again", async () => {
    const server = await secureServer(speaking(), (socket, number) => {
      if (number > 1) count(socket);
      else socket.once("data", () => socket.end("5\r\n5\r\n"));
    });
    const client = clientOf(server.address, trusting());
    const calls = Array.from({ length: 4 }, () => outcome(client.incr("k")));
    const [one, two, ...unanswered] = await Promise.all(calls);
    expect([one, two]).toEqual([5, 5]);
    for (const error of unanswered) {
      expect(error).toBeInstanceOf(ConnectionClosedError);
      expect(error).toMatchObject({ sent: true });
    }
    expect(await client.incr("k")).toBe(5);
  });

  test("a value that is cut off is read again", async () => {
    const value = Buffer.alloc(100_000, "v");
    const server = await secureServer(speaking(), (socket, number) => {
      socket.once("data", () => {
        socket.write("VALUE k 0 100000\r\n");
        if (number > 1) socket.write(Buffer.concat([value, Buffer.from("\r\nEND\r\n")]));
        else socket.write(value.subarray(1000), () => socket.destroy());
      });
    });
    const client = clientOf(server.address, trusting());
    expect((await client.get<Buffer>("k"))?.equals(value)).toBe(true);
  });
});

test("a server may negotiate anew in the middle of traffic", async () => {
  let negotiated = 0;
  const options = { ...authority.issue("anew", NAMES), maxVersion: "TLSv1.2" } as const;
  const server = await secureServer(options, (socket) => {
    count(socket);
    socket.once("data", () => {
      socket.renegotiate({ requestCert: true, rejectUnauthorized: false }, () => negotiated++);
    });
  });
  const client = clientOf(server.address, trusting());
  for (let i = 0; i < 50; i++) expect(await client.incr("k")).toBe(5);
  expect(negotiated).toBe(1);
  expect(client.stats().get(server.address)).toMatchObject({ connects: 1 });
});
