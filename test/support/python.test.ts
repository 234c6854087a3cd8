import { afterAll, beforeAll, expect, test } from "vitest";
import { type Memcached, startMemcached } from "./memcached.js";
import { runPython } from "./python.js";

let server: Memcached;
beforeAll(async () => {
  server = await startMemcached();
});
afterAll(() => server[Symbol.asyncDispose]());

test("what pylibmc stores, pylibmc reads", async () => {
  const output = await runPython(
    `
      import pylibmc
      client = pylibmc.Client([input["server"]])
      client.set("greeting", input["value"])
      output = client.get("greeting")
    `,
    { server: server.address, value: "grüß dich" },
  );
  expect(output).toBe("grüß dich");
});

test("bytes stay bytes both ways", async () => {
  const bytes = Buffer.from([0, 13, 10, 255]);
  const output = await runPython<{ kinds: string[]; back: Buffer; set: string[] }>(
    `
      output = {
          "kinds": [type(value).__name__ for value in input],
          "back": input[0] + input[1],
          "set": {"b", "a"},
      }
    `,
    [bytes, new Uint8Array([7]), "text"],
  );
  expect(output.kinds).toEqual(["bytes", "bytes", "str"]);
  expect(output.back).toEqual(Buffer.from([0, 13, 10, 255, 7]));
  expect(output.set).toEqual(["a", "b"]);
});

test("an exception comes with its traceback", async () => {
  await expect(runPython("raise KeyError('nothing there')")).rejects.toThrow(
    /Traceback[\s\S]*KeyError: 'nothing there'/,
  );
});
