import { expect, test } from "vitest";
import { type SoakFigures, soak } from "../support/soak.js";

test("under random faults no value is wrong, and every operation is settled once", async () => {
  const seed = Number(process.env["SOAK_SEED"] ?? Date.now() % 1_000_000);
  const until = ({ hits, faults, upsets }: SoakFigures) => hits > 100 && faults > 0 && upsets > 0;
  const figures = await soak({ ms: 6_000, until, seed });
  console.log(`soak with SOAK_SEED=${seed}: ${JSON.stringify(figures)}`);
  expect(figures).toMatchObject({
    wrongValues: 0,
    untypedErrors: 0,
    neverSettled: 0,
    settledTwice: 0,
  });
}, 60_000);
