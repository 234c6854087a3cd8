import { expect, test } from "vitest";
import { type Home, LargeKeys } from "../../src/routing/largekeys.js";

/** Keys of which 3 are kept at least, and what they ask for. */
function keysOfThree() {
  const asked: ((isAtRest: boolean) => void)[] = [];
  const keys = new LargeKeys(3, (done) => asked.push(done));
  const add = (...names: string[]) => {
    for (const name of names) keys.add(name, home());
  };
  const kept = (...names: string[]) => names.filter((name) => keys.get(name) !== undefined);
  return { asked, keys, add, kept };
}

function home(): Home {
  return { lane: { execute: () => {} }, isReady: true, returns: 0, waiting: 0 };
}

test("a key has the home that it was given", () => {
  const { keys } = keysOfThree();
  const a = home();
  expect(keys.get("a")).toBeUndefined();
  keys.add("a", a);
  expect(keys.get("a")).toBe(a);
  expect(keys.size).toBe(1);
});

test("the keys that were not used for longest are forgotten, once they are at rest", () => {
  const { asked, keys, add, kept } = keysOfThree();
  add("a", "b", "c");
  expect(asked).toHaveLength(1);
  asked[0]!(true);
  expect(kept("b")).toEqual(["b"]);
  expect(keys.size).toBe(3);
  add("d", "e");
  expect(keys.size).toBe(3);
  expect(kept("a", "b", "c", "d", "e")).toEqual(["b", "d", "e"]);
});

test("no key is forgotten while something may be under way, which is asked again", () => {
  const { asked, add, kept } = keysOfThree();
  add("a", "b", "c", "d", "e", "f", "g");
  expect(asked).toHaveLength(1);
  expect(kept("a", "b", "g")).toEqual(["a", "b", "g"]);
  asked[0]!(false);
  add("h");
  expect(asked).toHaveLength(2);
  expect(kept("c")).toEqual(["c"]);
  asked[1]!(true);
  add("i");
  expect(asked).toHaveLength(3);
  asked[2]!(true);
  add("j", "k", "l");
  expect(kept("a", "i", "j")).toEqual(["j"]);
});

test("a key that somebody waits for is kept", () => {
  const { asked, keys, add, kept } = keysOfThree();
  keys.add("waiting", { ...home(), waiting: 1 });
  add("b", "c");
  asked[0]!(true);
  add("d", "e");
  expect(kept("b", "c", "waiting")).toEqual(["waiting"]);
});
