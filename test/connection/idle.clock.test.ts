import { afterEach, expect, test, vi } from "vitest";
import { ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { clientOf, use } from "../support/use.js";

afterEach(() => {
  vi.restoreAllMocks();
});

test("a connection that was idle for long is not taken for one that has fallen silent", async () => {
  let answer = (): void => {};
  const server = use(
    await ScriptedServer.start((connection) =>
      connection.onLine((_, n) => {
        answer = () => connection.send("END\r\n");
        if (n === 1) answer();
      }),
    ),
  );
  const client = clientOf(server.address, { timeoutMs: 60_000, stallTimeoutMs: 30_000 });
  await client.get("first");
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + 3_600_000);
  const later = client.get("later");
  await until(() => server.received.endsWith("get later\r\n"));
  await new Promise((resolve) => setTimeout(resolve, 50)); // it is looked for silence meanwhile
  answer();
  expect(await later).toBeUndefined();
  expect(client.stats().get(server.address)).toMatchObject({ connects: 1, errors: 0 });
});
