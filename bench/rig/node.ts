import { findNode } from "../../scripts/nodes.mjs";

/** A Node that clients can be run by. */
export interface NodeProgram {
  readonly version: string;
  readonly program: string;
}

/** The one that runs the benchmark. */
export const THIS_NODE: NodeProgram = {
  ...{ version: process.versions.node, program: process.execPath },
};

/** These Nodes, which npx fetches, but for the one that runs this. */
export async function findNodes(versions: readonly string[]): Promise<NodeProgram[]> {
  const found: NodeProgram[] = [];
  for (const wanted of versions) found.push(isThis(wanted) ? THIS_NODE : await findNode(wanted));
  return found;
}

function isThis(wanted: string): boolean {
  return `${THIS_NODE.version}.`.startsWith(`${wanted}.`);
}
