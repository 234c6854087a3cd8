import { wantsOneCore } from "../load/workload.js";
import type { Sample } from "../rig/rounds.js";
import { outcomes } from "./goals.js";
import { type Result, spreadOf, titleOf } from "./result.js";
import { rows, shortly, withRange } from "./table.js";

/** What clients cost, as a page of tables. */
export function toMarkdown(result: Result): string {
  return page(
    heading(result),
    `"floor" is a bare socket with prebuilt requests, "nothing" the rig itself on a map in the process.`,
    costs(result),
    section("How many times cheaper tslibmc is", ratios(result, "tslibmc", "than")),
    section("What was aimed at", goals(result)),
    ...latencies(result),
    throughput(result),
  );
}

/** What each way to a server costs, as a page of tables. */
export function toTransports(result: Result): string {
  const first = result.clients[0]?.name ?? "";
  return page(
    heading(result),
    costs(result),
    section(`How many times the cost of ${first}`, ratios(result, first, "")),
    ...latencies(result),
    throughput(result),
  );
}

export function page(...parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}

/** When, where and how it was measured, and what. */
export function heading({ machine, settings, date, clients }: Result): string {
  return `# Benchmark of ${date.slice(0, 10)}

${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, memcached ${machine.memcached};
load ${machine.load.map(shortly).join(" to ")}. ${settings.rounds} interleaved rounds of ${settings.windowMs} ms;
with one operation in flight, client and server were ${settings.oneCore ? "on one core" : "not pinned"}.
Each figure is the median (least to most) of the rounds. A getMulti is one operation of 100 keys.

Measured: ${clients.map(({ name, version }) => `${name} ${version}`).join(", ")}.`;
}

export function section(title: string, table: string): string {
  return `## ${title}\n\n${table}`;
}

export function costs(result: Result, where = ""): string {
  return section(`Client CPU per operation${where}, µs`, table(result, "cpu"));
}

function latencies(result: Result): string[] {
  return (["p50", "p99"] as const).map((figure) =>
    section(`Latency with one operation in flight, median of ${figure}, µs`, table(result, figure)),
  );
}

function throughput(result: Result): string {
  return section("Operations per second", table(result, "opsPerSecond"));
}

/** A figure of every client on every workload. */
function table(result: Result, figure: keyof Sample): string {
  const workloads = result.workloads.filter(
    (workload) => wantsOneCore(workload) || !(figure === "p50" || figure === "p99"),
  );
  return rows(
    ["", ...result.clients.map(({ name }) => name)],
    workloads.map((workload) => [
      titleOf(workload),
      ...result.clients.map(({ name }) => {
        const found = spreadOf(result, name, workload.name, figure);
        return found === undefined ? "–" : withRange(found);
      }),
    ]),
  );
}

/** By how many times the others are dearer than one of the clients. */
function ratios(result: Result, reference: string, corner: string): string {
  const others = result.clients.filter(({ name }) => name !== reference);
  return rows(
    [corner, ...others.map(({ name }) => name)],
    result.workloads.map((workload) => {
      const first = spreadOf(result, reference, workload.name);
      const cells = others.map(({ name }) => {
        const its = spreadOf(result, name, workload.name);
        return first && its ? shortly(its.median / first.median) : "–";
      });
      return [titleOf(workload), ...cells];
    }),
  );
}

function goals(result: Result): string {
  return rows(
    ["", "of", "against", "goal, times less", "measured", "", "a bare socket"],
    outcomes(result).map(({ goal, ours, against, times, floor }) => {
      const latency = goal.figure === undefined ? "" : `: latency, ${goal.figure}`;
      const workload = result.workloads.find(({ name }) => name === goal.workload);
      return [
        `${workload === undefined ? goal.workload : titleOf(workload)}${latency}`,
        ours,
        against,
        `≥ ${shortly(goal.times)}`,
        shortly(times),
        times >= goal.times ? "✓" : "✗",
        floor === undefined ? "" : shortly(floor),
      ];
    }),
  );
}
