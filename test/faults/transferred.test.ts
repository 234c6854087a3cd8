import { setTimeout as delay } from "node:timers/promises";
import { ArgumentError } from "tslibmc";
import { expect, test } from "vitest";
import { startMemcached } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { clientOf, use } from "../support/use.js";

/** Takes a value's memory away, as `postMessage(bytes, [bytes.buffer])` does. */
function transfer({ buffer }: Uint8Array): void {
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
}

const MiB = 1024 * 1024;

test.each([false, true])(
  "a value whose memory is taken away while it is sent makes no commands of others, binary: %s",
  async (binary) => {
    const memcached = use(await startMemcached({ args: ["-I", "64m", "-m", "256"] }));
    const options = { maxValueSize: 64 * MiB, timeoutMs: 10_000, binary };
    const client = clientOf(memcached.address, options);
    await client.get("open");
    const value = new Uint8Array(32 * MiB).fill(0x61);
    const storing = errorOf(client.set("large", value));
    await new Promise((resolve) => setImmediate(resolve)); // the first part of it has left
    transfer(value);
    const command = binary ? packetOfSet("pwned", "yes") : "set pwned 0 0 3\r\nyes\r\n";
    const values = Array.from({ length: 40 }, () => Buffer.from(command.repeat(20_000), "latin1"));
    await Promise.all(values.map((each, i) => client.set(`later-${i}`, each).catch(() => {})));
    expect(await storing).toBeInstanceOf(ArgumentError);
    expect(await client.get("pwned")).toBeUndefined();
    expect(await client.get("large")).toBeUndefined();
  },
);

test("nor is an empty value stored in its place, if it had not been sent at all", async () => {
  const memcached = use(await startMemcached());
  const client = clientOf(memcached.address);
  await client.set("k", "before");
  const value = new Uint8Array(100).fill(0x61);
  const storing = errorOf(client.set("k", value));
  transfer(value);
  const error = await storing;
  expect(error).toBeInstanceOf(ArgumentError);
  expect(error).toMatchObject({ command: "set", key: "k", sent: false });
  await delay(10);
  expect(await client.get("k")).toBe("before");
});

/** A whole request of the binary protocol. */
function packetOfSet(key: string, value: string): string {
  const header = Buffer.alloc(32);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(0x11, 1); // quietly
  header.writeUInt16BE(key.length, 2);
  header.writeUInt8(8, 4);
  header.writeUInt32BE(8 + key.length + value.length, 8);
  return header.toString("latin1") + key + value;
}
