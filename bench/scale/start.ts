import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { NPM_PEERS } from "../peers/registry.js";
import { type Spread, spread } from "../rig/statistics.js";
import { buildOf } from "../subjects.js";
import type { Effort, Section } from "./section.js";

const run = promisify(execFile);

/** What it takes to import a client, beyond what Node takes to start. */
export async function start(effort: Effort): Promise<Section> {
  const programs = new Map([
    ["nothing", ""],
    ["tslibmc", importing(buildOf(process.cwd()))],
    ...NPM_PEERS.map((peer) => [peer, importing(peer)] as const),
  ]);
  const times = new Map([...programs.keys()].map((name) => [name, [] as number[]]));
  for (let round = -effort.warmUps; round < effort.starts; round++) {
    effort.say(`import: start ${round + 1} of ${effort.starts}`);
    for (const [name, program] of programs) {
      const ms = await timeOf(program);
      if (round >= 0) times.get(name)!.push(ms);
    }
  }
  const bare = spread(times.get("nothing")!).median;
  const beyond = (name: string): Spread => spread(times.get(name)!.map((ms) => ms - bare));
  const clients = [...programs.keys()].filter((name) => name !== "nothing");
  return {
    title: "Importing",
    note: `A process that imports the client and ends, of ${effort.starts} starts in turn, less the ${bare.toFixed(0)} ms (median) that a process takes that does nothing.`,
    columns: ["ms"],
    rows: clients.map((name) => ({ name, figures: [beyond(name)] })),
  };
}

function importing(name: string): string {
  return `import ${JSON.stringify(name)};`;
}

async function timeOf(program: string): Promise<number> {
  const began = performance.now();
  await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: "bench" });
  return performance.now() - began;
}
