import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type NodeProgram, THIS_NODE } from "../rig/node.js";

const run = promisify(execFile);

/**
 * Runs a program of this folder in a process of its own. The last object that it prints is its
 * result; V8 itself may print more, for some of its options.
 */
export async function runProgram<Result>(
  name: string,
  task: object,
  nodeOptions: readonly string[] = [],
  node: NodeProgram = THIS_NODE,
): Promise<Result> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const { stdout } = await run(node.program, [...nodeOptions, program, JSON.stringify(task)]);
  const result = stdout.split("\n").findLast((line) => line.startsWith("{"));
  return JSON.parse(result ?? "") as Result;
}
