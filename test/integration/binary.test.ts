import { Client, ClientErrorReply, ValueTooLargeError } from "tslibmc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { runPython } from "../support/python.js";

let server: Memcached;
let client: Client;

beforeAll(async () => {
  server = await startMemcached({ args: ["-B", "binary"] });
  client = new Client(server.address, { binary: true });
});
afterAll(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
});

describe("with pylibmc over its own binary protocol", () => {
  test("each reads what the other wrote, by the key that the other gave", async () => {
    const values = { text: "naïve", bytes: Buffer.from([0, 255, 13, 10]), number: -42, list: [1] };
    const keys = ["plain", "two words", "cr\r\nlf", "ключ", "nul\0"];
    for (const key of keys) await client.set(`node ${key}`, values.text);
    await client.set("bytes", values.bytes);
    await client.set("number", values.number);
    const found = await runPython<Record<string, unknown>>(
      `
      import pylibmc
      client = pylibmc.Client([input["server"]], binary=True)
      output = {key: client.get("node " + key) for key in input["keys"]}
      output["bytes"] = client.get("bytes")
      output["number"] = client.get("number")
      for key in input["keys"]:
          client.set("python " + key, key)
      client.set("counter", 10)
      client.incr("counter", 5)
      `,
      { server: server.address, keys },
    );
    expect(found).toEqual({
      ...Object.fromEntries(keys.map((key) => [key, values.text])),
      bytes: values.bytes,
      number: values.number,
    });
    for (const key of keys) expect(await client.get(`python ${key}`)).toBe(key);
    const many = await client.getMulti(keys.map((key) => `python ${key}`));
    expect([...many.values()].sort()).toEqual([...keys].sort());
    expect(await client.incr("counter")).toBe(16);
  });
});

describe("keys", () => {
  test("of every byte, up to 250 of them", async () => {
    const key = Uint8Array.from({ length: 250 }, (_, i) => i);
    expect(await client.set(key, "any")).toBe(true);
    expect(await client.getMulti([key])).toEqual(new Map([[key, "any"]]));
    await expect(client.get(new Uint8Array(251))).rejects.toThrow("251 bytes");
    await expect(client.get("")).rejects.toThrow("empty");
  });

  test("with prefixes of every byte", async () => {
    await using prefixed = new Client(server.address, { binary: true, keyPrefix: "a b " });
    await prefixed.set("c d", 1, { keyPrefix: "\n" });
    expect(await client.get("a b \nc d")).toBe(1);
  });
});

describe("what fails", () => {
  test("silently, never shifts a later reply", async () => {
    await client.set("present", 1);
    await client.set("text", "no number");
    const results = await Promise.all([
      client.add("present", 2, { noreply: true }),
      client.replace("absent", 2, { noreply: true }),
      client.incr("text", 1, { noreply: true }),
      client.delete("absent", { noreply: true }),
      client.append("absent", "x", { noreply: true }),
      client.touch("absent", 60, { noreply: true }),
      client.get("present"),
      client.set("large", Buffer.alloc(1024 * 1024), { noreply: true }),
      client.getMulti(["text", "absent", "present"]),
    ]);
    expect(results[6]).toBe(1);
    expect(results[8]).toEqual(
      new Map<string, unknown>([
        ["text", "no number"],
        ["present", 1],
      ]),
    );
  });

  test("is the error that the text protocol has for it", async () => {
    await client.set("text", "no number");
    await expect(client.incr("text")).rejects.toThrow(ClientErrorReply);
    const tooLarge: unknown = await client
      .set("large", Buffer.alloc(1024 * 1024))
      .catch((error) => error);
    expect(tooLarge).toBeInstanceOf(ValueTooLargeError);
    expect(tooLarge).toMatchObject({ sent: true, limit: 1024 * 1024 });
    expect(await client.get("text")).toBe("no number");
  });
});
