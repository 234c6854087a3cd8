import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { allFaults } from "../test/support/scenario/faults.js";
import type { Figures } from "../test/support/scenario/figures.js";
import { FLUSHING, POLICIES } from "../test/support/scenario/policy.js";
import { broken } from "../test/support/scenario/promises.js";
import { play } from "../test/support/scenario/scenario.js";
import { explained, positive } from "./explained.mjs";

const USAGE = `npm run scenarios -- [options]: what becomes of a cluster's clients when something
happens to one of its servers, in figures

  --fault killed    only those whose names begin so
  --seconds N       how long a fault lasts (default 10)
  --write           puts the tables into docs/scenarios.md
`;

const faults = await allFaults();
const { chosen, faultMs, isToWrite } = explained(USAGE, () => {
  const { values } = parseArgs({
    options: {
      fault: { type: "string", default: "" },
      seconds: { type: "string", default: "10" },
      write: { type: "boolean", default: false },
    },
  });
  const chosen = faults.filter(({ name }) => name.startsWith(values.fault));
  if (chosen.length === 0) {
    throw new TypeError(
      `No fault begins with ${values.fault}; there are ${faults.map(({ name }) => name).join(", ")}`,
    );
  }
  const faultMs = positive("seconds", values.seconds) * 1_000;
  return { chosen, faultMs, isToWrite: values.write };
});

const PAGE = new URL("../docs/scenarios.md", import.meta.url);
const [BEGIN, END] = ["<!-- figures -->", "<!-- end of figures -->"] as const;

const HEAD = [
  "policy | calls | failed | masked | stale | keys moved | longest gap | flows again | at home again",
  "---|--:|--:|--:|--:|--:|--:|--:|--:",
].map((line) => `| ${line.replaceAll("|", " | ")} |`.replaceAll(/ +/g, " "));

let runs = 0;
let unkept = 0;
const sections: string[] = [];
for (const fault of chosen) {
  const durations = { beforeMs: 1_000, faultMs, afterMs: 2_000, silenceMs: 1_000 };
  const outcome = await play(fault, POLICIES, durations);
  if (fault.shows === "silence") {
    for (const [policy, figures] of await play(fault, [FLUSHING], durations)) {
      outcome.set(policy, figures);
    }
  }
  const rows = [...outcome].map(([policy, figures]) => row(policy.name, figures));
  const section = [`### ${sentence(fault.name)}`, "", ...HEAD, ...rows].join("\n");
  console.log(`${section}\n`);
  sections.push(section);
  runs += outcome.size;
  for (const [policy, figures] of outcome) {
    for (const promise of broken(fault, policy, figures)) {
      unkept++;
      console.error(`${fault.name}, ${policy.name}: not kept: ${promise}`, figures);
    }
  }
}
if (isToWrite) write(sections.join("\n\n"));
console.log(`${runs} runs, ${unkept} promises not kept`);
process.exitCode = unkept > 0 ? 1 : 0;

function row(policy: string, figures: Figures): string {
  const { calls, errors, masked, stale, moved, keys, gapMs, flowsMs, homeMs } = figures;
  const cells = [
    policy,
    number(calls),
    share(errors, calls),
    share(masked, calls),
    number(stale),
    moved === 0 ? "0" : `${moved} of ${keys}`,
    time(gapMs),
    time(flowsMs),
    time(homeMs),
  ];
  return `| ${cells.join(" | ")} |`;
}

function number(count: number): string {
  return count.toLocaleString("en-US");
}

function share(count: number, of: number): string {
  if (count === 0) return "0";
  const percent = (count / of) * 100;
  return `${number(count)} (${percent < 0.1 ? "< 0.1" : percent.toFixed(1)} %)`;
}

function time(ms: number | undefined): string {
  if (ms === undefined) return "–";
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function sentence(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function write(figures: string): void {
  const page = readFileSync(PAGE, "utf8");
  const [above] = page.split(BEGIN);
  const [, below] = page.split(END);
  writeFileSync(PAGE, `${above}${BEGIN}\n\n${figures}\n\n${END}${below}`);
}
