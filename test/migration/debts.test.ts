import { describe, expect, test } from "vitest";
import { Debts } from "../../src/migration/debts.js";
import { until } from "../support/until.js";

describe("what a cluster could not be told", () => {
  const debt = (key: string) => ({ key, place: {} });

  test("it is told until it has heard", async () => {
    const told: unknown[] = [];
    const debts = new Debts(async ({ key }) => {
      told.push(key);
      if (key === "b" && told.length < 4) throw new Error("not yet");
    });
    for (const key of ["a", "b", "c"]) debts.add(key, debt(key));
    debts.settle("c");
    expect([debts.size, debts.has("b"), debts.has("c")]).toEqual([2, true, false]);
    await until(() => debts.size === 0);
    expect(told).toEqual(["a", "b", "b", "b"]);
  });

  test("one that comes anew while it is being told is told again", async () => {
    const debts = new Debts(async () => {
      if (told++ === 0) debts.add("a", debt("a"));
    });
    let told = 0;
    debts.add("a", debt("a"));
    await until(() => debts.size === 0);
    expect(told).toBe(2);
  });

  test("many are told a hundred at a time, and the rest later where none of them is heard", async () => {
    let tried = 0;
    let isHeard = false;
    const debts = new Debts(async () => {
      tried++;
      if (!isHeard) throw new Error("not yet");
    });
    for (let i = 0; i < 250; i++) debts.add(`${i}`, debt(`${i}`));
    await until(() => tried > 0);
    isHeard = true;
    await until(() => debts.size === 0);
    expect(tried).toBe(100 + 250);
  });

  test("beyond what can be kept every key is suspect", () => {
    const debts = new Debts(() => Promise.reject(new Error("never")));
    for (let i = 0; i < 10_000; i++) debts.add(`${i}`, debt(`${i}`));
    debts.add("0", debt("0"));
    expect([debts.size, debts.overflowed, debts.has("x")]).toEqual([10_000, false, false]);
    debts.add("x", debt("x"));
    expect([debts.size, debts.overflowed, debts.has("y")]).toEqual([10_000, true, true]);
    debts.stop();
  });
});
