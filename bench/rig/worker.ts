/**
 * A client's own process: it answers questions on stdin by lines on stdout, and does
 * nothing in between.
 *
 *   node worker.js '{"peer":"memjs","name":"memjs","servers":["127.0.0.1:11211"],…}'
 */
import { createInterface } from "node:readline";
import { Floor } from "../floor.js";
import { type Load, prepare } from "../load/load.js";
import { type Workload, wantsOneCore } from "../load/workload.js";
import { connectTo, type Subject } from "../peers/registry.js";
import type { Answer, Measured, Question } from "./message.js";

const subject = JSON.parse(process.argv[2] ?? "{}") as Subject;
const loads = new Map<string, { load: Load; workload: Workload }>();

const client = subject.peer === "floor" ? new Floor(subject.servers) : await connectTo(subject);

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await answerTo(JSON.parse(line) as Question).catch((error: unknown) => ({
    error: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await client.close();
process.exit();

async function answerTo(question: Question): Promise<Answer> {
  if (question.ask === "prepare") {
    const { workload } = question;
    const load =
      client instanceof Floor
        ? await client.prepare(subject.name, workload)
        : await prepare(subject.name, client, workload);
    loads.set(workload.name, { load, workload });
    await warmUp(load, workload);
    return {};
  }
  const found = loads.get(question.workload);
  if (found === undefined) throw new Error(`${question.workload} was not prepared`);
  await leadIn(found.load, question.count);
  const measured = await measure(found.load, found.workload, question.count);
  await found.load.check();
  return { measured };
}

/** V8 compiles what has run some thousands of times, which are many windows where values are large. */
async function warmUp(load: Load, { inFlight }: Workload): Promise<void> {
  const end = performance.now() + 1000;
  for (let done = 0; done < 3000 && performance.now() < end; done += inFlight)
    await load.run(inFlight);
}

/** Takes what the workload before has left behind out of the figures: garbage, and cold caches. */
async function leadIn(load: Load, count: number): Promise<void> {
  await load.run(Math.ceil(count / 8));
}

async function measure(load: Load, workload: Workload, count: number): Promise<Measured> {
  const latencies = wantsOneCore(workload) ? new Float64Array(count) : undefined;
  const start = performance.now();
  const before = process.cpuUsage();
  await load.run(count, latencies);
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - start) / 1000;
  if (latencies === undefined) return { cpuMicros: user + system, seconds };
  latencies.sort();
  const quantile = (q: number) => latencies[Math.floor(q * (count - 1))]! * 1000;
  return { cpuMicros: user + system, seconds, p50: quantile(0.5), p99: quantile(0.99) };
}
