import { setImmediate as turn } from "node:timers/promises";
import { NotSupportedError, OptionError, PartialError, ServerErrorReply } from "tslibmc";
import { describe, expect, test } from "vitest";
import { outcome } from "../support/outcome.js";
import { ScriptedServer } from "../support/scripted.js";
import { clientOf, use } from "../support/use.js";

const HIT = "VALUE k 16 1\r\n1\r\nEND\r\n";

/** Two lines of gets that are both under way when the first is answered, as memcached's proxy would. */
async function twoLines(answer: string, options = {}) {
  const server = use(
    await ScriptedServer.start((connection) => {
      let waiting = "";
      connection.onLine((line) => {
        if (line === "get a b") waiting = answer;
        else connection.send(waiting + (line === "get k" ? HIT : "END\r\n"));
      });
    }),
  );
  const client = clientOf(server.address, { timeoutMs: 5_000, ...options });
  expect(await client.get("first")).toBeUndefined();
  const lost = [client.get("a"), client.get("b")].map(outcome);
  await turn();
  const found = outcome(client.get("k"));
  return { lost: await Promise.all(lost), found: await found, server };
}

describe("an error within the reply to a line of gets", () => {
  const answer = "SERVER_ERROR backend failure\r\nEND\r\n";

  test("makes no miss of the next line, where nobody told of a proxy", async () => {
    const { lost, found, server } = await twoLines(answer);
    for (const error of lost) expect(error).toBeInstanceOf(ServerErrorReply);
    expect(found).toBe("1");
    expect(server.connections.length).toBe(2);
  });

  test("is read to its end, where memcached's proxy is told of", async () => {
    const { lost, found, server } = await twoLines(answer, { proxy: "memcached" });
    for (const error of lost) expect(error).toBeInstanceOf(ServerErrorReply);
    expect(found).toBe("1");
    expect(server.connections.length).toBe(1);
  });

  test.each(["twemproxy", "mcrouter"])("is the last of it behind %s", async (proxy) => {
    const { lost, found, server } = await twoLines("SERVER_ERROR timeout\r\n", { proxy });
    for (const error of lost) expect(error).toBeInstanceOf(ServerErrorReply);
    expect(found).toBe("1");
    expect(server.connections.length).toBe(1);
  });
});

test("an item before such an error is no hit of the next request", async () => {
  const answers = ["VALUE a 16 1\r\n1\r\nSERVER_ERROR backend failure\r\nEND\r\n", "END\r\n"];
  const server = use(
    await ScriptedServer.start((connection) =>
      connection.onLine(() => connection.send(answers.shift()!)),
    ),
  );
  const client = clientOf(server.address, { proxy: "memcached" });
  await expect(client.getMulti(["a", "b"])).rejects.toThrow("backend failure");
  expect(await client.getMulti(["c", "d"])).toEqual(new Map());
  expect(client.stats().get(server.address)).toMatchObject({ hits: 1, misses: 2 });
});

test("mcrouter is sent only what it knows", async () => {
  const server = use(await ScriptedServer.start());
  const client = clientOf(server.address, { proxy: "mcrouter" });
  const calls = [
    client.has("k"),
    client.getAndTouch("k", 1),
    client.metaGet("k"),
    client.getStats(),
  ];
  for (const call of [...calls, client.flushAll(), client.verbosity(1)]) {
    const error = await outcome(call);
    const cause = error instanceof PartialError ? error.cause : error;
    expect(cause).toBeInstanceOf(NotSupportedError);
    expect(cause).toMatchObject({ sent: false, message: expect.stringContaining("mcrouter") });
  }
  expect(server.received).toBe("");
});

test.each(["twemproxy", "mcrouter", "memcached"] as const)(
  "%s is not asked for a version ahead of a touch, at which an old twemproxy hangs up",
  async (proxy) => {
    const server = use(
      await ScriptedServer.start((connection) =>
        connection.onLine((line) => connection.send(line === "version" ? "" : "TOUCHED\r\n")),
      ),
    );
    expect(await clientOf(server.address, { proxy }).touch("k", 1)).toBe(true);
    expect(server.received).toBe("touch k 1\r\n");
  },
);

test.each(["twemproxy", "mcrouter", "memcached"] as const)(
  "%s goes neither with the binary protocol nor with rejoin",
  (proxy) => {
    expect(() => clientOf("localhost", { proxy, binary: true })).toThrow(OptionError);
    expect(() => clientOf("localhost", { proxy, rejoin: "flush" })).toThrow(/rejoin/);
  },
);
