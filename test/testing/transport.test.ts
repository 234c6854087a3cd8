import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { MemcachedError } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Authority, type Certificate } from "../support/certificates.js";
import { hasIPv6 } from "../support/ipv6.js";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { until } from "../support/until.js";
import { COMPAT, describeAgainst, VERSION } from "./support/counterpart.js";
import { Wire } from "./support/wire.js";

describe("addresses", () => {
  it("serves a unix socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "embedded-"));
    const path = join(folder, "memcached.sock");
    await using server = await MemcachedServer.start({ path });
    expect(server.address).toBe(path);
    expect(server.port).toBe(0);
    const wire = Wire.connect({ path });
    expect(await wire.ask("set a 0 0 1\r\nx\r\n")).toBe("STORED\r\n");
    wire.close();
    rmSync(folder, { recursive: true });
  });

  it.runIf(hasIPv6)("serves IPv6", async () => {
    await using server = await MemcachedServer.start({ host: "::1" });
    expect(server.address).toBe(`[::1]:${server.port}`);
    const wire = Wire.connect({ host: "::1", port: server.port });
    expect(await wire.ask("version\r\n")).toBe("VERSION 1.6.45\r\n");
    wire.close();
  });

  it("keeps its port over a restart", async () => {
    await using server = await MemcachedServer.start();
    const { port } = server;
    await server.restart();
    expect(server.port).toBe(port);
    const wire = Wire.to(server);
    expect(await wire.ask("version\r\n")).toBe("VERSION 1.6.45\r\n");
    wire.close();
  });

  it("stays closed, though it was about to listen again", async () => {
    const server = await MemcachedServer.start();
    const restarted = server.restart();
    await server.close();
    await restarted;
    expect(await Wire.to(server).ended).toBe("reset");
  });

  describe.each(["TCP", "a unix socket"])("on %s, while it is about to listen", (way) => {
    const folder = mkdtempSync(join(tmpdir(), "embedded-"));
    afterAll(() => rmSync(folder, { recursive: true }));
    const start = () =>
      MemcachedServer.start(way === "TCP" ? {} : { path: join(folder, "memcached.sock") });
    const dial = ({ address, port }: MemcachedServer) =>
      Wire.connect(way === "TCP" ? { host: "127.0.0.1", port } : { path: address });

    it("takes another restart, or a call to listen after one to refuse", async () => {
      await using server = await start();
      await Promise.all([server.restart(), server.restart()]);
      server.refuse();
      const listening = server.listen();
      await Promise.resolve();
      server.refuse();
      await Promise.all([listening, server.listen()]);
      const wire = dial(server);
      expect(await wire.ask("version\r\n")).toBe("VERSION 1.6.45\r\n");
      wire.close();
    });

    it("refuses when it is told to, and closes", async () => {
      const server = await start();
      server.refuse();
      const listening = server.listen();
      server.refuse();
      await listening;
      expect(await dial(server).ended).toBe("reset");
      const again = server.listen();
      server.refuse();
      await Promise.all([again, server.close()]);
    });
  });

  it("rejects if the port is taken", async () => {
    await using server = await MemcachedServer.start();
    await expect(MemcachedServer.start({ port: server.port })).rejects.toThrow(
      /EADDRINUSE.*; another process listens there$/,
    );
  });

  it("rejects if the UDP port is taken", async () => {
    await using server = await MemcachedServer.start({ udpPort: 0 });
    const second = MemcachedServer.start({ udpPort: server.udpPort });
    await expect(second).rejects.toBeInstanceOf(MemcachedError);
    await expect(second).rejects.toThrow(/EADDRINUSE.*; another process listens there$/);
  });

  it("closes once, however often it is asked to, and ends its clients", async () => {
    const server = await MemcachedServer.start();
    const wire = Wire.to(server);
    await wire.ask("version\r\n");
    await Promise.all([server.close(), server.close()]);
    await wire.ended;
    expect(server.connections).toBe(0);
    await server.listen();
    expect(await Wire.to(server).ended).toBe("reset");
  });
});

describe("connections", () => {
  it("are refused with a word beyond the limit", async () => {
    await using server = await MemcachedServer.start({ maxConnections: 1 });
    const first = Wire.to(server);
    await first.ask("version\r\n");
    expect(await Wire.to(server).rest()).toBe("ERROR Too many open connections\r\n");
    expect(await first.ask("stats\r\n")).toContain("STAT rejected_connections 1\r\n");
    first.close();
  });

  it("leave nothing open beyond the limit, whatever they say", async () => {
    await using server = await MemcachedServer.start({ maxConnections: 1 });
    const first = Wire.to(server);
    await first.ask("version\r\n");
    const sockets = () =>
      process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    const before = sockets();
    for (let i = 0; i < 10; i++) await Wire.to(server).send("version\r\n").rest();
    await until(() => sockets() <= before); // fewer, where others were still being closed
    first.close();
  });

  it("are closed when they are idle for too long", async () => {
    await using server = await MemcachedServer.start({ idleTimeout: 1 });
    const wire = Wire.to(server);
    expect(await wire.ended).toBe("close");
  });

  it("get the whole answer although they said no more would come", async () => {
    await using server = await MemcachedServer.start();
    const wire = Wire.connect({ host: "127.0.0.1", port: server.port, allowHalfOpen: true });
    wire.socket.end("version\r\n");
    expect(await wire.rest()).toBe("VERSION 1.6.45\r\n");
  });

  it("store nothing of half a value", async () => {
    await using server = await MemcachedServer.start();
    const half = Wire.to(server).send("set a 0 0 3\r\nabc\r\nset a 0 0 10\r\nhalf");
    await half.until("STORED\r\n");
    half.close();
    const wire = Wire.to(server);
    expect(await wire.ask("get a\r\n")).toBe("VALUE a 0 3\r\nabc\r\nEND\r\n");
    wire.close();
  });

  it("read answers slowly without loss", async () => {
    await using server = await MemcachedServer.start();
    const wire = Wire.to(server);
    const value = "v".repeat(500_000);
    await wire.ask(`set a 0 0 ${value.length}\r\n${value}\r\n`);
    wire.socket.pause();
    wire.send("get a\r\n".repeat(40));
    await new Promise((resolve) => setTimeout(resolve, 50));
    wire.socket.resume();
    const block = `VALUE a 0 ${value.length}\r\n${value}\r\nEND\r\n`;
    expect((await wire.bytes(block.length * 40)) === block.repeat(40)).toBe(true);
    wire.close();
  });
});

describe("TLS", () => {
  let authority: Authority;
  let certificate: Certificate;
  beforeAll(() => {
    authority = new Authority("authority of the embedded server");
    certificate = authority.issue("embedded", ["IP:127.0.0.1"]);
  });
  afterAll(() => authority[Symbol.dispose]());

  const connect = (port: number, ca: string) =>
    new Wire(connectTls({ host: "127.0.0.1", port, ca }));

  it("speaks to those who trust its certificate", async () => {
    await using server = await MemcachedServer.start({ tls: certificate });
    const wire = connect(server.port, authority.cert);
    expect(await wire.ask("version\r\nstats settings\r\n")).toContain("STAT ssl_enabled yes\r\n");
    wire.close();
  });

  it("shows another certificate to later connections", async () => {
    await using server = await MemcachedServer.start({ tls: certificate });
    const early = connect(server.port, authority.cert);
    await early.ask("version\r\n");
    using other = new Authority("another authority");
    server.secure(other.issue("embedded", ["IP:127.0.0.1"]));
    expect(await connect(server.port, authority.cert).ended).toBe("reset");
    const late = connect(server.port, other.cert);
    expect(await late.ask("version\r\n")).toBe("VERSION 1.6.45\r\n");
    expect(await early.ask("version\r\n")).toBe("VERSION 1.6.45\r\n");
    early.close();
    late.close();
  });

  it("closes on those who speak in clear", async () => {
    await using server = await MemcachedServer.start({ tls: certificate });
    expect(await Wire.to(server).send("version\r\n").rest()).not.toContain("VERSION");
  });
});

describeAgainst(`UDP, against memcached ${VERSION}`, () => {
  let real: Memcached;
  let embedded: MemcachedServer;
  beforeAll(async () => {
    real = await startMemcached({ args: ["-U", "-1"] });
    embedded = await MemcachedServer.start({ compat: COMPAT, udpPort: 0 });
  });
  afterAll(async () => {
    await real[Symbol.asyncDispose]();
    await embedded.close();
  });

  async function datagrams(port: number, request: string, count: number): Promise<string[]> {
    const socket = createSocket("udp4");
    const header = Buffer.from([0x12, 0x34, 0, 0, 0, 1, 0, 0]);
    const got: string[] = [];
    socket.send(Buffer.concat([header, Buffer.from(request, "latin1")]), port, "127.0.0.1");
    while (got.length < count) {
      const [message] = await once(socket, "message");
      got.push(message.toString("latin1"));
    }
    socket.close();
    return got;
  }

  it("waits for a stopped process, and answers when it goes on", async () => {
    embedded.pause();
    const answer = datagrams(embedded.udpPort, "version\r\n", 1);
    const first = await Promise.race([answer, delay(50)]);
    embedded.resume();
    expect(first).toBeUndefined();
    expect((await answer)[0]).toContain("VERSION");
  });

  it("keeps no watcher, who would have nobody to tell", async () => {
    await datagrams(embedded.udpPort, "watch\r\n", 1);
    const [stats] = await datagrams(embedded.udpPort, "stats\r\n", 2).then((both) => [
      both.join(""),
    ]);
    expect(stats).toContain("STAT log_watchers 0\r\n");
  });

  it("counts all datagrams of a reply, and sends none that it cannot count", async () => {
    const wire = Wire.to(embedded);
    const data = "v".repeat(1_000_000);
    await wire.ask(`set l 0 0 ${data.length}\r\n${data}\r\n`);
    wire.close();
    const [first] = await datagrams(embedded.udpPort, "get l\r\nget l\r\n", 1);
    const bytes = 2 * `VALUE l 0 ${data.length}\r\n${data}\r\nEND\r\n`.length;
    expect(Buffer.from(first!, "latin1").readUInt16BE(4)).toBe(Math.ceil(bytes / 1392));
    const socket = createSocket("udp4");
    const header = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0]);
    const request = Buffer.from(`get${" l".repeat(100)}\r\n`);
    socket.send(Buffer.concat([header, request]), embedded.udpPort, "127.0.0.1");
    expect(await datagrams(embedded.udpPort, "version\r\n", 1)).toHaveLength(1);
    socket.close();
  });

  it("answers as memcached does, in as many datagrams", async () => {
    const value = "v".repeat(3000);
    const requests: [string, number][] = [
      ["version\r\n", 1],
      [`set u 0 0 ${value.length}\r\n${value}\r\n`, 1],
      ["get u\r\n", 3],
      ["mg u s v\r\n", 3],
      ["mg none\r\n", 1],
    ];
    for (const [request, count] of requests) {
      expect(await datagrams(embedded.udpPort, request, count)).toEqual(
        await datagrams(real.udpPort, request, count),
      );
    }
  });
});
