import * as fc from "fast-check";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exchange, Wire } from "./support/wire.js";

const BINARY =
  "\x80\x01\0\x01\x08\0\0\0\0\0\0\x0c\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0babc" +
  "\x80\x0c\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x08\0\0\0\0\0\0\0\0b";

const STREAMS = [
  "set a 5 0 10\r\nabc\r\nEND\r\n\r\nget a b\r\nms c 2 k\r\n\r\n\r\nmg c v k\r\nbad\r\nincr a 1\nget a\r\n",
  "set a 0 0 3\r\nabcd\r\nset a 0 0 3 noreply\r\nabc\r\nget a\r\ndelete a\r\nmn\r\n",
  BINARY,
];

describe("pieces", () => {
  let server: MemcachedServer;
  beforeAll(async () => {
    server = await MemcachedServer.start();
  });
  afterAll(async () => {
    await server.close();
  });

  it.each(STREAMS)("of %j are understood wherever they are cut", async (stream) => {
    const whole = await exchange(server.port, stream);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        const wire = Wire.connect({ host: "127.0.0.1", port: server.port, allowHalfOpen: true });
        wire.socket.setNoDelay(true);
        let from = 0;
        for (const to of [...at.sort((a, b) => a - b), stream.length]) {
          wire.send(stream.slice(from, to));
          from = to;
          await new Promise((resolve) => setImmediate(resolve));
        }
        wire.socket.end();
        const cas = /\0{6}(?!\0\0)[\s\S]{2}/g;
        expect((await wire.rest()).replace(cas, "")).toBe(whole.replace(cas, ""));
      }),
      { numRuns: 40 },
    );
  });

  it("of one byte each are understood", async () => {
    for (const stream of STREAMS.slice(0, 2)) {
      const whole = await exchange(server.port, stream);
      const wire = Wire.connect({ host: "127.0.0.1", port: server.port, allowHalfOpen: true });
      wire.socket.setNoDelay(true);
      for (const byte of stream) {
        wire.send(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      wire.socket.end();
      expect(await wire.rest()).toBe(whole);
    }
  });

  it("of thousands of requests in one are answered in order", async () => {
    const count = 20_000;
    let request = "";
    let reply = "";
    for (let i = 0; i < count; i++) {
      request += `mg k${i} k O${i}\r\n`;
      reply += `EN kk${i} O${i}\r\n`;
    }
    expect((await exchange(server.port, request)) === reply).toBe(true);
  });

  it("without an end of line are given up after 2 kB, but not those of a get", async () => {
    const long = "k ".repeat(5000);
    expect(await exchange(server.port, `gat 0 ${"x".repeat(3000)}`)).toBe("");
    const wire = Wire.to(server).send(`get ${long}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await wire.send("\r\n").until("END\r\n")).toBe("END\r\n");
    wire.close();
  });
});
