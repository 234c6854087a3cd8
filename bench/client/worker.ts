/**
 * One build's client on the stand-in, in a process of its own: prints what each workload costs
 * in µs of CPU per operation, the least of many short windows.
 *
 *   node worker.js <index.js of a build>
 */
import { createRequire, syncBuiltinESMExports } from "node:module";
import type { TcpNetConnectOpts } from "node:net";
import { prepare } from "../load/load.js";
import { WORKLOADS, type Workload } from "../load/workload.js";
import { tslibmc } from "../peers/tslibmc.js";
import { type OnRead, StandIn } from "./server.js";

const KINDS = [
  "get-1",
  "get-64",
  "get-1024",
  "set-64",
  "set-1024",
  "mixed-64",
  "multi-1",
  "multi-16",
];

const WINDOWS = 40;
const WINDOW_MS = 10;

const net = createRequire(import.meta.url)("node:net") as {
  connect: (options: TcpNetConnectOpts & { onread: OnRead }) => unknown;
};
net.connect = ({ onread }) => new StandIn(onread);
syncBuiltinESMExports();

const client = await tslibmc(process.argv[2] ?? "")(["127.0.0.1:11211"]);
const costs: Record<string, number> = {};
for (const workload of WORKLOADS.filter(({ name }) => KINDS.includes(name))) {
  costs[workload.name] = await leastOf(workload);
}
console.log(JSON.stringify(costs));
process.exit();

async function leastOf(workload: Workload): Promise<number> {
  const load = await prepare("client", client, workload);
  const cpuOf = async (count: number) => {
    const before = process.cpuUsage();
    await load.run(count);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  let count = 1000;
  while ((await cpuOf(count)) < WINDOW_MS * 1000) count *= 2;
  for (let i = 0; i < WINDOWS; i++) await cpuOf(count); // until V8 has optimised what it will
  let least = Infinity;
  for (let i = 0; i < WINDOWS; i++) least = Math.min(least, (await cpuOf(count)) / count);
  await load.check();
  return least;
}
