import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type Memcached, startMemcached } from "../../test/support/memcached.js";
import type { Workload } from "../load/workload.js";
import type { Measured } from "../rig/message.js";
import { ClientProcess } from "../rig/process.js";
import { spread } from "../rig/statistics.js";
import { buildOf } from "../subjects.js";
import type { Effort, Row, Section } from "./section.js";

const MOST = 4;

const WORKLOADS: readonly Workload[] = [
  {
    name: "get-1024",
    title: "get, 1024 in flight",
    kind: "get",
    inFlight: 1024,
    size: 100,
    keys: 1000,
  },
  {
    name: "multi-16",
    title: "getMulti of 100, 16 in flight",
    kind: "getMulti",
    inFlight: 16,
    size: 100,
    keys: 1000,
  },
];

/** What one process gets out of a server, and how many it takes to get all of it. */
export async function saturation(effort: Effort): Promise<Section> {
  await using server = await startMemcached({ args: ["-t", "2", "-m", "64"] });
  const build = buildOf(process.cwd());
  const clients = Array.from({ length: MOST }, (_, n) => {
    const subject = {
      name: `process ${n + 1}`,
      peer: "tslibmc" as const,
      servers: [server.address],
    };
    return new ClientProcess({ ...subject, build }, "");
  });
  const rows: Row[] = [];
  for (const workload of WORKLOADS) {
    for (const client of clients) await client.prepare(workload);
    const count = await calibrate(clients[0]!, workload, effort.windowMs * 4);
    for (let processes = 1; processes <= MOST; processes++) {
      effort.say(`saturation: ${workload.name} ${processes}`);
      const some = clients.slice(0, processes);
      const runs: Run[] = [];
      for (let round = 0; round < effort.longRounds; round++)
        runs.push(await together(some, workload, count, server));
      rows.push({
        name: `${workload.title}: ${processes} ${processes === 1 ? "process" : "processes"}`,
        figures: [
          spread(runs.map(({ opsPerSecond }) => opsPerSecond)),
          spread(runs.map(({ clientCores }) => clientCores)),
          spread(runs.map(({ serverCores }) => serverCores)),
        ],
      });
    }
  }
  await Promise.all(clients.map((client) => client.close()));
  return {
    title: "A server's limit",
    note: `\`memcached -t 2\` and so many processes with a client each, on ${availableParallelism()} cores that they share: operations per second of all, and the cores that clients and server kept busy. The server is at its limit where more processes bring no more.`,
    columns: ["operations/s", "cores: clients", "cores: server"],
    rows,
  };
}

interface Run {
  readonly opsPerSecond: number;
  readonly clientCores: number;
  readonly serverCores: number;
}

async function together(
  clients: readonly ClientProcess[],
  workload: Workload,
  count: number,
  server: Memcached,
): Promise<Run> {
  const began = performance.now();
  const before = cpuSeconds(server.pid);
  const all: Measured[] = await Promise.all(clients.map((client) => client.run(workload, count)));
  const serverSeconds = cpuSeconds(server.pid) - before;
  const wholeSeconds = (performance.now() - began) / 1000;
  const sum = (figure: (measured: Measured) => number) =>
    all.reduce((total, measured) => total + figure(measured), 0);
  return {
    opsPerSecond: sum(({ seconds }) => count / seconds),
    clientCores: sum(({ cpuMicros, seconds }) => cpuMicros / 1e6 / seconds),
    serverCores: serverSeconds / wholeSeconds,
  };
}

async function calibrate(
  client: ClientProcess,
  workload: Workload,
  windowMs: number,
): Promise<number> {
  await client.run(workload, workload.inFlight * 20);
  const count = workload.inFlight * 20;
  const { seconds } = await client.run(workload, count);
  return Math.ceil((count * windowMs) / 1000 / seconds);
}

/** What a process has used of all cores so far, user and system (proc(5)); not a number elsewhere. */
function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}
