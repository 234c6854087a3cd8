/** What single steps cost in this process, without a server. */
import { explained } from "../../scripts/explained.mjs";
import { rows, shortly } from "../report/table.js";
import { spread } from "../rig/statistics.js";
import { hash } from "./hash.js";
import { key } from "./key.js";
import { ring } from "./ring.js";
import type { Step } from "./step.js";
import { text } from "./text.js";
import { value } from "./value.js";

type Steps = readonly Step[] | Promise<readonly Step[]>;

const GROUPS: Readonly<Record<string, () => Steps>> = { key, hash, ring, value, text };

const ROUNDS = 15;
const WINDOW_MS = 10;

/** What a step returned last, so that none can be left out as useless. */
export let last: unknown;

const USAGE = `npm run bench:micro -- [groups]

Groups: ${Object.keys(GROUPS).join(" ")} (default: all)
`;

const wanted = explained(USAGE, () => {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !Object.hasOwn(GROUPS, name));
  if (unknown !== undefined) throw new TypeError(`Nothing is named ${unknown}`);
  return names;
});
for (const group of wanted.length === 0 ? Object.keys(GROUPS) : wanted) await measure(group);

/** Prints a table; the steps' rounds alternate, so that noise falls on all alike. */
async function measure(group: string): Promise<void> {
  const steps = (await GROUPS[group]?.()) ?? [];
  const series = steps.map((step) => ({
    ...{ step, count: calibrate(step), figures: [] as number[] },
  }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { step, count, figures } of series)
      figures.push((timeOf(step, count) * 1e6) / count / (step.times ?? 1));
  }
  const body = series.map(({ step, figures }) => {
    const { min, median, max } = spread(figures);
    return [step.name, shortly(min), shortly(median), shortly(max)];
  });
  console.log(`\n${rows([`${group}, ns`, "least", "median", "most"], body)}`);
}

/** How many calls fill the window. */
function calibrate(step: Step): number {
  for (let count = 1; ; count *= 2) {
    const time = timeOf(step, count);
    if (time > WINDOW_MS / 2) return Math.ceil((count * WINDOW_MS) / time);
  }
}

/** Milliseconds for so many calls. */
function timeOf({ run }: Step, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) last = run(i);
  return performance.now() - start;
}
