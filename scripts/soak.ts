import { parseArgs } from "node:util";
import { soak } from "../test/support/soak.js";

/** `npm run soak -- --minutes 30`: the client under faults for as long as it is told to. */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    operations: { type: "string", default: "Infinity" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

const seed = Number(values.seed);
const minutes = Number(values.minutes);
console.log(`soak: ${minutes} minutes, --seed ${seed}`);
const figures = await soak({
  ms: minutes * 60_000,
  maxOperations: Number(values.operations),
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
