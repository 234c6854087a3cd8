/**
 * What grows with servers, keys, threads and processes, and what a client weighs. The current folder is the project's. A whole run is written to bench/results/scale.json and
 * .md, any other to bench/results/tmp/.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { explained } from "../../scripts/explained.mjs";
import { NPM_PEERS } from "../peers/registry.js";
import { say } from "../progress.js";
import { machine } from "../report/machine.js";
import { findNodes, THIS_NODE } from "../rig/node.js";
import { npmVersion, ownVersion } from "../subjects.js";
import { deopts } from "./deopts.js";
import { flat } from "./flat.js";
import { keys } from "./keys.js";
import { type ScaleResult, toPage, toTable } from "./markdown.js";
import { memory } from "./memory.js";
import { saturation } from "./saturation.js";
import { type Effort, FULL, QUICK, type Section } from "./section.js";
import { servers } from "./servers.js";
import { size } from "./size.js";
import { start } from "./start.js";
import { threads } from "./threads.js";
import { web } from "./web.js";

const SECTIONS: Readonly<Record<string, (effort: Effort) => Promise<Section>>> = {
  ...{ web, servers, keys, threads, saturation, start, size, memory, flat, deopts },
};

const USAGE = `npm run bench:scale -- [sections] [options]

  --quick           short, to see that it works
  --nodes 20,24     deopts on each of these Nodes, which npx fetches

Sections: ${Object.keys(SECTIONS).join(" ")} (default: all)
`;

const { names, isQuick, versions } = explained(USAGE, () => {
  const { values, positionals } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      nodes: { type: "string", default: "" },
    },
    allowPositionals: true,
  });
  const unknown = positionals.find((name) => !Object.hasOwn(SECTIONS, name));
  if (unknown !== undefined) throw new TypeError(`Nothing is named ${unknown}`);
  const versions = values.nodes.split(",").filter(Boolean);
  return { names: positionals, isQuick: values.quick, versions };
});
await measure(names, isQuick, versions);

async function measure(
  names: readonly string[],
  isQuick: boolean,
  versions: readonly string[],
): Promise<void> {
  const nodes = [...new Set([THIS_NODE, ...(await findNodes(versions))])];
  const effort: Effort = { ...(isQuick ? QUICK : FULL), nodes, say };
  const loadBefore = loadavg()[0] ?? 0;
  const sections: Section[] = [];
  for (const name of names.length === 0 ? Object.keys(SECTIONS) : names) {
    const section = await SECTIONS[name]!(effort);
    say("");
    console.log(`${toTable(section)}\n`);
    sections.push(section);
  }
  const result: ScaleResult = {
    date: new Date().toISOString(),
    machine: machine(loadBefore),
    clients: [
      { name: "tslibmc", version: ownVersion() },
      ...NPM_PEERS.map((name) => ({ name, version: npmVersion(name) })),
    ],
    sections,
  };
  const out = `bench/results/${isQuick || names.length > 0 ? "tmp/" : ""}scale`;
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(`${out}.json`, `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(`${out}.md`, toPage(result));
  console.log(`Written: ${out}.json, ${out}.md`);
}
