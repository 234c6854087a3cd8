/** Runs the benchmark; `npm run bench -- --help` says how. The current folder is the project's. */
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { dirname } from "node:path";
import { type Memcached, startMemcached } from "../test/support/memcached.js";
import { checkOut } from "./checkout.js";
import { type Options, parseOptions, USAGE } from "./options.js";
import { say } from "./progress.js";
import { startRedis } from "./redis.js";
import { toChart } from "./report/chart.js";
import { toComparison } from "./report/comparison.js";
import { outcomes } from "./report/goals.js";
import { machine } from "./report/machine.js";
import { toMarkdown, toTransports } from "./report/markdown.js";
import { type Result, spreadOf, titleOf } from "./report/result.js";
import { rows, shortly } from "./report/table.js";
import { ClientProcess } from "./rig/process.js";
import { measureRounds, type Series } from "./rig/rounds.js";
import { allEntries, comparedEntries, type Entry } from "./subjects.js";
import { startTransports, WAYS } from "./transports.js";

if (process.argv.includes("--help")) console.log(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  return args.includes("--transports") ? amongTransports(args) : amongClients(args);
}

async function amongTransports(args: readonly string[]): Promise<number> {
  await using transports = await startTransports();
  const options = parseOptions(args, WAYS);
  const entries = transports.entries.filter(({ subject }) => options.wants(subject.name));
  return await benchmark(entries, options, transports.pids);
}

async function amongClients(args: readonly string[]): Promise<number> {
  const memcacheds = await Promise.all([startServer(), startServer(), startServer()]);
  const redis = await startRedis();
  const [first, second, third] = memcacheds.map(({ address }) => address) as [
    string,
    string,
    string,
  ];
  const servers = { memcached: [first, second, third], redis: redis?.address } as const;
  try {
    const everybody = allEntries(servers);
    const options = parseOptions(
      args,
      everybody.map(({ subject }) => subject.name),
    );
    const pids = memcacheds.map(({ pid }) => pid);
    if (options.compare === undefined) {
      const entries = everybody.filter(({ subject }) => options.wants(subject.name));
      return await benchmark(entries, options, pids);
    }
    using checkout = checkOut(options.compare);
    return await benchmark(comparedEntries(servers, options.compare, checkout.path), options, pids);
  } finally {
    await Promise.all([...memcacheds, redis].map((server) => server?.[Symbol.asyncDispose]()));
  }
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
  const clients = entries.map(({ subject }) => new ClientProcess(subject, "bench/rig/worker.py"));
  const series: Series[] = [];
  let wrong = 0;
  for (const [i, client] of clients.entries()) {
    for (const workload of options.workloads.filter((one) => entries[i]?.runs(one))) {
      say(`checking: ${workload.name} ${client.subject.name}`);
      try {
        await client.prepare(workload);
        series.push({ client, workload, samples: [] });
      } catch (error) {
        wrong++;
        console.error(`\n${client.subject.name} is wrong on ${workload.name}: ${messageOf(error)}`);
      }
    }
  }
  const oneCore = await measureRounds(series, { ...options, servers, say });
  await Promise.all(clients.map((client) => client.close()));
  say("");

  const result: Result = {
    date: new Date().toISOString(),
    machine: machine(loadBefore),
    settings: { rounds: options.rounds, windowMs: options.windowMs, oneCore },
    clients: entries.map(({ subject, version }) => ({ name: subject.name, version })),
    workloads: options.workloads,
    series: series.map(({ client, workload, samples }) => ({
      client: client.subject.name,
      workload: workload.name,
      samples,
    })),
  };
  if (options.transports) reportTransports(result, options.out);
  else if (options.compare === undefined) report(result, options.out);
  else reportComparison(result, options.compare, options.out);
  return wrong > 0 ? 1 : 0;
}

function report(result: Result, out: string): void {
  console.log(costs(result));
  const found = outcomes(result);
  const reached = found.filter(({ goal, times }) => times >= goal.times).length;
  console.log(`\n${reached} of ${found.length} goals reached`);
  write(out, { json: toJson(result), md: toMarkdown(result), svg: toChart(result) });
}

function reportTransports(result: Result, out: string): void {
  console.log(costs(result));
  write(out, { json: toJson(result), md: toTransports(result) });
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

function reportComparison(result: Result, ref: string, out: string): void {
  const table = toComparison(result, ref);
  console.log(table);
  write(out, { json: toJson(result), md: `# Compared with ${ref}\n\n${table}\n` });
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

function toJson(result: Result): string {
  return `${JSON.stringify(result, null, 1)}\n`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
