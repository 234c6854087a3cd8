import { availableParallelism } from "node:os";
import { type Workload, wantsOneCore } from "../load/workload.js";
import type { Measured } from "./message.js";
import { type ClientProcess, pin } from "./process.js";

/** One client on one workload, and what each round measured of it. */
export interface Series {
  readonly client: ClientProcess;
  readonly workload: Workload;
  readonly samples: Sample[];
}

/** One round's figures. */
export interface Sample {
  /** Client CPU per operation, in microseconds. */
  readonly cpu: number;
  readonly opsPerSecond: number;
  /** Latencies in microseconds, with one operation in flight. */
  readonly p50?: number;
  readonly p99?: number;
}

export interface RoundsOptions {
  readonly rounds: number;
  readonly warmUps: number;
  /** How long each client runs each workload in a round, in ms. */
  readonly windowMs: number;
  /** The servers' processes, which share the clients' core where one operation is in flight. */
  readonly servers: readonly number[];
  readonly say: (progress: string) => void;
}

/**
 * Runs every client on every workload, again and again: a neighbour's noise then falls on
 * all of them alike. The clients' order is another one each time. Returns whether the
 * workloads with one operation in flight had client and server on one core.
 */
export async function measureRounds(
  series: readonly Series[],
  { rounds, warmUps, windowMs, servers, say }: RoundsOptions,
): Promise<boolean> {
  const pids = [...new Set(series.map(({ client }) => client.pid)), ...servers];
  const counts = new Map<Series, number>();
  const alone = series.filter(({ workload }) => wantsOneCore(workload));
  const together = series.filter(({ workload }) => !wantsOneCore(workload));
  let onOneCore = true;
  for (let round = -warmUps; round < rounds; round++) {
    const name = round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`;
    if (round === 0) counts.clear(); // they are faster by now
    for (const [part, cores] of [
      [alone, "0"],
      [together, `0-${availableParallelism() - 1}`],
    ] as const) {
      if (part.length === 0) continue;
      const pinned = await pin(pids, cores);
      if (part === alone) onOneCore &&= pinned;
      for (const one of inRandomOrder(part)) {
        say(`${name}: ${one.workload.name} ${one.client.subject.name}`);
        const sample = await attempt(one, async () => {
          const count = counts.get(one) ?? (await calibrate(one, windowMs));
          counts.set(one, count);
          return sampleOf(await one.client.run(one.workload, count), count);
        });
        if (sample !== undefined && round >= 0) one.samples.push(sample);
      }
    }
  }
  return onOneCore;
}

/** One window, or undefined where another client failed in it, which costs that client the round. */
async function attempt(
  { client, workload }: Series,
  measure: () => Promise<Sample>,
): Promise<Sample | undefined> {
  try {
    return await measure();
  } catch (error) {
    if (client.subject.peer === "tslibmc") throw error;
    console.error(
      `\n${client.subject.name} failed in ${workload.name}: ${(error as Error).message}`,
    );
    return undefined;
  }
}

/** How many operations fill the window. */
async function calibrate({ client, workload }: Series, windowMs: number): Promise<number> {
  for (let count = workload.inFlight; ; count *= 4) {
    const { seconds } = await client.run(workload, count);
    const wanted = Math.ceil((count * windowMs) / 1000 / seconds);
    if (seconds * 1000 > windowMs / 4) return Math.max(wanted, workload.inFlight);
  }
}

function sampleOf({ cpuMicros, seconds, ...latencies }: Measured, count: number): Sample {
  return { cpu: cpuMicros / count, opsPerSecond: count / seconds, ...latencies };
}

/** Groups by workload, the workloads and the clients of each in random order. */
function inRandomOrder(series: readonly Series[]): Series[] {
  const workloads = shuffled([...new Set(series.map(({ workload }) => workload))]);
  return workloads.flatMap((workload) =>
    shuffled(series.filter((one) => one.workload === workload)),
  );
}

function shuffled<T>(items: readonly T[]): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
