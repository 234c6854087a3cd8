import { startMemcached } from "../../test/support/memcached.js";
import { NPM_PEERS, type Subject } from "../peers/registry.js";
import { spread } from "../rig/statistics.js";
import { buildOf } from "../subjects.js";
import type { HeapFigures, HeapTask } from "./heap.js";
import { runProgram } from "./program.js";
import type { Effort, Row, Section } from "./section.js";

/** So much is allocated before the young generation is collected, in MiB: what is counted has to fit. */
const YOUNG_MIB = 256;

/** What a get allocates, and what a value takes that is kept. */
export async function memory(effort: Effort): Promise<Section> {
  await using server = await startMemcached({ args: ["-t", "1", "-m", "256"] });
  const servers = [server.address];
  const subjects: Subject[] = [
    { name: "tslibmc", peer: "tslibmc", servers, build: buildOf(process.cwd()) },
    ...NPM_PEERS.map((peer): Subject => ({ name: peer, peer, servers })),
  ];
  const rows: Row[] = [];
  for (const subject of subjects) {
    const found: HeapFigures[] = [];
    for (let round = 0; round < effort.longRounds; round++) {
      effort.say(`memory: ${subject.name}`);
      const task: HeapTask = { subject, values: effort.values };
      const flags = [
        "--expose-gc",
        `--max-semi-space-size=${YOUNG_MIB}`,
        `--min-semi-space-size=${YOUNG_MIB}`,
      ];
      found.push(await runProgram<HeapFigures>("heap.js", task, flags));
    }
    const of = (figure: keyof HeapFigures) => {
      const figures = found.flatMap((one) => one[figure] ?? []);
      return figures.length === 0 ? undefined : spread(figures);
    };
    rows.push({ name: subject.name, figures: [of("allocated"), of("keptText"), of("keptBytes")] });
  }
  return {
    title: "Memory",
    note: `Bytes that a get of 100 bytes allocates, 64 in flight, with a young generation that is not collected meanwhile; and bytes that each of ${effort.values.toLocaleString("en")} values of 100 bytes takes that the program keeps, as text and as a Buffer: heap and external memory after a collection.`,
    columns: ["allocated by a get", "kept as text", "kept as a Buffer"],
    rows,
  };
}
