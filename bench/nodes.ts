import { findNode } from "../scripts/nodes.mjs";
import { nameOn } from "./report/nodes.js";
import { allEntries, type Entry, type Servers } from "./subjects.js";

/** What is measured on each Node: this client, the best of the others, and what Node can do. */
export const ON_EACH_NODE: readonly string[] = [
  ...["tslibmc", "memjs", "memcache-client", "memcache"],
  ...["floor", "nothing"],
];

const THIS = { version: process.versions.node, program: process.execPath };

/** The same clients on several Nodes, which npx fetches, but for the one that runs this. */
export async function entriesOnNodes(
  versions: readonly string[],
  servers: Servers,
  wants: (client: string) => boolean,
): Promise<Entry[]> {
  const clients = allEntries(servers).filter(
    ({ subject }) => ON_EACH_NODE.includes(subject.name) && wants(subject.name),
  );
  const entries: Entry[] = [];
  for (const wanted of versions) {
    const { version: node, program } = isThis(wanted) ? THIS : await findNode(wanted);
    for (const client of clients) {
      const name = nameOn(client.subject.name, node);
      entries.push({ ...client, node, subject: { ...client.subject, name, program } });
    }
  }
  return entries;
}

function isThis(wanted: string): boolean {
  return `${THIS.version}.`.startsWith(`${wanted}.`);
}
