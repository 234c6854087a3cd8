import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startMemcached } from "../../test/support/memcached.js";
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

/** Which functions of the client V8 keeps optimised, and which of them it had to take back. */
export async function deopts(effort: Effort): Promise<Section> {
  await using server = await startMemcached({ args: ["-t", "1", "-m", "64"] });
  const folder = mkdtempSync(join(tmpdir(), "tslibmc-deopts-"));
  try {
    const log = join(folder, "v8.log");
    effort.say("deopts");
    const build = buildOf(process.cwd());
    const { hotWarmUps: warmUps, hotRounds: rounds } = effort;
    const task: HotTask = { server: server.address, build, warmUps, rounds };
    const figures = await runProgram<HotFigures>("hot.js", task, [
      ...["--prof", `--prof-sampling-interval=${SAMPLE_MICROS}`, "--log-deopt"],
      ...["--no-logfile-per-isolate", `--logfile=${log}`],
    ]);
    const home = new URL(".", build).href;
    const ours = readCodeLog(readFileSync(log, "utf8"), MARK).filter(({ place }) =>
      place.startsWith(home),
    );
    return toSection(ours, figures);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The functions of the client, the most used first. */
export function toSection(functions: readonly Compiled[], figures: HotFigures): Section {
  const all = sum([...tally(functions).values()]);
  const share = (one: Compiled) => (100 * sum([...one.samples.values()])) / all;
  const shown = functions
    .filter((one) => share(one) >= HOT || one.deopts.some(({ isLate }) => isLate))
    .toSorted((a, b) => share(b) - share(a));
  const rowOf = (name: string, some: readonly Compiled[]): Row => {
    const samples = tally(some);
    const deopts = some.flatMap((one) => one.deopts);
    const late = deopts.filter(({ isLate }) => isLate);
    return {
      name,
      figures: [
        sum(some.map(share)),
        optimisedPart(samples),
        inOrder(samples).join(", ") || undefined,
        deopts.length - late.length,
        late.length,
        [...new Set(late.map(inWords))].join("; ") || undefined,
      ],
    };
  };
  return {
    title: "Optimised code",
    note: `${inThousands(figures.before)} operations to warm up and ${inThousands(figures.after)} after that, of gets, sets, 90/10 and JSON with 64 and 1024 in flight in turn, and getMultis: what V8's log says of the client's functions, by where they begin in \`dist/esm\`. "Samples" are those in which a function was the innermost JavaScript, with what was inlined into it; functions with fewer than ${HOT} % of them are listed only if they were deoptimised after warming up. Optimised is what TurboFan and Maglev have made.`,
    columns: ["samples, %", "of these optimised, %", "by", ...DEOPTIMISED],
    rows: [
      rowOf("all of them", functions),
      ...shown.map((one) => rowOf(`\`${one.name || "=>"}\`, ${shortPlace(one.place)}`, [one])),
    ],
  };
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
