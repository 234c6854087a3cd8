/**
 * Runs the test suite on every Node that is supported, each fetched by npx.
 *
 *   npm run matrix                    all of them
 *   npm run matrix -- 22 24           these
 *   npm run matrix -- 22 -- test/ring these tests on this one
 */
import { run } from "./command.mjs";
import { findNode, nodeCommand, SUPPORTED } from "./nodes.mjs";
import { inWords, runVitest, sum } from "./vitest.mjs";

const args = process.argv.slice(2);
const split = args.includes("--") ? args.indexOf("--") : args.length;
const versions = split > 0 ? args.slice(0, split) : SUPPORTED;
const tests = args.slice(split + 1);

const build = await run(process.execPath, ["scripts/build.mjs", "--if-stale"]);
const results = [];
for (const wanted of versions) {
  const name = await findNode(wanted).then(
    ({ version }) => `v${version}`,
    (error) => `${wanted} (not found: ${error.message})`,
  );
  console.log(`\nNode ${name}`);
  const counts = await runVitest(tests, nodeCommand(wanted));
  results.push({ name, counts });
}

console.log("");
for (const { name, counts } of results) console.log(`Node ${name}: ${inWords(counts)}`);
const total = sum(results.map((result) => result.counts));
if (!build.ok) total.failed++;
process.exitCode = total.failed > 0 ? 1 : 0;
console.log(inWords(total));
