/**
 * Builds dist/: the same sources once as ES modules and once as CommonJS.
 *
 *   node scripts/build.mjs              builds
 *   node scripts/build.mjs --if-stale   builds if a source is newer than what is built
 */
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, tool } from "./command.mjs";

const CONFIGURATIONS = ["tsconfig.build.json", "tsconfig.cjs.json"];

/** Written last, so its age is the build's. */
const SEAL = join(root, "dist/cjs/package.json");

if (!process.argv.includes("--if-stale") || isStale()) await build();

async function build() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const passes = await Promise.all(
    CONFIGURATIONS.map((configuration) => run(tool("tsc"), ["-p", configuration])),
  );
  if (passes.some((pass) => !pass.ok)) process.exit(1);

  const { bin = {} } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const file of Object.values(bin)) chmodSync(join(root, file), 0o755);
  writeFileSync(SEAL, '{ "type": "commonjs" }\n');
}

function isStale() {
  const built = changedAt(SEAL);
  const inputs = ["src", "package.json", "tsconfig.base.json", ...CONFIGURATIONS];
  return inputs.some((input) => newestIn(join(root, input)) > built);
}

/**
 * The latest change in a file or folder. A folder's own date tells of files taken away.
 * @param {string} path
 * @returns {number}
 */
function newestIn(path) {
  const entries = statSync(path).isDirectory() ? readdirSync(path) : [];
  return Math.max(changedAt(path), ...entries.map((entry) => newestIn(join(path, entry))));
}

/** @param {string} path */
function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
