/**
 * Runs a benchmark of bench/ on a fresh build.
 *
 *   node scripts/bench.mjs               clients against servers: npm run bench -- --help
 *   node scripts/bench.mjs micro         steps in this process: npm run bench:micro
 *   node scripts/bench.mjs client        the client without a socket: npm run bench:client
 *   node scripts/bench.mjs connections   several connections: npm run bench:connections
 *   node scripts/bench.mjs scale         what grows, and what a client weighs: npm run bench:scale
 */
import { root, run, tool } from "./command.mjs";
import { installPackages } from "./packages.mjs";

const [, , first = ""] = process.argv;
const folder = ["micro", "client", "connections", "scale"].find((name) => name === first);
const args = process.argv.slice(folder === undefined ? 2 : 3);
await installPackages("bench");

/** @type {readonly [command: string, args: readonly string[]][]} */
const steps = [
  [process.execPath, ["scripts/setup.mjs", "--build"]],
  [tool("tsc"), ["-p", "bench/tsconfig.json"]],
  [process.execPath, [`${root}bench/dist/bench/${folder ? `${folder}/` : ""}main.js`, ...args]],
];
for (const [command, args] of steps) {
  const { ok } = await run(command, args);
  if (!ok) process.exit(1);
}
