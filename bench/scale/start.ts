import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { NPM_PEERS } from "../peers/registry.js";
import { type Spread, spread } from "../rig/statistics.js";
import { buildOf } from "../subjects.js";
import type { Effort, Section } from "./section.js";

const run = promisify(execFile);

/** What one process took, in milliseconds. */
interface Start {
  readonly time: number;
  readonly cpu: number;
}

/** What it takes to import a client, beyond what Node takes to start. */
export async function start(effort: Effort): Promise<Section> {
  const programs = new Map([
    ["nothing", ""],
    ["tslibmc", importing(buildOf(process.cwd()))],
    ...NPM_PEERS.map((peer) => [peer, importing(peer)] as const),
  ]);
  const starts = new Map([...programs.keys()].map((name) => [name, [] as Start[]]));
  for (let round = -effort.warmUps; round < effort.starts; round++) {
    effort.say(`import: start ${round + 1} of ${effort.starts}`);
    for (const [name, program] of programs) {
      const one = await startOf(program);
      if (round >= 0) starts.get(name)!.push(one);
    }
  }
  const bare = starts.get("nothing")!;
  const beyond = (name: string, figure: keyof Start): Spread => {
    const { median } = spread(bare.map((one) => one[figure]));
    return spread(starts.get(name)!.map((one) => one[figure] - median));
  };
  const bareMs = spread(bare.map(({ time }) => time)).median.toFixed(0);
  const clients = [...programs.keys()].filter((name) => name !== "nothing");
  return {
    title: "Importing",
    note: `A process that imports the client and ends, of ${effort.starts} starts in turn: what it takes beyond one that does nothing (${bareMs} ms).`,
    columns: ["ms", "CPU, ms"],
    rows: clients.map((name) => ({ name, figures: [beyond(name, "time"), beyond(name, "cpu")] })),
  };
}

function importing(name: string): string {
  return `import ${JSON.stringify(name)};`;
}

async function startOf(program: string): Promise<Start> {
  const source = `${program} const { user, system } = process.cpuUsage(); console.log(user + system);`;
  const began = performance.now();
  const args = ["--input-type=module", "--eval", source];
  const { stdout } = await run(process.execPath, args, { cwd: "bench" });
  return { time: performance.now() - began, cpu: Number(stdout) / 1000 };
}
