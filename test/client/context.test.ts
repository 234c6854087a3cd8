import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
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

test("a store that is bound to the start of a call's trace is there while its request is made", async () => {
  await using server = await MemcachedServer.start();
  const spans = new AsyncLocalStorage<string>();
  const commands = tracingChannel("tslibmc:command");
  const batches = tracingChannel("tslibmc:batch");
  const connects = tracingChannel("tslibmc:connect");
  const bound: string[] = [];
  const span = (trace: unknown) => {
    bound.push((trace as { command: string }).command);
    return bound.at(-1)!;
  };
  const connecting: (string | undefined)[] = [];
  const onConnect = () => void connecting.push(spans.getStore());
  commands.start.bindStore(spans, span);
  batches.start.bindStore(spans, span);
  connects.start.subscribe(onConnect);
  try {
    const client = clientOf(server.address);
    await spans.run("caller", async () => {
      await client.set("k", "v");
      expect(spans.getStore()).toBe("caller");
    });
    await client.getMulti(["k", "j"]);
  } finally {
    commands.start.unbindStore(spans);
    batches.start.unbindStore(spans);
    connects.start.unsubscribe(onConnect);
  }
  expect(bound).toEqual(["set", "getMulti"]);
  expect(connecting).toEqual(["set"]);
});
