import { bestPeer } from "./goals.js";
import { type Result, spreadOf, titleOf } from "./result.js";
import { shortly } from "./table.js";

const WIDTH = 1000;
const ROW = 36;
const TOP = 96;
const LEFT = 200;
const RIGHT = 180;

/** What is left free at both ends of the scale, in decades. */
const MARGIN = 0.1;

const OURS = "#c2410c";
const COLOURS: Readonly<Record<string, string>> = {
  tslibmc: OURS,
  memjs: "#2563eb",
  memcached: "#0891b2",
  "memcache-client": "#16a34a",
  memcache: "#7c3aed",
  "@keyv/memcache": "#db2777",
  pylibmc: "#ca8a04",
  ioredis: "#94a3b8",
  floor: "#111827",
};

/**
 * The result as a chart: a row for each workload, a dot for each client on a logarithmic
 * scale of CPU per operation, with a line from its best round to its worst.
 */
export function toChart(result: Result): string {
  const clients = result.clients.map(({ name }) => name).filter((name) => name in COLOURS);
  const scale = scaleOf(result, clients);
  const height = TOP + result.workloads.length * ROW + 40;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>Client CPU per operation, by client and workload</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="16" y="26" font-size="17" font-weight="600">Client CPU per operation, µs</text>
<text x="${WIDTH - 16}" y="26" text-anchor="end" fill="#6b7280">less is better; logarithmic; Node ${escaped(result.machine.node)}, ${escaped(result.machine.cpu)}</text>
${legend(clients)}
${axis(scale, height)}
${result.workloads.map((_, row) => drawRow(result, row, clients, scale)).join("\n")}
</svg>
`;
}

interface Scale {
  readonly decades: readonly number[];
  x(figure: number): number;
}

function scaleOf(result: Result, clients: readonly string[]): Scale {
  const all = result.series.filter(({ client }) => clients.includes(client));
  const figures = all.flatMap(({ samples }) => samples.map(({ cpu }) => cpu));
  const low = Math.log10(Math.min(...figures)) - MARGIN;
  const high = Math.log10(Math.max(...figures)) + MARGIN;
  const first = Math.ceil(low);
  const width = WIDTH - LEFT - RIGHT;
  return {
    decades: Array.from({ length: Math.floor(high) - first + 1 }, (_, i) => 10 ** (first + i)),
    x: (figure) => round(LEFT + ((Math.log10(figure) - low) / (high - low)) * width),
  };
}

function legend(clients: readonly string[]): string {
  let x = 16;
  const items = clients.map((name) => {
    const item = `<circle cx="${x + 5}" cy="52" r="${name === "tslibmc" ? 6 : 4.5}" fill="${COLOURS[name]}"/><text x="${x + 15}" y="56"${name === "tslibmc" ? ' font-weight="600"' : ""}>${escaped(name)}</text>`;
    x += 32 + name.length * 8;
    return item;
  });
  return items.join("\n");
}

function axis({ decades, x }: Scale, height: number): string {
  const lines = decades.map(
    (decade) =>
      `<line x1="${x(decade)}" x2="${x(decade)}" y1="${TOP - 8}" y2="${height - 34}" stroke="#e5e7eb"/><text x="${x(decade)}" y="${height - 16}" text-anchor="middle" fill="#6b7280">${decade.toLocaleString("en")}</text>`,
  );
  const heading = `<text x="${WIDTH - 16}" y="${TOP - 14}" text-anchor="end" fill="${OURS}">times cheaper than</text>`;
  return [...lines, heading].join("\n");
}

function drawRow(result: Result, row: number, clients: readonly string[], { x }: Scale): string {
  const workload = result.workloads[row]!;
  const y = TOP + row * ROW + ROW / 2;
  const stripe = `<rect x="8" y="${y - ROW / 2}" width="${WIDTH - 16}" height="${ROW}" rx="4" fill="${row % 2 === 0 ? "#f9fafb" : "none"}" fill-opacity="0.6"/>`;
  const dots = [...clients].reverse().map((name) => {
    const found = spreadOf(result, name, workload.name);
    if (found === undefined) return "";
    const colour = COLOURS[name];
    return `<line x1="${x(found.min)}" x2="${x(found.max)}" y1="${y}" y2="${y}" stroke="${colour}" stroke-opacity="0.35" stroke-width="2"/><circle cx="${x(found.median)}" cy="${y}" r="${name === "tslibmc" ? 7 : 4.5}" fill="${colour}"><title>${escaped(name)}: ${shortly(found.median)} µs</title></circle>`;
  });
  return [
    stripe,
    `<text x="16" y="${y + 4}">${escaped(titleOf(workload))}</text>`,
    ...dots,
    `<text x="${WIDTH - 16}" y="${y + 4}" text-anchor="end" fill="${OURS}">${timesCheaper(result, workload.name)}</text>`,
  ].join("");
}

/** By how many times this client is cheaper than the best of the npm clients. */
function timesCheaper(result: Result, workload: string): string {
  const best = bestPeer(result, workload);
  const ours = spreadOf(result, "tslibmc", workload);
  const its = best === undefined ? undefined : spreadOf(result, best, workload);
  if (ours === undefined || its === undefined) return "";
  return `${shortly(Number((its.median / ours.median).toPrecision(2)))}× ${escaped(best ?? "")}`;
}

function round(figure: number): number {
  return Math.round(figure * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
