import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run } from "./command.mjs";

/** Where vitest keeps what it found in type tests, and does not notice a changed tsconfig.json. */
const TYPE_ERRORS = join(root, "node_modules/vitest/dist/tsconfig.tmp.tsbuildinfo");

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * Runs the test suite, showing it as it goes, and counts. Whatever makes vitest exit with
 * an error counts as a failure, be it no test's own: an unhandled rejection, a file that
 * cannot be imported, a worker that died.
 * @param {readonly string[]} args what to run, and vitest's options
 * @param {readonly string[]} node the command that runs Node
 * @returns {Promise<Counts>}
 */
export async function runVitest(args, node = [process.execPath]) {
  const [command = "", ...first] = node;
  const folder = mkdtempSync(join(tmpdir(), "vitest-"));
  const report = join(folder, "report.json");
  rmSync(TYPE_ERRORS, { force: true });
  const { ok } = await run(command, [
    ...first,
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...args,
  ]);
  const counts = readCounts(report);
  rmSync(folder, { recursive: true });
  if (!ok && counts.failed === 0) counts.failed = 1;
  return counts;
}

/**
 * @param {string} report
 * @returns {Counts}
 */
function readCounts(report) {
  try {
    const found = JSON.parse(readFileSync(report, "utf8"));
    return {
      passed: found.numPassedTests,
      failed: found.numFailedTests,
      skipped: found.numPendingTests + found.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/**
 * The sum of several runs.
 * @param {readonly Counts[]} runs
 * @returns {Counts}
 */
export function sum(runs) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of runs) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}

/**
 * `N passed, N failed`, and how many were skipped if any were.
 * @param {Counts} counts
 */
export function inWords({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
