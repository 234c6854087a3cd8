import { startMemcached } from "../../test/support/memcached.js";
import { type Spread, spread } from "../rig/statistics.js";
import { buildOf } from "../subjects.js";
import type { CrowdFigures, CrowdTask } from "./crowd.js";
import { runProgram } from "./program.js";
import type { Effort, Section } from "./section.js";

const COUNTS = [1, 4, 16];

/** What an operation costs when a process has several threads with a client each. */
export async function threads(effort: Effort): Promise<Section> {
  await using server = await startMemcached({ args: ["-t", "2", "-m", "64"] });
  const found = new Map<number, CrowdFigures[]>(COUNTS.map((count) => [count, []]));
  for (let round = 0; round < effort.longRounds; round++) {
    for (const [count, figures] of found) {
      effort.say(`threads: round ${round + 1} of ${effort.longRounds}, ${count}`);
      const task: CrowdTask = {
        ...{ threads: count, server: server.address, build: buildOf(process.cwd()) },
        ...{ inFlight: 64, windowMs: effort.windowMs * 5 },
      };
      figures.push(await runProgram<CrowdFigures>("crowd.js", task));
    }
  }
  const of = (count: number, figure: (figures: CrowdFigures) => number): Spread =>
    spread(found.get(count)!.map(figure));
  return {
    title: "More threads",
    note: "Gets of 100 bytes, 64 in flight in each worker thread, of one process against `memcached -t 2`.",
    columns: ["CPU µs/get", "gets/s of all"],
    rows: COUNTS.map((count) => ({
      name: count === 1 ? "1 thread" : `${count} threads`,
      figures: [
        of(count, ({ cpuMicros, operations }) => cpuMicros / operations),
        of(count, ({ operations, seconds }) => operations / seconds),
      ],
    })),
  };
}
