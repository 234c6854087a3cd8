import { expect, test } from "vitest";
import { follow, unfollow } from "../../src/util/abort.js";

/** A signal that counts its listeners. */
function countedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    if (args[0] === "abort") listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    if (args[0] === "abort") listeners--;
    remove(...args);
  };
  return { controller, signal, listeners: () => listeners };
}

test("any number of followers share a listener, which goes with the last of them", () => {
  const { signal, listeners } = countedSignal();
  const followers = Array.from({ length: 100 }, () => ({ fail: () => {} }));
  for (const follower of followers) follow(signal, follower);
  expect(listeners()).toBe(1);
  for (const follower of followers) {
    unfollow(signal, follower);
    unfollow(signal, follower);
  }
  expect(listeners()).toBe(0);
});

test("all fail with the reason, those too that unfollow meanwhile", () => {
  const { controller, signal, listeners } = countedSignal();
  const failed: unknown[] = [];
  for (let i = 0; i < 5; i++) {
    const follower = {
      fail(reason: unknown) {
        failed.push(reason);
        unfollow(signal, follower);
      },
    };
    follow(signal, follower);
  }
  controller.abort("mine");
  expect(failed).toEqual(new Array(5).fill("mine"));
  expect(listeners()).toBe(0);
});

test("whoever leaves takes nobody along, and whoever comes after the last is followed again", () => {
  const { controller, signal, listeners } = countedSignal();
  const failed: string[] = [];
  const followerOf = (name: string) => ({ fail: () => void failed.push(name) });
  const [left, stays, later] = ["left", "stays", "later"].map(followerOf);
  follow(signal, left!);
  unfollow(signal, left!);
  follow(signal, left!);
  follow(signal, stays!);
  unfollow(signal, left!);
  expect(listeners()).toBe(1);
  follow(signal, later!);
  controller.abort();
  expect(failed).toEqual(["stays", "later"]);
});

test("an aborted signal fails at once, without a listener", () => {
  const { controller, signal, listeners } = countedSignal();
  controller.abort("mine");
  let failed: unknown;
  follow(signal, { fail: (reason) => (failed = reason) });
  expect(failed).toBe("mine");
  expect(listeners()).toBe(0);
});
