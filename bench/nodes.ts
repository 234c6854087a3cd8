import { nameOn } from "./report/nodes.js";
import { findNodes } from "./rig/node.js";
import { allEntries, type Entry, type Servers } from "./subjects.js";

/** What is measured on each Node: this client, the best of the others, and what Node can do. */
export const ON_EACH_NODE: readonly string[] = [
  ...["tslibmc", "memjs", "memcache-client", "memcache"],
  ...["floor", "nothing"],
];

/** The same clients on several Nodes. */
export async function entriesOnNodes(
  versions: readonly string[],
  servers: Servers,
  wants: (client: string) => boolean,
): Promise<Entry[]> {
  const clients = allEntries(servers).filter(
    ({ subject }) => ON_EACH_NODE.includes(subject.name) && wants(subject.name),
  );
  const nodes = await findNodes(versions);
  return nodes.flatMap(({ version: node, program }) =>
    clients.map((client) => {
      const name = nameOn(client.subject.name, node);
      return { ...client, node, subject: { ...client.subject, name, program } };
    }),
  );
}
