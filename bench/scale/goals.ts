import { NPM_PEERS } from "../peers/registry.js";
import { rows, shortly } from "../report/table.js";
import type { Section } from "./section.js";

/** What a figure of a section is to be. */
export interface ScaleGoal {
  /** The title of the section. */
  readonly section: string;
  readonly row: string;
  readonly column: string;
  /** A figure, or that of the npm client that has the least. */
  readonly atMost: number | typeof EVERY_PEER;
}

const EVERY_PEER = "every npm client";

const ours = { row: "tslibmc", atMost: EVERY_PEER } as const;

export const SCALE_GOALS: readonly ScaleGoal[] = [
  { section: "Importing", row: "tslibmc", column: "ms", atMost: 15 },
  { section: "Importing", column: "ms", ...ours },
  { section: "Package size", column: "tarball, kB", ...ours },
  { section: "Memory", column: "allocated by a get", ...ours },
  { section: "Memory", column: "kept as text", ...ours },
  { section: "Memory", column: "kept as a Buffer", ...ours },
  // The heap of a Node that does nothing at all breathes by as much.
  { section: "A long run", row: "heap", column: "a minute, %", atMost: 1 },
  { section: "Optimised code", row: "all of them", column: "deopts after", atMost: 0 },
];

/** A goal and what was measured. */
export interface ScaleOutcome {
  readonly goal: ScaleGoal;
  readonly measured: number;
  readonly limit: number;
  /** The npm client whose figure is the limit. */
  readonly peer?: string;
}

/** The outcomes of those goals whose sections were measured. */
export function scaleOutcomes(sections: readonly Section[]): ScaleOutcome[] {
  return SCALE_GOALS.flatMap((goal) => {
    const section = sections.find(({ title }) => title === goal.section);
    const measured = section && figureOf(section, goal.row, goal.column);
    if (measured === undefined) return [];
    if (goal.atMost !== EVERY_PEER) return [{ goal, measured, limit: goal.atMost }];
    const peers = NPM_PEERS.flatMap((peer) => {
      const limit = figureOf(section!, peer, goal.column);
      return limit === undefined ? [] : [{ goal, measured, limit, peer }];
    });
    return peers.toSorted((a, b) => a.limit - b.limit).slice(0, 1);
  });
}

/** A table of the outcomes. */
export function toGoals(outcomes: readonly ScaleOutcome[]): string {
  return rows(
    ["", "of", "goal", "measured", ""],
    outcomes.map(({ goal, measured, limit, peer }) => [
      `${goal.section}: ${goal.column}`,
      goal.row,
      `≤ ${shortly(limit)}${peer === undefined ? "" : ` (${peer})`}`,
      shortly(measured),
      isWithin(measured, limit) ? "✓" : "✗",
    ]),
  );
}

/** Judges what is shown: a string of 100 bytes takes the same, whoever has read it. */
function isWithin(measured: number, limit: number): boolean {
  return Number(shortly(measured)) <= Number(shortly(limit));
}

/** A figure of a section, or the median of several rounds. */
function figureOf({ columns, rows }: Section, row: string, column: string): number | undefined {
  const figure = rows.find(({ name }) => name === row)?.figures[columns.indexOf(column)];
  return typeof figure === "object"
    ? figure.median
    : typeof figure === "number"
      ? figure
      : undefined;
}
