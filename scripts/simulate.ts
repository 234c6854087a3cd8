/**
 * `npm run simulate`: what each policy makes of a thousand servers that fail at random, in
 * simulated time. All of the scenario can be given, as in `-- --servers 100 --kinds crash,slow`.
 * Prints a table; the default scenario also renews it in docs/failover.md, with its plot.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { explained } from "./explained.mjs";
import { chart } from "./simulation/chart.js";
import { KINDS, type Kind } from "./simulation/failures.js";
import { type Figures, policiesFor, SCENARIO, simulate } from "./simulation/simulation.js";
import { table } from "./simulation/table.js";

const names = Object.keys(SCENARIO);
const USAGE = `npm run simulate -- [options]: what each policy makes of many servers that fail

${names.map((name) => `  --${name} ${Reflect.get(SCENARIO, name)}`).join("\n")}
`;

const given = explained(USAGE, () => {
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, { type: "string" }] as const)),
  });
  return Object.entries(values).map(([name, text]) => [name, parse(name, String(text))]);
});
const scenario = { ...SCENARIO, ...Object.fromEntries(given) };
console.error(names.map((name) => `--${name} ${Reflect.get(scenario, name)}`).join(" "));

const all: Figures[] = [];
const [none, ...others] = policiesFor(scenario);
const calm = { ...scenario, mtbf: Infinity };
await run({ ...none!, name: "no failures" }, calm);
for (const policy of [none!, ...others]) await run(policy, scenario);
console.log(`\n${table(all)}`);

const wrong = all.some((one) => one.wrong + one.misplaced + one.unsettled > 0);
if (wrong) console.error("\nSome values were wrong, keys misplaced or calls never settled", all);
else if (given.length === 0) publish();
process.exitCode = wrong ? 1 : 0;

/** @throws TypeError for what is no number, or no kind of failure */
function parse(name: string, text: string): number | Kind[] {
  if (name === "kinds") {
    return text.split(",").map((word) => {
      const kind = KINDS.find((one) => one === word);
      if (kind === undefined)
        throw new TypeError(`--kinds takes ${KINDS.join(",")} or some of them`);
      return kind;
    });
  }
  const number = Number(text);
  if (text !== "" && number >= 0) return number;
  throw new TypeError(`--${name} takes a number, not ${JSON.stringify(text)}`);
}

async function run(policy: Parameters<typeof simulate>[0], under: typeof scenario): Promise<void> {
  const began = performance.now();
  const figures = await simulate(policy, under);
  all.push(figures);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const { calls, failures } = figures;
  console.error(`${policy.name}: ${calls} calls, ${failures} failures; took ${seconds} s`);
}

function publish(): void {
  const { servers, mtbf, mttr } = scenario;
  const subtitle = `${servers} servers, each fails every ${mtbf / 60} minutes for ${mttr} seconds: crashed, stopped, slow or cut off`;
  writeFileSync(inDocs("simulation.svg"), chart(all, subtitle));
  const page = readFileSync(inDocs("failover.md"), "utf8");
  const renewed = page.replace(
    /(?<=<!-- simulation -->\n)[\s\S]*(?=<!-- end -->)/,
    () => `${table(all)}\n`,
  );
  writeFileSync(inDocs("failover.md"), renewed);
}

function inDocs(name: string): URL {
  return new URL(`../docs/${name}`, import.meta.url);
}
