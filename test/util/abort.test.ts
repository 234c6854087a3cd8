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
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
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

test("an aborted signal fails at once, without a listener", () => {
  const { controller, signal, listeners } = countedSignal();
  controller.abort("mine");
  let failed: unknown;
  follow(signal, { fail: (reason) => (failed = reason) });
  expect(failed).toBe("mine");
  expect(listeners()).toBe(0);
});
