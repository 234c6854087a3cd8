import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startMemcached } from "../../test/support/memcached.js";
import type { NodeProgram } from "../rig/node.js";
import { buildOf } from "../subjects.js";
import { type Compiled, type Deopt, readCodeLog, type Tier } from "./codelog.js";
import type { HotFigures, HotTask } from "./hot.js";
import { runProgram } from "./program.js";
import type { Effort, Row, Section } from "./section.js";

/** The function of hot.ts that is first called when all is warm. */
const MARK = "isWarm";

/** The percentage of samples from which on a function counts as hot. */
const HOT = 0.5;

const SAMPLE_MICROS = 200;

const OPTIMISED: readonly Tier[] = ["TurboFan", "Maglev"];

const DEOPTIMISED = ["deopts while warming up", "deopts after", "why"];

/** What a Node has made of the client's functions. */
export interface HotRun {
  readonly node: string;
  readonly functions: readonly Compiled[];
  readonly figures: HotFigures;
}

/** Which functions of the client V8 keeps optimised, and which of them it had to take back. */
export async function deopts(effort: Effort): Promise<Section> {
  await using server = await startMemcached({ args: ["-t", "1", "-m", "64"] });
  const build = buildOf(process.cwd());
  const { hotWarmUps: warmUps, hotRounds: rounds } = effort;
  const task: HotTask = { server: server.address, build, warmUps, rounds };
  const runs: HotRun[] = [];
  for (const node of effort.nodes) {
    effort.say(`deopts: Node ${node.version}`);
    runs.push(await observe(task, node));
  }
  return toSection(runs);
}

async function observe(task: HotTask, node: NodeProgram): Promise<HotRun> {
  const folder = mkdtempSync(join(tmpdir(), "tslibmc-deopts-"));
  try {
    const log = join(folder, "v8.log");
    const options = [
      ...["--prof", `--prof-sampling-interval=${SAMPLE_MICROS}`, "--log-deopt"],
      ...["--no-logfile-per-isolate", `--logfile=${log}`],
    ];
    const figures = await runProgram<HotFigures>("hot.js", task, options, node);
    const home = new URL(".", task.build).href;
    const functions = readCodeLog(readFileSync(log, "utf8"), MARK);
    return {
      ...{ node: node.version, figures },
      functions: functions.filter(({ place }) => place.startsWith(home)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All functions of each Node, and those of the first, the most used first. */
export function toSection(runs: readonly HotRun[]): Section {
  const [first, ...others] = runs as readonly [HotRun, ...HotRun[]];
  const { before, after } = first.figures;
  return {
    title: "Optimised code",
    note: `${inThousands(before)} operations to warm up and ${inThousands(after)} after that, of gets, sets, 90/10 and JSON with 64 and 1024 in flight in turn, and getMultis: what V8's log says of the client's functions, by where they begin in \`dist/esm\`. "Samples" are those in which a function was the innermost JavaScript, with what was inlined into it; functions with fewer than ${HOT} % of them are listed only if they were deoptimised after warming up. Optimised is what TurboFan and Maglev have made.`,
    columns: ["samples, %", "of these optimised, %", "by", ...DEOPTIMISED],
    rows: [
      rowOf("all of them", first, first.functions),
      ...others.map((run) => rowOf(`all of them on Node ${run.node}`, run, run.functions)),
      ...rowsOf(first, (one) => shareOf(first, one) >= HOT || isDeoptimisedLate(one)),
      ...others.flatMap((run) => rowsOf(run, isDeoptimisedLate, ` on Node ${run.node}`)),
    ],
  };
}

function rowsOf(run: HotRun, isShown: (one: Compiled) => boolean, where = ""): Row[] {
  return run.functions
    .filter(isShown)
    .toSorted((a, b) => shareOf(run, b) - shareOf(run, a))
    .map((one) => rowOf(`\`${one.name || "=>"}\`, ${shortPlace(one.place)}${where}`, run, [one]));
}

function rowOf(name: string, run: HotRun, some: readonly Compiled[]): Row {
  const samples = tally(some);
  const deopts = some.flatMap((one) => one.deopts);
  const late = deopts.filter(({ isLate }) => isLate);
  return {
    name,
    figures: [
      shareOf(run, ...some),
      optimisedPart(samples),
      inOrder(samples).join(", ") || undefined,
      deopts.length - late.length,
      late.length,
      [...new Set(late.map(inWords))].join("; ") || undefined,
    ],
  };
}

function isDeoptimisedLate({ deopts }: Compiled): boolean {
  return deopts.some(({ isLate }) => isLate);
}

/** The percentage of a Node's samples that fell on these functions. */
function shareOf({ functions }: HotRun, ...some: readonly Compiled[]): number {
  return (100 * sum([...tally(some).values()])) / sum([...tally(functions).values()]);
}

/** The samples of all of these, by how they ran. */
function tally(functions: readonly Compiled[]): Map<Tier, number> {
  const found = new Map<Tier, number>();
  for (const [tier, count] of functions.flatMap(({ samples }) => [...samples]))
    found.set(tier, (found.get(tier) ?? 0) + count);
  return found;
}

function optimisedPart(samples: ReadonlyMap<Tier, number>): number | undefined {
  const all = sum([...samples.values()]);
  return all === 0 ? undefined : (100 * sum(OPTIMISED.map((tier) => samples.get(tier) ?? 0))) / all;
}

/** How they ran, the most frequent first. */
function inOrder(samples: ReadonlyMap<Tier, number>): Tier[] {
  return [...samples].toSorted((a, b) => b[1] - a[1]).map(([tier]) => tier);
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}

function inWords({ reason, place }: Deopt): string {
  return `${reason} at ${shortPlace(place)}`;
}

/** `client.js:12` of `file:///…/client.js:12:34`. */
function shortPlace(place: string): string {
  return place.replace(pathToFileURL("dist/esm/").href, "").replace(/:\d+$/, "");
}

function inThousands(count: number): string {
  return Math.round(count / 1000) * 1000 === 0
    ? String(count)
    : `${Math.round(count / 1000).toLocaleString("en")},000`;
}
