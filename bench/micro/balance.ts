/**
 * How evenly each ring shares a million keys: writes docs/balance.svg and prints the
 * figures. Run it with `npx tsx bench/micro/balance.ts`.
 */
import { writeFileSync } from "node:fs";
import { Placement, type PlacementOptions } from "../../src/ring/placement.js";

const KEYS = 1_000_000;

const rings: readonly (readonly [label: string, options: PlacementOptions])[] = [
  ["modula", { behaviors: { distribution: "modula" } }],
  ["virtual bucket", { behaviors: { distribution: "virtual bucket" } }],
  ["ketama", { behaviors: { ketama: true } }],
  ["ketama, hash md5", { behaviors: { ketama: true, hash: "md5" } }],
  ["ketama, hash fnv1a_32", { behaviors: { ketama: true, hash: "fnv1a_32" } }],
  ["ketama, hash murmur", { behaviors: { ketama: true, hash: "murmur" } }],
  ["ketama_weighted", { behaviors: { ketama_weighted: true } }],
  ["consistent ketama spy", { behaviors: { distribution: "consistent ketama spy" } }],
  ["dalli", { preset: "dalli" }],
  ["rendezvous", { behaviors: { distribution: "rendezvous" } }],
  ["jump", { behaviors: { distribution: "jump" } }],
];

interface Row {
  readonly label: string;
  /** Each server's keys as a multiple of its fair share. */
  readonly shares: readonly number[];
}

function measure(count: number): Row[] {
  const servers = Array.from({ length: count }, (_, i) => {
    return { host: `10.0.0.${i + 1}`, port: 11211, weight: 1 };
  });
  return rings.map(([label, options]) => {
    const placement = new Placement(options, servers);
    const counts = new Array<number>(count).fill(0);
    for (let i = 0; i < KEYS; i++) counts[placement.locate(`user:${i}:profile`)]!++;
    return { label, shares: counts.map((keys) => (keys * count) / KEYS) };
  });
}

function figures(shares: readonly number[]): string {
  const variance = shares.reduce((sum, share) => sum + (share - 1) ** 2, 0) / shares.length;
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  return [least, most, Math.sqrt(variance)].map((figure) => figure.toFixed(3)).join(" | ");
}

const LEFT = 190;
const WIDTH = 560;
const ROW = 30;
const TOP = 54;
const LIMIT = 2;

const x = (share: number) => (LEFT + (Math.min(share, LIMIT) / LIMIT) * WIDTH).toFixed(1);

function plot(rows: readonly Row[], count: number): string {
  const bottom = TOP + rows.length * ROW;
  const ticks = [0, 0.5, 1, 1.5, 2].map((share) => {
    const dashes = share === 1 ? "" : ' stroke-dasharray="2 4"';
    return `<line x1="${x(share)}" x2="${x(share)}" y1="${TOP - 6}" y2="${bottom}" stroke="#999"${dashes}/>
<text x="${x(share)}" y="${bottom + 18}" text-anchor="middle">${share}${share === LIMIT ? " or more" : ""}</text>`;
  });
  const marks = rows.map(({ label, shares }, row) => {
    const y = TOP + row * ROW + ROW / 2;
    const dots = shares.map((share) => `<circle cx="${x(share)}" cy="${y}" r="5"/>`);
    return `<text x="${LEFT - 14}" y="${y + 4}" text-anchor="end">${label}</text>
<g fill="#1f6f8b" fill-opacity="0.55">${dots.join("")}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="${bottom + 50}" viewBox="0 0 800 ${bottom + 50}" font-family="sans-serif" font-size="13" fill="#222">
<title>Each server's load on ${count} servers</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="26" font-size="15">A million keys on ${count} servers: each server's load as a multiple of its fair share</text>
${ticks.join("\n")}
${marks.join("\n")}
</svg>
`;
}

writeFileSync(new URL("../../docs/balance.svg", import.meta.url), plot(measure(10), 10));
for (const count of [10, 100]) {
  console.log(`\n${count} servers: least | most | standard deviation`);
  for (const { label, shares } of measure(count)) console.log(`${label} | ${figures(shares)}`);
}
