import { expect, test } from "vitest";
import { Window } from "../../src/connection/window.js";

test("a window is full until places are given back", () => {
  const window = new Window(2, 100);
  const [first] = [window.take(), window.take()];
  expect(window.isFull).toBe(true);
  window.giveBack(first!);
  expect(window.isFull).toBe(false);
});

test("what was lost gives up its place in the second round, and its late reply counts no more", () => {
  const window = new Window(2, 100);
  window.turn(1000);
  const lost = [window.take(), window.take()];
  window.turn(1099);
  window.turn(1100);
  expect(window.isFull).toBe(true);
  window.turn(1200);
  expect(window.isFull).toBe(false);
  window.take();
  for (const place of lost) window.giveBack(place);
  expect(window.isFull).toBe(false);
  window.take();
  expect(window.isFull).toBe(true);
});

test("a reply of the round before gives its place back", () => {
  const window = new Window(1, 100);
  window.turn(1000);
  const place = window.take();
  window.turn(1100);
  window.giveBack(place);
  expect(window.isFull).toBe(false);
});

test("a window that is cleared has room for all, whatever was lost in the round before", () => {
  const window = new Window(2, 100);
  window.turn(1000);
  window.take();
  window.turn(1100);
  window.take();
  expect(window.isFull).toBe(true);
  window.clear();
  window.take();
  expect(window.isFull).toBe(false);
});

test("a window that is cleared knows nothing of places from before", () => {
  const window = new Window(1, 100);
  const before = window.take();
  window.clear();
  expect(window.isFull).toBe(false);
  window.take();
  window.giveBack(before);
  expect(window.isFull).toBe(true);
});
