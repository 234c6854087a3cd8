import { connect, type Socket } from "node:net";
import { MemcachedServer, type MemcachedServerOptions } from "tslibmc/testing";
import { afterEach, describe, expect, it } from "vitest";

const started: MemcachedServer[] = [];

async function start(options?: MemcachedServerOptions): Promise<MemcachedServer> {
  const server = await MemcachedServer.start(options);
  started.push(server);
  return server;
}

afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
});

/** Sends bytes, and resolves to what has come back once `mn` or the end has. */
async function talk(server: MemcachedServer, request: string): Promise<string> {
  const socket: Socket = connect({ host: "127.0.0.1", port: server.port });
  let reply = "";
  socket.setEncoding("latin1");
  socket.on("data", (text) => {
    reply += text;
  });
  socket.write(`${request}quit\r\n`, "latin1");
  await new Promise((resolve) => socket.once("close", resolve));
  return reply;
}

describe("classic text commands", () => {
  it("stores, reads, changes and deletes", async () => {
    const server = await start();
    const reply = await talk(
      server,
      "set a 5 0 3\r\nabc\r\nget a b\r\ngets a\r\nappend a 0 0 1\r\nd\r\nget a\r\n" +
        "add a 0 0 1\r\nx\r\nreplace b 0 0 1\r\nx\r\ncas a 0 0 1 1\r\nx\r\n" +
        "set n 0 0 2\r\n10\r\nincr n 5\r\ndecr n 100\r\nget n\r\n" +
        "touch a 10\r\ndelete a\r\ndelete a\r\nset q 0 0 1 noreply\r\nx\r\ngat 10 q\r\n",
    );
    expect(reply).toBe(
      "STORED\r\nVALUE a 5 3\r\nabc\r\nEND\r\nVALUE a 5 3 2\r\nabc\r\nEND\r\nSTORED\r\n" +
        "VALUE a 5 4\r\nabcd\r\nEND\r\nNOT_STORED\r\nNOT_STORED\r\nEXISTS\r\n" +
        "STORED\r\n15\r\n0\r\nVALUE n 0 2\r\n0 \r\nEND\r\n" +
        "TOUCHED\r\nDELETED\r\nNOT_FOUND\r\nVALUE q 0 1\r\nx\r\nEND\r\n",
    );
  });
});
