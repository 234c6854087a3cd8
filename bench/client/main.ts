/**
 * What the client itself costs, with neither kernel nor server: µs of CPU per operation on a
 * stand-in for the socket. It is the steadiest figure there is for a change of the hot path.
 */
import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { explained } from "../../scripts/explained.mjs";
import { checkOut } from "../checkout.js";
import { count } from "../options.js";
import { say } from "../progress.js";
import { rows, withRange } from "../report/table.js";
import { spread } from "../rig/statistics.js";

const WORKER = fileURLToPath(new URL("./worker.js", import.meta.url));

type Costs = Readonly<Record<string, number>>;

const USAGE = `npm run bench:client -- [options]

  --rounds N       rounds (default 5)
  --compare REF    this checkout and another commit of it, in turn
`;

const { compare, rounds } = explained(USAGE, () => {
  const { values } = parseArgs({
    options: { compare: { type: "string" }, rounds: { type: "string" } },
  });
  return { compare: values.compare, rounds: count("rounds", values.rounds, 5) };
});
const builds = new Map([["this checkout", resolve("dist/esm/index.js")]]);
using checkout = compare === undefined ? undefined : checkOut(compare);
if (checkout !== undefined) {
  builds.set(compare!, join(checkout.path, "dist/esm/index.js"));
}
await measure(builds, rounds);

async function measure(builds: ReadonlyMap<string, string>, rounds: number): Promise<void> {
  const costs = new Map<string, Costs[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const [name, build] of builds) {
      say(`round ${round} of ${rounds}: ${name}`);
      costs.set(name, [...(costs.get(name) ?? []), await costsOf(build)]);
    }
  }
  say("");
  const names = [...builds.keys()];
  const workloads = Object.keys(costs.get(names[0]!)![0]!);
  const body = workloads.map((workload) => [
    workload,
    ...names.map((name) => withRange(spread(costs.get(name)!.map((round) => round[workload]!)))),
  ]);
  console.log(rows(["client CPU µs/op, without a socket", ...names], body));
}

async function costsOf(build: string): Promise<Costs> {
  const { stdout } = await promisify(execFile)(process.execPath, [WORKER, build]);
  return JSON.parse(stdout) as Costs;
}
