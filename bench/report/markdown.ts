import { wantsOneCore } from "../load/workload.js";
import type { Sample } from "../rig/rounds.js";
import { outcomes } from "./goals.js";
import { type Result, shortly, spreadOf, titleOf } from "./result.js";

/** The result as a page of tables. */
export function toMarkdown(result: Result): string {
  return `${heading(result)}
"floor" is a bare socket with prebuilt requests, "nothing" the rig itself on a map in the process.

## Client CPU per operation, µs

${table(result, "cpu")}

## How many times cheaper tslibmc is

${ratios(result)}

## What was aimed at

${goals(result)}

## Latency with one operation in flight, median of p50, µs

${table(result, "p50")}

## Latency with one operation in flight, median of p99, µs

${table(result, "p99")}

## Operations per second

${table(result, "opsPerSecond")}
`;
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

/** A figure of every client on every workload. */
export function table(result: Result, figure: keyof Sample): string {
  const workloads = result.workloads.filter(
    (workload) => wantsOneCore(workload) || !(figure === "p50" || figure === "p99"),
  );
  return rows(
    ["", ...result.clients.map(({ name }) => name)],
    workloads.map((workload) => [
      titleOf(workload),
      ...result.clients.map(({ name }) => {
        const found = spreadOf(result, name, workload.name, figure);
        if (found === undefined) return "–";
        return `${shortly(found.median)} (${shortly(found.min)}–${shortly(found.max)})`;
      }),
    ]),
  );
}

function ratios(result: Result): string {
  const others = result.clients.filter(({ name }) => name !== "tslibmc");
  return rows(
    ["than", ...others.map(({ name }) => name)],
    result.workloads.map((workload) => {
      const ours = spreadOf(result, "tslibmc", workload.name);
      const cells = others.map(({ name }) => {
        const its = spreadOf(result, name, workload.name);
        return ours && its ? shortly(its.median / ours.median) : "–";
      });
      return [titleOf(workload), ...cells];
    }),
  );
}

function goals(result: Result): string {
  return rows(
    ["", "of", "against", "goal, times cheaper", "measured", ""],
    outcomes(result).map(({ goal, ours, against, times }) => {
      const workload = result.workloads.find(({ name }) => name === goal.workload);
      return [
        workload === undefined ? goal.workload : titleOf(workload),
        ours,
        against,
        `≥ ${shortly(goal.times)}`,
        shortly(times),
        times >= goal.times ? "✓" : "✗",
      ];
    }),
  );
}

/** A Markdown table. */
export function rows(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...body.map(line)].join(
    "\n",
  );
}
