/** Runs the benchmark; `npm run bench -- --help` says how. The current folder is the project's. */
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { dirname } from "node:path";
import { explained } from "../scripts/explained.mjs";
import { type Memcached, startMemcached } from "../test/support/memcached.js";
import { checkOut } from "./checkout.js";
import { processOf } from "./load/workload.js";
import { entriesOnNodes, ON_EACH_NODE } from "./nodes.js";
import { type Options, parseOptions, USAGE, viewOf } from "./options.js";
import { say } from "./progress.js";
import { startRedis } from "./redis.js";
import { toChart } from "./report/chart.js";
import { toComparison } from "./report/comparison.js";
import { outcomes } from "./report/goals.js";
import { machine } from "./report/machine.js";
import { toMarkdown, toTransports } from "./report/markdown.js";
import { byNode, toNodes } from "./report/nodes.js";
import { type Result, spreadOf, titleOf } from "./report/result.js";
import { rows, shortly } from "./report/table.js";
import { ClientProcess } from "./rig/process.js";
import { measureRounds, type Series } from "./rig/rounds.js";
import { allEntries, comparedEntries, type Entry, type Servers } from "./subjects.js";
import { startTransports, WAYS } from "./transports.js";

process.exitCode = await main();

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const view = explained(USAGE, () => viewOf(args));
  if (view === "transports") return amongTransports(args);
  await using stage = await startServers();
  return await (view === "nodes" ? amongNodes : amongClients)(args, stage);
}

async function amongTransports(args: readonly string[]): Promise<number> {
  await using transports = await startTransports();
  const options = explained(USAGE, () => parseOptions(args, WAYS));
  const entries = transports.entries.filter(({ subject }) => options.wants(subject.name));
  return await benchmark(entries, options, transports.pids);
}

async function amongNodes(args: readonly string[], { servers, pids }: Stage): Promise<number> {
  const options = explained(USAGE, () => parseOptions(args, ON_EACH_NODE));
  say(`finding Node ${options.nodes.join(", ")}`);
  const entries = await entriesOnNodes(options.nodes, servers, options.wants);
  return benchmark(entries, options, pids);
}

async function amongClients(args: readonly string[], { servers, pids }: Stage): Promise<number> {
  const everybody = allEntries(servers);
  const names = everybody.map(({ subject }) => subject.name);
  const options = explained(USAGE, () => parseOptions(args, names));
  if (options.view === "peers") {
    const entries = everybody.filter(({ subject }) => options.wants(subject.name));
    return benchmark(entries, options, pids);
  }
  using checkout = checkOut(options.compare);
  return await benchmark(comparedEntries(servers, options.compare, checkout.path), options, pids);
}

/** What clients are measured against. */
interface Stage extends AsyncDisposable {
  readonly servers: Servers;
  readonly pids: readonly number[];
}

async function startServers(): Promise<Stage> {
  const memcacheds = await Promise.all([startServer(), startServer(), startServer()]);
  const redis = await startRedis();
  const [first, second, third] = memcacheds;
  return {
    servers: {
      memcached: [first.address, second.address, third.address],
      redis: redis?.address,
    },
    pids: memcacheds.map(({ pid }) => pid),
    async [Symbol.asyncDispose]() {
      await Promise.all([...memcacheds, redis].map((server) => server?.[Symbol.asyncDispose]()));
    },
  };
}

/** One thread, so that it can share a core; and room for values of 1 MB. */
function startServer(): Promise<Memcached> {
  return startMemcached({ args: ["-t", "1", "-m", "512", "-I", "4m"] });
}

/** Resolves with the exit code: 1 if a client does not read what it has set. */
async function benchmark(
  entries: readonly Entry[],
  options: Options,
  servers: readonly number[],
): Promise<number> {
  const loadBefore = loadavg()[0] ?? 0;
  const clients: ClientProcess[] = [];
  const series: Series[] = [];
  let wrong = 0;
  for (const { subject, runs } of entries) {
    const processes = new Map<string, ClientProcess>();
    for (const workload of options.workloads.filter(runs)) {
      say(`checking: ${workload.name} ${subject.name}`);
      const name = processOf(workload);
      const client = processes.get(name) ?? new ClientProcess(subject, "bench/rig/worker.py");
      processes.set(name, client);
      try {
        await client.prepare(workload);
        series.push({ client, workload, samples: [] });
      } catch (error) {
        wrong++;
        console.error(`\n${subject.name} is wrong on ${workload.name}: ${messageOf(error)}`);
      }
    }
    clients.push(...processes.values());
  }
  const oneCore = await measureRounds(series, { ...options, servers, say });
  await Promise.all(clients.map((client) => client.close()));
  say("");

  const result: Result = {
    date: new Date().toISOString(),
    machine: machine(loadBefore),
    settings: { rounds: options.rounds, windowMs: options.windowMs, oneCore },
    clients: entries.map(({ subject, version, node }) => ({
      ...{ name: subject.name, version },
      ...(node !== undefined && { node }),
    })),
    workloads: options.workloads,
    series: series.map(({ client, workload, samples }) => ({
      client: client.subject.name,
      workload: workload.name,
      samples,
    })),
  };
  report(result, options);
  return wrong > 0 ? 1 : 0;
}

function report(result: Result, { view, compare, out }: Options): void {
  const json = `${JSON.stringify(result, null, 1)}\n`;
  if (view === "peers") {
    console.log(costs(result));
    const found = outcomes(result);
    const reached = found.filter(({ goal, times }) => times >= goal.times).length;
    const beyond = found.filter(({ goal, floor = Infinity }) => floor < goal.times).length;
    console.log(
      `\n${reached} of ${found.length} goals reached; ${beyond} are beyond a bare socket`,
    );
    write(out, { json, md: toMarkdown(result), svg: toChart(result) });
  } else if (view === "comparison") {
    const table = toComparison(result, compare);
    console.log(table);
    write(out, { json, md: `# Compared with ${compare}\n\n${table}\n` });
  } else if (view === "nodes") {
    for (const part of byNode(result)) console.log(`\nNode ${part.machine.node}\n${costs(part)}`);
    write(out, { json, md: toNodes(result) });
  } else {
    console.log(costs(result));
    write(out, { json, md: toTransports(result) });
  }
}

/** The medians alone, to look at. */
function costs(result: Result): string {
  const names = result.clients.map(({ name }) => name);
  return rows(
    ["client CPU µs/op", ...names],
    result.workloads.map((workload) => [
      titleOf(workload),
      ...names.map((name) => {
        const found = spreadOf(result, name, workload.name);
        return found === undefined ? "–" : shortly(found.median);
      }),
    ]),
  );
}

function write(out: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(dirname(out), { recursive: true });
  for (const [ending, text] of Object.entries(files)) writeFileSync(`${out}.${ending}`, text);
  console.log(
    `Written: ${Object.keys(files)
      .map((ending) => `${out}.${ending}`)
      .join(", ")}`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
