import { expect, test } from "vitest";
import { settingsOf } from "../../src/client/cluster.js";
import { Call } from "../../src/migration/call.js";
import { busy } from "../support/busy.js";
import { clientOf } from "../support/use.js";

test("a step that comes late has 10 ms, so that its server can answer, and no more than the call had", () => {
  const { dispatcher } = settingsOf(clientOf("127.0.0.1:1"));
  for (const [timeoutMs, least] of [
    [30, 10],
    [5, 5],
  ] as const) {
    const call = new Call("get", { timeoutMs }, 1000);
    const timed = dispatcher.timed({ timeoutMs });
    expect(timed.timeoutMs).toBeLessThanOrEqual(timeoutMs);
    expect(call.firstStep().timeoutMs).toBeLessThanOrEqual(Math.max(timeoutMs / 2, least));
    busy(timeoutMs + 5);
    expect(timed.timeoutMs).toBe(least);
    expect(call.step().timeoutMs).toBe(least);
    expect(call.firstStep().timeoutMs).toBe(least);
    expect(call.step(2).timeoutMs).toBe(2);
  }
});
