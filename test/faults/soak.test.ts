import { expect, test } from "vitest";
import { soak } from "../support/soak.js";

test("under random faults no value is wrong, and every operation is settled once", async () => {
  const seed = Number(process.env["SOAK_SEED"] ?? Date.now() % 1_000_000);
  const figures = await soak({ ms: 6_000, seed });
  console.log(`soak with SOAK_SEED=${seed}: ${JSON.stringify(figures)}`);
  expect(figures).toMatchObject({
    wrongValues: 0,
    untypedErrors: 0,
    neverSettled: 0,
    settledTwice: 0,
  });
  expect(figures.hits).toBeGreaterThan(100);
  expect(figures.faults).toBeGreaterThan(0);
  expect(figures.upsets).toBeGreaterThan(0);
}, 60_000);
