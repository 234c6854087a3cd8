import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { StandIn } from "../../bench/client/server.js";
import { startMemcached } from "../support/memcached.js";

const BATCHES = [
  "set a 16 0 5\r\nhello\r\nset b 2 0 1\r\n7\r\n",
  "get a\r\n",
  "get a none b\r\nget b a\r\n",
  "set a 16 0 3\r\nnew\r\nget none\r\nget b a\r\n",
  "get a\r\n",
];

test("the stand-in for a socket answers as memcached does, in pieces as small as its reader's room", async () => {
  await using memcached = await startMemcached();
  const buffer = Buffer.alloc(7);
  let received = "";
  const callback = (length: number, bytes: Uint8Array) => {
    received += Buffer.from(bytes.subarray(0, length)).toString("latin1");
    return true;
  };
  const standIn = new StandIn({ buffer, callback });
  for (const batch of BATCHES) {
    standIn.write(batch);
    await setImmediate();
  }
  const socket = connect(memcached.port, "127.0.0.1");
  socket.end(`${BATCHES.join("")}quit\r\n`);
  expect(received).toBe(await text(socket));
});
