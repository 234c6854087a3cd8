/**
 * A process with several worker threads that do the same, each with a client of its own:
 *
 *   node crowd.js '{"threads":4,"server":"127.0.0.1:11211","build":"file:///…",…}'
 *
 * They warm up, wait for each other, run for the same time, and the process says what it
 * came to.
 */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, threadId, Worker, workerData } from "node:worker_threads";
import { prepare } from "../load/load.js";
import { tslibmc } from "../peers/tslibmc.js";

export interface CrowdTask {
  readonly threads: number;
  readonly server: string;
  /** The build of tslibmc. */
  readonly build: string;
  readonly inFlight: number;
  readonly windowMs: number;
}

/** What all threads did together. */
export interface CrowdFigures {
  readonly operations: number;
  readonly seconds: number;
  /** The process's, which is that of all its threads. */
  readonly cpuMicros: number;
}

if (isMainThread) await lead(JSON.parse(process.argv[2] ?? "{}") as CrowdTask);
else await work(workerData as CrowdTask);

async function lead(task: CrowdTask): Promise<void> {
  const workers = Array.from(
    { length: task.threads },
    () => new Worker(fileURLToPath(import.meta.url), { workerData: task }),
  );
  const ready = workers.map((worker) => once(worker, "message"));
  await Promise.all(ready);
  const began = performance.now();
  const before = process.cpuUsage();
  const counts = workers.map((worker) => once(worker, "message") as Promise<[number]>);
  for (const worker of workers) worker.postMessage("go");
  const done = await Promise.all(counts);
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - began) / 1000;
  const operations = done.reduce((sum, [count]) => sum + count, 0);
  const figures: CrowdFigures = { operations, seconds, cpuMicros: user + system };
  console.log(JSON.stringify(figures));
  await Promise.all(workers.map((worker) => worker.terminate()));
}

async function work({ server, build, inFlight, windowMs }: CrowdTask): Promise<void> {
  const peer = await tslibmc(build)([server]);
  const load = await prepare(`crowd-${threadId}`, peer, {
    ...{ name: "get", title: "get", kind: "get", inFlight, size: 100, keys: 1000 },
  });
  const portion = inFlight * 16;
  await load.run(portion * 8);
  const port = parentPort!;
  const started = once(port, "message");
  port.postMessage("ready");
  await started;
  const end = performance.now() + windowMs;
  let count = 0;
  for (; performance.now() < end; count += portion) await load.run(portion);
  port.postMessage(count);
  await load.check();
}
