import type { Figures } from "./simulation.js";

/** One panel: what it shows of a policy, as a length. */
interface Panel {
  readonly title: string;
  readonly figure: (figures: Figures) => number;
  readonly show: (figure: number) => string;
}

const percent = (share: number): string => `${(share * 100).toPrecision(3)} %`;

const PANELS: readonly Panel[] = [
  { title: "reads that failed", figure: ({ reads }) => 1 - reads, show: percent },
  { title: "reads without a hit", figure: ({ hits }) => 1 - hits, show: percent },
  { title: "deletions that failed", figure: ({ deletions }) => 1 - deletions, show: percent },
  { title: "hits that were stale", figure: ({ stale }) => stale, show: percent },
  { title: "p99.9 of a read", figure: ({ p999 }) => p999, show: (ms) => `${ms.toPrecision(3)} ms` },
];

const LEFT = 210;
const PANEL = 170;
const BAR = 92;
const TOP = 84;
const ROW = 30;

/** The figures of each policy as bars, each panel on its own scale from 0. */
export function chart(all: readonly Figures[], subtitle: string): string {
  const width = LEFT + PANELS.length * PANEL + 10;
  const height = TOP + all.length * ROW + 20;
  const labels = all.map(
    ({ policy }, row) =>
      `<text x="${LEFT - 16}" y="${middle(row) + 4}" text-anchor="end">${escaped(policy)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="#222">
<title>What each policy makes of failing servers</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="26" font-size="15">What each policy makes of failing servers: shorter is better</text>
<text x="16" y="46" fill="#666">${escaped(subtitle)}</text>
${labels.join("\n")}
${PANELS.map((panel, n) => drawPanel(panel, LEFT + n * PANEL, all)).join("\n")}
</svg>
`;
}

function drawPanel({ title, figure, show }: Panel, x: number, all: readonly Figures[]): string {
  const most = Math.max(...all.map(figure), Number.MIN_VALUE);
  const bars = all.map((figures, row) => {
    const length = ((figure(figures) / most) * BAR).toFixed(1);
    return `<rect x="${x}" y="${middle(row) - 8}" width="${length}" height="16" fill="#1f6f8b"/><text x="${(x + Number(length) + 5).toFixed(1)}" y="${middle(row) + 4}">${show(figure(figures))}</text>`;
  });
  return [
    `<text x="${x}" y="${TOP - 10}" font-weight="600">${title}</text>`,
    `<line x1="${x}" x2="${x}" y1="${TOP}" y2="${TOP + all.length * ROW}" stroke="#999"/>`,
    ...bars,
  ].join("\n");
}

function middle(row: number): number {
  return TOP + row * ROW + ROW / 2;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
