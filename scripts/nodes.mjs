import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The Nodes that are supported, by their major version. */
export const SUPPORTED = ["20", "22", "24", "26"];

const WHICH = "JSON.stringify({ version: process.versions.node, program: process.execPath })";

/**
 * The command that runs a Node, which npx fetches from npm where it is not there yet.
 * @param {string} version
 */
export function nodeCommand(version) {
  return ["npx", "--yes", "--package", `node@${version}`, "node"];
}

/**
 * What a Node is exactly, and where its program lies.
 * @param {string} version
 * @returns {Promise<{ version: string, program: string }>}
 * @throws Error with what npx said, if there is none
 */
export async function findNode(version) {
  const [command = "", ...args] = nodeCommand(version);
  const { stdout } = await promisify(execFile)(command, [...args, "-p", WHICH]);
  return JSON.parse(stdout);
}
