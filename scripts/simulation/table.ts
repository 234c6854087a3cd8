import type { Figures } from "./simulation.js";

const COLUMNS: Readonly<Record<string, (figures: Figures) => string>> = {
  policy: ({ policy }) => policy,
  "reads answered": ({ reads }) => percent(reads),
  hits: ({ hits }) => percent(hits),
  "deletions done": ({ deletions }) => percent(deletions),
  "stale hits": ({ stale }) => percent(stale),
  "p99, ms": ({ p99 }) => milliseconds(p99),
  "p99.9, ms": ({ p999 }) => milliseconds(p999),
  "keys moved": ({ moved }) => percent(moved),
  "connects/s": ({ connects }) => connects.toFixed(2),
  "probes/s": ({ probes }) => probes.toFixed(2),
};

/** A Markdown table, a policy a line. */
export function table(all: readonly Figures[]): string {
  const titles = Object.keys(COLUMNS);
  const rows = all.map((figures) => Object.values(COLUMNS).map((cell) => cell(figures)));
  const rule = titles.map((_, n) => (n === 0 ? "---" : "---:"));
  return [titles, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function percent(share: number): string {
  const figure = share * 100;
  if (figure === 0 || figure === 100) return `${figure} %`;
  return `${figure < 1 ? figure.toPrecision(2) : figure.toFixed(2)} %`;
}

function milliseconds(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
}
