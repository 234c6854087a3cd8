/** Runs the test suite on every Node that is supported, each fetched by npx. */
import { run } from "./command.mjs";
import { explained } from "./explained.mjs";
import { findNode, nodeCommand, SUPPORTED } from "./nodes.mjs";
import { inWords, runVitest, sum } from "./vitest.mjs";

const USAGE = `npm run matrix                       every test on Node ${SUPPORTED.join(", ")}
npm run matrix -- 22 24              on these
npm run matrix -- 22 -- test/ring    these tests on this one
`;

const { versions, tests } = explained(USAGE, () => {
  const args = process.argv.slice(2);
  const split = args.includes("--") ? args.indexOf("--") : args.length;
  const given = args.slice(0, split);
  const odd = given.find((version) => !/^\d/.test(version));
  if (odd !== undefined) throw new TypeError(`${odd} is no version of Node`);
  return { versions: given.length > 0 ? given : SUPPORTED, tests: args.slice(split + 1) };
});

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
