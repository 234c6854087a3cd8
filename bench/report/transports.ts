import { heading, rows, table } from "./markdown.js";
import { type Result, shortly, spreadOf, titleOf } from "./result.js";

/** What each way to a server costs, as a page of tables. */
export function toTransports(result: Result): string {
  return `${heading(result)}

## Client CPU per operation, µs

${table(result, "cpu")}

## How many times the cost of ${result.clients[0]?.name}

${ratios(result)}

## Latency with one operation in flight, median of p50, µs

${table(result, "p50")}

## Latency with one operation in flight, median of p99, µs

${table(result, "p99")}

## Operations per second

${table(result, "opsPerSecond")}
`;
}

function ratios(result: Result): string {
  const [reference, ...others] = result.clients;
  return rows(
    ["", ...others.map(({ name }) => name)],
    result.workloads.map((workload) => [
      titleOf(workload),
      ...others.map(({ name }) => {
        const first = spreadOf(result, reference?.name ?? "", workload.name);
        const its = spreadOf(result, name, workload.name);
        return first && its ? shortly(its.median / first.median) : "–";
      }),
    ]),
  );
}
