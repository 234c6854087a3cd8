import type { Spread } from "../rig/statistics.js";

/** A Markdown table. */
export function rows(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...body.map(line)].join(
    "\n",
  );
}

/** Three significant digits; thousands as they are. */
export function shortly(figure: number): string {
  return figure >= 1000 ? figure.toFixed(0) : String(Number(figure.toPrecision(3)));
}

/** A median with the least and the most. */
export function withRange({ median, min, max }: Spread): string {
  return `${shortly(median)} (${shortly(min)}–${shortly(max)})`;
}
