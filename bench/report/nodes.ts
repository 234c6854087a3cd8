import { bestPeer } from "./goals.js";
import { costs, heading, page, section } from "./markdown.js";
import { type Result, spreadOf, titleOf } from "./result.js";
import { rows, shortly, withRange } from "./table.js";

const ON_NODE = " on Node ";

/** What a client is called where it is measured on several Nodes. */
export function nameOn(client: string, node: string): string {
  return `${client}${ON_NODE}${node}`;
}

/** What clients cost on each Node, as a page of tables. */
export function toNodes(result: Result): string {
  const parts = byNode(result);
  const node = parts.map((part) => part.machine.node).join(", ");
  const clients = parts[0]?.clients ?? [];
  return page(
    heading({ ...result, machine: { ...result.machine, node }, clients }),
    section("Client CPU per operation of tslibmc, µs", compare(parts, cost)),
    section(
      "How many times cheaper tslibmc is than the best npm client on the same Node",
      compare(parts, timesCheaper),
    ),
    section(
      "How many times the cost of the bare socket on the same Node",
      compare(parts, timesTheFloor),
    ),
    ...parts.map((part) => costs(part, `${ON_NODE}${part.machine.node}`)),
  );
}

/** What was measured on each Node, as if each had been measured alone. */
export function byNode(result: Result): Result[] {
  const nodes = new Set(result.clients.flatMap(({ node }) => node ?? []));
  return [...nodes].map((node) => {
    const plain = (name: string) => name.replace(`${ON_NODE}${node}`, "");
    const own = result.clients.filter((client) => client.node === node);
    return {
      ...result,
      machine: { ...result.machine, node },
      clients: own.map(({ name, version }) => ({ name: plain(name), version })),
      series: result.series
        .filter(({ client }) => own.some(({ name }) => name === client))
        .map((series) => ({ ...series, client: plain(series.client) })),
    };
  });
}

type Cell = (part: Result, workload: string) => string | undefined;

/** A row for each workload, and a column for each Node. */
function compare(parts: readonly Result[], cell: Cell): string {
  const workloads = parts[0]?.workloads ?? [];
  return rows(
    ["", ...parts.map(({ machine }) => `Node ${machine.node}`)],
    workloads.map((workload) => [
      titleOf(workload),
      ...parts.map((part) => cell(part, workload.name) ?? "–"),
    ]),
  );
}

function cost(part: Result, workload: string): string | undefined {
  const ours = spreadOf(part, "tslibmc", workload);
  return ours && withRange(ours);
}

function timesCheaper(part: Result, workload: string): string | undefined {
  const ours = spreadOf(part, "tslibmc", workload);
  const best = bestPeer(part, workload);
  const its = best === undefined ? undefined : spreadOf(part, best, workload);
  return ours && its && `${shortly(its.median / ours.median)} (${best})`;
}

function timesTheFloor(part: Result, workload: string): string | undefined {
  const ours = spreadOf(part, "tslibmc", workload);
  const floor = spreadOf(part, "floor", workload);
  return ours && floor && shortly(ours.median / floor.median);
}
