import { afterEach, expect, test, vi } from "vitest";
import { Subscription } from "../../src/client/servers/subscription.js";

const HOUR_MS = 3_600_000;

afterEach(() => {
  vi.restoreAllMocks();
});

test("a source that fails once in a while is asked again as soon as after its first failure", async () => {
  const real = performance.now.bind(performance);
  let passedMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => real() + passedMs);
  let failures = 0;
  const lists = new Subscription({
    async *[Symbol.asyncIterator]() {
      if (++failures <= 12) throw new Error("away"); // in a row, that is minutes of pauses
      yield ["a:1"];
    },
  });
  lists.onError = () => {
    passedMs += HOUR_MS;
  };
  expect(await lists.next()).toEqual({ done: false, value: ["a:1"] });
  lists.end();
});
