/**
 * Everything that has to hold: the build, lint, types, the API report, and the test suite.
 * Arguments go to vitest: `npm test -- test/ring`. The last line is the count.
 */
import { run, tool } from "./command.mjs";
import { inWords, runVitest, sum } from "./vitest.mjs";

const node = process.execPath;

/** @type {readonly [name: string, command: string, args: readonly string[]][]} */
const CHECKS = [
  ["build", node, ["scripts/build.mjs"]],
  ["lint and format", tool("biome"), ["check", "--error-on-warnings", "."]],
  ["examples in the documentation", node, ["scripts/doctest.mjs"]],
  ["types", tool("tsc"), ["-p", "tsconfig.json"]],
  ["unused code", tool("knip"), []],
  ["public API as in etc/", node, ["scripts/api-report.mjs", "--check"]],
];

const checks = [];
for (const [name, command, args] of CHECKS) {
  const start = performance.now();
  const { ok, output } = await run(command, args, { quiet: true });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${ok ? "✓" : "✗"} ${name} (${seconds} s)`);
  if (!ok) console.log(output);
  checks.push({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 });
}

const counts = sum([...checks, await runVitest(process.argv.slice(2))]);
process.exitCode = counts.failed > 0 ? 1 : 0;
console.log(inWords(counts));
