import { startMemcacheds } from "../../test/support/memcached.js";
import type { Workload } from "../load/workload.js";
import { ClientProcess } from "../rig/process.js";
import { measureRounds, type Series } from "../rig/rounds.js";
import { spread } from "../rig/statistics.js";
import { buildOf } from "../subjects.js";
import type { Effort, Row, Section } from "./section.js";

const COUNTS = [1, 10, 100];

const SMALL = { size: 100, keys: 1000 };

/** Several in flight in each, so that nothing depends on which core is woken. */
const WORKLOADS: readonly Workload[] = [
  { name: "get-64", title: "get, 64 in flight", kind: "get", inFlight: 64, ...SMALL },
  { name: "get-1024", title: "get, 1024 in flight", kind: "get", inFlight: 1024, ...SMALL },
  {
    name: "multi-2",
    title: "getMulti of 1,000",
    kind: "getMulti",
    inFlight: 2,
    ...SMALL,
    batch: 1000,
  },
];

/** What an operation costs when the keys lie on ever more servers. */
export async function servers(effort: Effort): Promise<Section> {
  const all = await startMemcacheds(Math.max(...COUNTS), { args: ["-t", "1", "-m", "8"] });
  const build = buildOf(process.cwd());
  const clients = COUNTS.map((count) => {
    const addresses = all.slice(0, count).map(({ address }) => address);
    const options = { behaviors: { ketama: true } };
    const name = count === 1 ? "1 server" : `${count} servers`;
    return new ClientProcess({ name, peer: "tslibmc", servers: addresses, build, options }, "");
  });
  try {
    const series: Series[] = [];
    for (const workload of WORKLOADS) {
      for (const client of clients) {
        await client.prepare(workload);
        series.push({ client, workload, samples: [] });
      }
    }
    await measureRounds(series, { ...effort, servers: [] });
    return {
      title: "More servers",
      note: "Client CPU per operation in µs, on a ketama ring of memcacheds with one thread each.",
      columns: clients.map(({ subject }) => subject.name),
      rows: WORKLOADS.map((workload): Row => {
        const own = series.filter((one) => one.workload === workload);
        return {
          name: workload.title,
          figures: own.map(({ samples }) => spread(samples.map(({ cpu }) => cpu))),
        };
      }),
    };
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(all.map((server) => server[Symbol.asyncDispose]()));
  }
}
