/**
 * A process that does over and over what a client is mostly asked for, so that V8's log shows
 * what becomes of its code:
 *
 *   node --prof --log-deopt --no-logfile-per-isolate --logfile=v8.log hot.js '{"server":…}'
 */
import { prepare } from "../load/load.js";
import type { Kind, Workload } from "../load/workload.js";
import { tslibmc } from "../peers/tslibmc.js";

export interface HotTask {
  readonly server: string;
  /** The build of tslibmc. */
  readonly build: string;
  /** How many times each workload is run to warm up, and how many times after that. */
  readonly warmUps: number;
  readonly rounds: number;
}

export interface HotFigures {
  /** How many operations there were to warm up, and after that. */
  readonly before: number;
  readonly after: number;
}

/** Operations of a workload in a round: fewer of those that take longer. */
const OPERATIONS: Partial<Record<Kind, number>> = { getMulti: 320, object: 5120 };
const OTHERWISE = 20_480;

const workload = (kind: Kind, inFlight: number): Workload => {
  const name = `hot-${kind}-${inFlight}`;
  return { name, title: name, kind, inFlight, size: kind === "object" ? 1024 : 100, keys: 1024 };
};
const WORKLOADS = [
  ...[64, 1024].flatMap((inFlight) =>
    (["get", "set", "mixed", "object"] as const).map((kind) => workload(kind, inFlight)),
  ),
  ...[1, 16].map((inFlight) => workload("getMulti", inFlight)),
];

const { server, build, warmUps, rounds } = JSON.parse(process.argv[2] ?? "{}") as HotTask;
const peer = await tslibmc(build)([server]);
const loads = await Promise.all(
  WORKLOADS.map(async (one) => {
    const load = await prepare("hot", peer, one);
    return { load, count: OPERATIONS[one.kind] ?? OTHERWISE };
  }),
);
const before = await repeat(warmUps);
isWarm();
const after = await repeat(rounds);
for (const { load } of loads) await load.check();
console.log(JSON.stringify({ before, after } satisfies HotFigures));
process.exit();

/** V8 compiles a function when it is first called, and logs that: this one's is the mark. */
function isWarm(): void {}

async function repeat(times: number): Promise<number> {
  let operations = 0;
  for (let n = 0; n < times; n++) {
    for (const { load, count } of loads) {
      await load.run(count);
      operations += count;
    }
  }
  return operations;
}
