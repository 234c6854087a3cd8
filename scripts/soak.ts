import { parseArgs } from "node:util";
import { soak } from "../test/support/soak.js";
import { explained, positive } from "./explained.mjs";

const USAGE = `npm run soak -- [options]: the client under faults

  --minutes N       for so long (default 5)
  --operations N    or until so many are settled
  --seed N          repeats a run's dice
`;

const { minutes, operations, seed } = explained(USAGE, () => {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "5" },
      operations: { type: "string", default: "Infinity" },
      seed: { type: "string", default: String(1 + (Date.now() % 1_000_000)) },
    },
  });
  return {
    minutes: positive("minutes", values.minutes),
    operations: positive("operations", values.operations),
    seed: positive("seed", values.seed),
  };
});
console.log(`soak: ${minutes} minutes, --seed ${seed}`);
const figures = await soak({
  ms: minutes * 60_000,
  maxOperations: operations,
  seed,
  log({ seconds, operations, hits, faults, upsets }) {
    console.log(
      `${seconds} s: ${operations} operations, ${hits} hits, ${faults} faults, ${upsets} upsets`,
    );
  },
});
console.log(figures);

const { wrongValues, untypedErrors, neverSettled, settledTwice, heapEarly, heapLate } = figures;
const grown = heapLate > heapEarly * 1.5 + 16;
if (grown) console.log(`The heap grew from ${heapEarly} to ${heapLate} MiB`);
const wrong = wrongValues + untypedErrors + neverSettled + settledTwice;
process.exitCode = wrong > 0 || grown ? 1 : 0;
