/**
 * What several connections to a server are good for: latencies of small reads while large
 * values are read or set, over 1, 2 and 4 connections, in interleaved rounds.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { explained } from "../../scripts/explained.mjs";
import { startMemcached } from "../../test/support/memcached.js";
import { count } from "../options.js";
import { say } from "../progress.js";
import { rows, withRange } from "../report/table.js";
import { spread } from "../rig/statistics.js";
import { type Beside, type Client, prepare, run, type Sample } from "./load.js";

const COUNTS = [1, 2, 4];
const BESIDE: readonly Beside[] = ["nothing", "get", "set"];
const TITLES = { nothing: "nothing", get: "4 × get 1 MB", set: "4 × set 1 MB" };

/** Set within the network that has a link of its own speed. */
const INSIDE = "TSLIBMC_BENCH_LINK";

interface Series {
  readonly connections: number;
  readonly beside: Beside;
  readonly samples: Sample[];
}

const USAGE = `npm run bench:connections -- [options]

  --rounds N       rounds that count (default 9)
  --window MS      how long each of them lasts (default 300)
  --link 1gbit     over a link of that speed (Linux, as root)
`;

const { rounds, windowMs, link } = explained(USAGE, () => {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string" },
      window: { type: "string" },
      link: { type: "string" },
    },
  });
  if (values.link !== undefined && !/^\d+[kmg]?bit$/.test(values.link)) {
    throw new TypeError("--link takes a rate such as 1gbit");
  }
  return {
    rounds: count("rounds", values.rounds, 9),
    windowMs: count("window", values.window, 300),
    link: values.link,
  };
});
if (link !== undefined && process.env[INSIDE] === undefined) runBehindLink(link);
else await main();

/** Runs this program again where the loopback device is as slow as the link. */
function runBehindLink(link: string): void {
  const slow = `ip link set lo up && tc qdisc add dev lo root tbf rate ${link} burst 128k latency 20ms`;
  const args = ["-n", "sh", "-c", `${slow} && exec "$@"`, "sh", ...process.argv];
  const { status } = spawnSync("unshare", args, {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: link },
  });
  process.exitCode = status ?? 1;
}

async function main(): Promise<void> {
  await using server = await startMemcached({ args: ["-t", "4", "-m", "512"] });
  const clients = new Map<number, Client>();
  for (const connections of COUNTS) {
    const client = await clientOf(server.address, connections);
    clients.set(connections, client);
    await prepare(client);
  }
  const series: Series[] = BESIDE.flatMap((beside) =>
    COUNTS.map((connections) => ({ connections, beside, samples: [] })),
  );
  for (let round = -1; round < rounds; round++) {
    const turned = series.map((_, i) => series[(i + round + series.length) % series.length]!);
    for (const one of turned) {
      say(`round ${round + 1} of ${rounds}: ${one.connections} beside ${one.beside}`);
      const sample = await run(clients.get(one.connections)!, one.beside, windowMs);
      if (round >= 0) one.samples.push(sample);
    }
  }
  say("");
  await Promise.all([...clients.values()].map((client) => client.close()));
  report({ date: new Date().toISOString(), rounds, windowMs, link: link ?? "loopback", series });
}

/** The package as it is built, so that what is measured is what is used. */
async function clientOf(server: string, connections: number): Promise<Client> {
  const build = pathToFileURL(`${process.cwd()}/dist/esm/index.js`).href;
  const { Client } = (await import(build)) as {
    Client: new (server: string, options: object) => Client;
  };
  return new Client(server, { connections, timeoutMs: 10_000 });
}

function report(result: {
  readonly date: string;
  readonly rounds: number;
  readonly windowMs: number;
  readonly link: string;
  readonly series: readonly Series[];
}): void {
  const table = rows(
    ["beside", "connections", "p50, ms", "p99, ms", "small reads/s", "large values/s"],
    result.series.map(({ beside, connections, samples }) => [
      TITLES[beside],
      String(connections),
      ...(["p50", "p99", "smallPerSecond", "largePerSecond"] as const).map((figure) =>
        withRange(spread(samples.map((sample) => sample[figure]))),
      ),
    ]),
  );
  console.log(table);
  const page = `# Several connections, ${result.date.slice(0, 10)}

${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}, memcached with 4 threads, over ${result.link};
${result.rounds} interleaved rounds of ${result.windowMs} ms, 16 reads of 100 bytes in flight. Each figure is the median
(least to most) of the rounds.

${table}
`;
  const out = `bench/results/connections${result.link === "loopback" ? "" : `-${result.link}`}`;
  mkdirSync("bench/results", { recursive: true });
  writeFileSync(`${out}.json`, `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(`${out}.md`, page);
  console.log(`Written: ${out}.json, ${out}.md`);
}
