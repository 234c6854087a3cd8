import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs a program of this folder in a process of its own; what it prints last is its result. */
export async function runProgram<Result>(
  name: string,
  task: object,
  nodeOptions: readonly string[] = [],
): Promise<Result> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const { stdout } = await run(process.execPath, [...nodeOptions, program, JSON.stringify(task)]);
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Result;
}
