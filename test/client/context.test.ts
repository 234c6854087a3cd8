import { AsyncLocalStorage } from "node:async_hooks";
import { MemcachedServer } from "tslibmc/testing";
import { expect, test } from "vitest";
import { clientOf } from "../support/use.js";

test("each call has its caller's asynchronous context, and a deserializer the connection's", async () => {
  await using server = await MemcachedServer.start();
  const context = new AsyncLocalStorage<string>();
  const seen: Record<string, unknown[]> = { serialize: [], deserialize: [] };
  const client = clientOf(server.address, {
    serializer: {
      serialize(value) {
        seen["serialize"]!.push(context.getStore());
        return { data: String(value), flags: 0 };
      },
      deserialize(data) {
        seen["deserialize"]!.push(context.getStore());
        return Buffer.from(data).toString();
      },
    },
  });
  await context.run("first", () => client.version());
  const calls = ["a", "b"].map((name) =>
    context.run(name, async () => {
      await client.set(name, name);
      await Promise.all([client.get(name), client.getMulti([name])]);
      const failed = await client.incr(name).then(
        () => undefined,
        () => context.getStore(),
      );
      return [failed, context.getStore()];
    }),
  );
  expect(await Promise.all(calls)).toEqual([
    ["a", "a"],
    ["b", "b"],
  ]);
  expect(seen).toEqual({ serialize: ["a", "b"], deserialize: Array(4).fill("first") });
});
