import { once } from "node:events";
import { createServer } from "node:net";
import { startMemcached } from "../../test/support/memcached.js";
import { listen } from "../../test/support/port.js";
import { slope } from "../rig/statistics.js";
import { buildOf } from "../subjects.js";
import type { EnduranceFigures, EnduranceTask, MemorySample } from "./endurance.js";
import { runProgram } from "./program.js";
import type { Effort, Row, Section } from "./section.js";

/** Whether memory stays what it is, however long a client runs and whatever fails. */
export async function flat(effort: Effort): Promise<Section> {
  await using server = await startMemcached({ args: ["-t", "1", "-m", "64"] });
  await using silent = await startSilent();
  effort.say("flat");
  const { memoryWindows: windows, memoryWindowMs: windowMs } = effort;
  const task: EnduranceTask = {
    ...{ server: server.address, silent: silent.address, build: buildOf(process.cwd()) },
    ...{ windows, windowMs },
  };
  return toSection(await runProgram<EnduranceFigures>("endurance.js", task, ["--expose-gc"]));
}

export function toSection(figures: EnduranceFigures): Section {
  const { samples, operations, misses, refused, lost } = figures;
  const rowOf = (name: string, figure: Exclude<keyof MemorySample, "seconds">): Row => {
    const bytes = samples.map((sample) => sample[figure]);
    const minutes = samples.map(({ seconds }) => seconds / 60);
    const ends = [bytes[0]!, bytes.at(-1)!, Math.min(...bytes), Math.max(...bytes)];
    const half = samples.length >> 1;
    const rise = (100 * slope(minutes.slice(half), bytes.slice(half))) / bytes[half]!;
    return { name, figures: [...ends.map((end) => end / 1e6), rise] };
  };
  const count = (number: number) => number.toLocaleString("en");
  return {
    title: "A long run",
    note: `${count(operations)} operations in ${samples.at(-1)!.seconds.toFixed(0)} s, 72 in flight: reads and writes of text and JSON, getMultis, deletes, ${count(misses)} misses, ${count(refused)} that were refused, and ${count(lost)} that nobody answered. What is in use after each of ${samples.length} windows, once garbage is collected: the first and the last, the least and the most, and by how much the line through the second half rises.`,
    columns: ["first, MB", "last, MB", "least, MB", "most, MB", "a minute, %"],
    rows: [
      rowOf("heap", "heap"),
      rowOf("beside the heap", "external"),
      rowOf("resident", "resident"),
    ],
  };
}

/** A server that takes connections and never says a word. */
async function startSilent(): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer((socket) => socket.on("error", () => {}).resume());
  const port = await listen(server);
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}
