import type { ClientResult, Machine } from "../report/result.js";
import { rows, shortly, withRange } from "../report/table.js";
import type { Spread } from "../rig/statistics.js";
import { scaleOutcomes, toGoals } from "./goals.js";
import type { Section } from "./section.js";

/** All that was found, as it is written to JSON. */
export interface ScaleResult {
  readonly date: string;
  readonly machine: Machine;
  readonly clients: readonly ClientResult[];
  readonly sections: readonly Section[];
}

/** The result as a page of tables. */
export function toPage({ date, machine, clients, sections }: ScaleResult): string {
  return `# Scale, ${date.slice(0, 10)}

${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, memcached ${machine.memcached};
load ${machine.load.map(shortly).join(" to ")}. Figures of several rounds are the median (least to most).

Measured: ${clients.map(({ name, version }) => `${name} ${version}`).join(", ")}.

${[...aims(sections), ...sections.map(toTable)].join("\n\n")}
`;
}

function aims(sections: readonly Section[]): string[] {
  const outcomes = scaleOutcomes(sections);
  return outcomes.length === 0 ? [] : [`## What was aimed at\n\n${toGoals(outcomes)}`];
}

/** A section with its heading. */
export function toTable({ title, note, columns, rows: body }: Section): string {
  const table = rows(
    ["", ...columns],
    body.map(({ name, figures }) => [name, ...figures.map(show)]),
  );
  return `## ${title}\n\n${note}\n\n${table}`;
}

function show(figure: number | Spread | string | undefined): string {
  if (figure === undefined) return "–";
  if (typeof figure === "string") return figure;
  if (typeof figure === "number") return shortly(figure);
  return withRange(figure);
}
