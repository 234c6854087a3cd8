import { startMemcached } from "../../test/support/memcached.js";
import type { Workload } from "../load/workload.js";
import { ClientProcess } from "../rig/process.js";
import { measureRounds, type Series } from "../rig/rounds.js";
import { spread } from "../rig/statistics.js";
import { buildOf } from "../subjects.js";
import type { Effort, Section } from "./section.js";

const BATCHES = [10, 100, 1000, 10_000];

/** What a key of a getMulti costs, the more it asks for: the same, if all is linear. */
export async function keys(effort: Effort): Promise<Section> {
  await using server = await startMemcached({ args: ["-t", "1", "-m", "64"] });
  const servers = [server.address];
  const build = buildOf(process.cwd());
  const client = new ClientProcess({ name: "tslibmc", peer: "tslibmc", servers, build }, "");
  const series: Series[] = [];
  for (const batch of BATCHES) {
    const workload: Workload = {
      ...{ name: `multi-of-${batch}`, title: `getMulti of ${batch.toLocaleString("en")}` },
      ...{ kind: "getMulti", inFlight: 1, size: 100, keys: Math.max(1000, batch), batch },
    };
    await client.prepare(workload);
    series.push({ client, workload, samples: [] });
  }
  await measureRounds(series, { ...effort, servers: [server.pid] });
  await client.close();
  return {
    title: "More keys in a call",
    note: "One getMulti at a time, client and server on one core: client CPU and time, µs a key.",
    columns: ["CPU", "time"],
    rows: series.map(({ workload, samples }, n) => ({
      name: workload.title,
      figures: [
        spread(samples.map(({ cpu }) => cpu / BATCHES[n]!)),
        spread(samples.map(({ opsPerSecond }) => 1e6 / opsPerSecond / BATCHES[n]!)),
      ],
    })),
  };
}
