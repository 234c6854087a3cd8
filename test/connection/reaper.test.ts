import { expect, test } from "vitest";
import { Counters } from "../../src/connection/counters.js";
import { Reaper } from "../../src/connection/reaper.js";
import { Operation } from "../../src/operation.js";
import { VERSION_REQUEST } from "../../src/protocol/request.js";

const DEADLINE = 10_000;

/** What the deadline says of the server, where the request was written at that moment, or never. */
function blameOf(writtenAt: number | undefined): boolean {
  const command = { name: "version", idempotent: true, read: () => true };
  const codec = { decode: () => undefined };
  const errors: unknown[] = [];
  const operation = new Operation(
    command,
    VERSION_REQUEST,
    "",
    codec,
    DEADLINE,
    () => {},
    (error) => errors.push(error),
  );
  if (writtenAt !== undefined) operation.written(writtenAt);
  const reaper = new Reaper("server", new Counters(), () => {});
  const failure = reaper.expire(operation, DEADLINE + 10, 0, () => "it is late");
  expect(errors).toMatchObject([{ name: "TimeoutError" }]);
  return failure !== undefined;
}

test("a deadline is no server's fault where the request was written when it had passed", () => {
  expect(blameOf(DEADLINE + 3)).toBe(false);
  expect(blameOf(DEADLINE)).toBe(false);
  expect(blameOf(DEADLINE - 2)).toBe(true);
  expect(blameOf(undefined)).toBe(true);
});
