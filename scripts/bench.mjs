/**
 * Runs the benchmark of bench/, with its own packages and a fresh build. Arguments are the
 * benchmark's: `npm run bench -- --help`.
 */
import { root, run, tool } from "./command.mjs";
import { installPackages } from "./packages.mjs";

await installPackages("bench");
/** @type {readonly [command: string, args: readonly string[]][]} */
const steps = [
  [process.execPath, ["scripts/build.mjs", "--if-stale"]],
  [tool("tsc"), ["-p", "bench/tsconfig.json"]],
  [process.execPath, [`${root}bench/dist/bench/main.js`, ...process.argv.slice(2)]],
];
for (const [command, args] of steps) {
  const { ok } = await run(command, args);
  if (!ok) process.exit(1);
}
