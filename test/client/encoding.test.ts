import { setImmediate as turn } from "node:timers/promises";
import { Client, CodecError, type Key, MemcachedError } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

/** A rejection that nobody can catch ends the process. */
describe.each([
  ["whole", false],
  ["in chunks", true],
])("values that are encoded for a while, %s", (_, chunk) => {
  let server: MemcachedServer;
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);

  beforeAll(async () => {
    server = await MemcachedServer.start();
    process.on("unhandledRejection", note);
  });
  afterAll(async () => {
    process.off("unhandledRejection", note);
    await server.close();
  });
  beforeEach(() => {
    unhandled.length = 0;
  });

  const failing = {
    serialize: async (): Promise<never> => {
      await turn();
      throw new Error("cannot");
    },
    deserialize: () => undefined,
  };

  async function errorOf(call: Promise<unknown>): Promise<MemcachedError> {
    const error: unknown = await call.catch((error: unknown) => error);
    for (let i = 0; i < 5; i++) await turn();
    if (!(error instanceof MemcachedError)) throw new Error("the call did not fail as it should");
    return error;
  }

  test("give way to a later value of the same call that was encoded sooner", async () => {
    await using client = new Client(server.address, { chunk });
    const large = "large".repeat(20_000);
    const entries: [Key, string][] = [
      ["same", large],
      ["same", "last"],
      ["spelt-anew", large],
      [Buffer.from("spelt-anew"), "last"],
    ];
    expect(await client.setMulti(entries, { compress: true })).toEqual([]);
    expect(await client.get("same")).toBe("last");
    expect(await client.get("spelt-anew")).toBe("last");
  });

  test("hold their key until the last of them is stored", async () => {
    const encoded: (() => void)[] = [];
    const serializer = {
      serialize: (value: unknown) =>
        new Promise<{ data: string; flags: number }>((resolve) => {
          encoded.push(() => resolve({ data: String(value), flags: 0 }));
        }),
      deserialize: (data: Uint8Array) => data.toString(),
    };
    await using client = new Client<unknown>(server.address, { serializer, chunk });
    const first = client.set("held", "first");
    const second = client.set("held", "second");
    encoded[0]?.();
    expect(await first).toBe(true);
    const read = client.get("held");
    for (let i = 0; i < 5; i++) await turn();
    encoded[1]?.();
    expect(await second).toBe(true);
    expect(await read).toBe("second");
  });

  test("fail with an option that is wrong, while others are compressed", async () => {
    await using client = new Client(server.address, { compress: true, chunk });
    const values = { a: "x".repeat(300_000), b: "y" };
    const error = await errorOf(client.setMulti(values, { flags: -1 }));
    expect(error.code).toMatch(/OPTION|PARTIAL/);
    await client.set("c", values.a); // by then the first one is compressed
    await turn();
    expect(unhandled).toEqual([]);
  });

  test.each<[string, (client: Client) => Promise<unknown>]>([
    ["set", (client) => client.set("a", 1)],
    ["metaSet", (client) => client.metaSet("a", 1)],
  ])("are named by %s, which fails with them alone", async (command, call) => {
    await using client = new Client<unknown>(server.address, { serializer: failing, chunk });
    expect(await errorOf(call(client))).toMatchObject({ command, key: "a" });
    expect(await errorOf(client.set("a", 1, { ttl: 1.5 }))).toBeInstanceOf(CodecError);
    expect(unhandled).toEqual([]);
  });
});
