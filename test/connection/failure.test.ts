import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { wordsOf } from "../../src/connection/failure.js";

test.each([
  ["this realm", AggregateError],
  ["another one, as Node's own are in Jest", runInNewContext("AggregateError")],
])("what several addresses failed with is told of an error of %s", (_, Class) => {
  const errors = ["connect ECONNREFUSED ::1:1", "connect ECONNREFUSED 127.0.0.1:1"];
  const cause = new Class(errors.map((message) => new Error(message)));
  expect(wordsOf(cause)).toBe(errors.join("; "));
});
