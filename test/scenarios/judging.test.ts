import { expect, test } from "vitest";
import type { Figures } from "../support/scenario/figures.js";
import { History } from "../support/scenario/history.js";
import { POLICIES } from "../support/scenario/policy.js";
import { killed, stopped } from "../support/scenario/processes.js";
import { broken } from "../support/scenario/promises.js";

test("a read may see what was acknowledged before it, and what was begun since", () => {
  const history = new History();
  const values: string[] = [];
  const write = (key: string) => {
    const writing = history.write(key)!;
    values.push(writing.value);
    return writing;
  };
  write("k").stored();
  const early = history.read("k");
  write("k").unknown();
  const third = write("k");
  expect(history.write("k")).toBeUndefined();
  expect(values.map((value) => history.judge(early, value))).toEqual(["right", "right", "right"]);
  third.stored();
  const late = history.read("k");
  expect(values.map((value) => history.judge(late, value))).toEqual(["stale", "stale", "right"]);
});

test("another key's value, a cut one and one that nobody wrote are wrong", () => {
  const history = new History();
  const { value } = history.write("k")!;
  history.write("other");
  const [reading, other] = [history.read("k"), history.read("other")];
  expect(history.judge(reading, value)).toBe("right");
  expect(history.judge(other, value)).toBe("wrong");
  expect(history.judge(reading, value.slice(0, -1))).toBe("wrong");
  expect(history.judge(reading, value.replace("|1|", "|2|"))).toBe("wrong");
  expect(history.judge(reading, 1)).toBe("wrong");
});

const [none, rehash, replicas] = ["none", "rehash", "replicas"].map((wanted) =>
  POLICIES.find(({ name }) => name === wanted),
);

/** What a client that did all it should has to show. */
const FINE: Figures = {
  calls: 100,
  errors: 0,
  errorNames: {},
  errorsElsewhere: 0,
  errorsOnceDead: 0,
  masked: 0,
  hits: 100,
  misses: 0,
  gapMs: 10,
  flowsMs: 10,
  homeMs: 10,
  deaths: 1,
  moved: 0,
  keys: 20,
  movedElsewhere: 0,
  wrong: 0,
  untyped: 0,
  neverSettled: 0,
  stale: 0,
  staleUnexplained: 0,
};

test("a promise that was not kept is named", () => {
  expect(broken(killed, none!, { ...FINE, errors: 10 })).toEqual([]);
  expect(broken(killed, rehash!, { ...FINE, moved: 20 })).toEqual([]);
  expect(broken(killed, replicas!, FINE)).toEqual([]);
  expect(broken(stopped, rehash!, { ...FINE, moved: 20, errors: 1, stale: 1 })).toEqual([]);

  expect(broken(killed, replicas!, { ...FINE, errors: 1 })).toEqual(["no call fails"]);
  expect(broken(killed, rehash!, { ...FINE, moved: 20, stale: 1 })).toEqual(["no value is old"]);
  expect(broken(killed, rehash!, FINE)).toEqual(["keys of a dead server move"]);
  expect(broken(killed, none!, { ...FINE, wrong: 1, neverSettled: 1, flowsMs: undefined })).toEqual(
    ["every value is the key's own", "every call is settled", "traffic flows again"],
  );
});
