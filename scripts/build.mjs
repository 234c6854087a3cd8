/**
 * Builds dist/: the same sources once as ES modules and once as CommonJS. Each entry point
 * is one file, with what several share beside it, since a program that imports the package
 * would otherwise look for two hundred files first.
 *
 *   node scripts/build.mjs              builds
 *   node scripts/build.mjs --if-stale   builds if a source is newer than what is built
 */
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";
import { root, run, tool } from "./command.mjs";

const DECLARATIONS = ["tsconfig.build.json", "tsconfig.cjs.json"];

/** Written last, so its age is the build's. */
const SEAL = join(root, "dist/cjs/package.json");

if (!process.argv.includes("--if-stale") || isStale()) await build();

async function build() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const { bin, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.values(exports).flatMap((target) => target.import?.default ?? []);
  const programs = Object.values(bin);
  const passes = await Promise.all([
    ...DECLARATIONS.map((configuration) => run(tool("tsc"), ["-p", configuration])),
    bundle("esm", [...entries, ...programs].map(moduleName)),
    bundle("cjs", entries.map(moduleName)),
  ]);
  if (passes.some((pass) => pass?.ok === false)) process.exit(1);

  for (const format of ["esm", "cjs"])
    keepTypesOf(join(root, "dist", format), entries.map(moduleName));
  for (const file of programs) chmodSync(join(root, file), 0o755);
  writeFileSync(SEAL, '{ "type": "commonjs" }\n');
}

/**
 * What a built file is called in src/, without its ending.
 * @param {string} file
 */
function moduleName(file) {
  return file.replace(/^\.\/dist\/esm\/|\.js$/g, "");
}

/**
 * Comments stay in the declarations, where editors read them.
 * @param {"esm" | "cjs"} format
 * @param {string[]} names
 */
async function bundle(format, names) {
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
    platform: "node",
    tsconfig: "tsconfig.base.json",
  });
  const dir = `dist/${format}`;
  await build.write({ dir, format, chunkFileNames: "[name].js", comments: false });
}

/**
 * Takes away the declarations that no entry point's types lead to.
 * @param {string} dist
 * @param {string[]} names
 */
function keepTypesOf(dist, names) {
  const used = new Set(names.map((name) => join(dist, `${name}.d.ts`)));
  for (const file of used) {
    for (const [, path] of readFileSync(file, "utf8").matchAll(/"(\.[^"]+)\.js"/g)) {
      used.add(join(dirname(file), `${path}.d.ts`));
    }
  }
  for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    const file = join(dist, name);
    if (name.endsWith(".d.ts") && !used.has(file)) rmSync(file);
  }
}

function isStale() {
  const built = changedAt(SEAL);
  const inputs = ["src", "package.json", "tsconfig.base.json", ...DECLARATIONS];
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
