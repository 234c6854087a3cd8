import { startMemcached } from "../../test/support/memcached.js";
import { NPM_PEERS, type Subject } from "../peers/registry.js";
import { spread } from "../rig/statistics.js";
import { buildOf } from "../subjects.js";
import { runProgram } from "./program.js";
import type { Effort, Section } from "./section.js";
import type { WebsiteFigures, WebsiteTask } from "./website.js";

/** What a request costs a web server that reads one value for it. */
export async function web(effort: Effort): Promise<Section> {
  await using server = await startMemcached({ args: ["-t", "1", "-m", "64"] });
  const servers = [server.address];
  const subjects: Subject[] = [
    { name: "tslibmc", peer: "tslibmc", servers, build: buildOf(process.cwd()) },
    ...[...NPM_PEERS, "nothing" as const].map((peer): Subject => ({ name: peer, peer, servers })),
  ];
  const found = new Map<Subject, WebsiteFigures[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < effort.longRounds; round++) {
    for (const [subject, figures] of found) {
      effort.say(`web: round ${round + 1} of ${effort.longRounds}, ${subject.name}`);
      const task: WebsiteTask = { subject, requests: effort.windowMs * 200 };
      figures.push(await runProgram<WebsiteFigures>("website.js", task));
    }
  }
  return {
    title: "A web server",
    note: 'A `node:http` server that reads 100 bytes for each request, and 64 visitors with a connection each, in another process. "nothing" reads from a map: what is left is the web server.',
    columns: ["CPU µs/request", "requests/s"],
    rows: subjects.map((subject) => ({
      name: subject.name,
      figures: [
        spread(found.get(subject)!.map(({ cpuMicros }) => cpuMicros)),
        spread(found.get(subject)!.map(({ requestsPerSecond }) => requestsPerSecond)),
      ],
    })),
  };
}
