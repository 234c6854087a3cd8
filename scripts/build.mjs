/**
 * Builds dist/: the same sources once as ES modules, which everything loads that can, and
 * once as CommonJS for tools that cannot. Code is in a few files, since a program that
 * imports the package would otherwise look for two hundred first; types are there once.
 *
 *   node scripts/build.mjs              builds
 *   node scripts/build.mjs --if-stale   builds if a source is newer than what is built
 */
import {
  appendFileSync,
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { parseAst } from "rolldown/parseAst";
import { root, run, tool } from "./command.mjs";
import { keepWhatIsReached } from "./declarations.mjs";

/** CommonJS can be imported by either, and types that are there twice are two types. */
const DECLARATIONS = "tsconfig.cjs.json";

/** What several entry points share; the first is what the embedded server needs of it. */
const SHARED = [
  { name: "protocol", test: /[\\/]src[\\/](?:errors|util|protocol)\b/ },
  {
    name: "client",
    test: /[\\/]src[\\/](?:hash|ring|value|operation|connection|routing|commands|client)\b/,
  },
];

/** Functions, classes and public members keep their names for stack traces; others become short. */
const SMALLER = {
  compress: { keepNames: { function: true, class: true } },
  mangle: { keepNames: true, toplevel: true },
};

/** Without it TypeScript 6 and later take Node's types for `any`, unless the program's tsconfig names them. */
const NODE = '/// <reference types="node" />\n';

/** @type {Record<"esm" | "cjs", import("rolldown").OutputOptions>} */
const FORMATS = {
  // Its lines stay, if not their blanks: an uncaught error prints the one that threw it.
  esm: { minify: { ...SMALLER, codegen: { removeWhitespace: false } } },
  cjs: { minify: SMALLER },
};

/** The bundler's own comments, which name the sources, whatever it is told of comments. */
const NAMES_OF_SOURCES = /^\/\/ src\/.*\n/gm;

/**
 * V8 keeps a source in half the memory if all of it is ASCII, and reads it faster. Blanks that
 * nobody reads are a tenth of the code, and a fiftieth of what is packed.
 * @type {import("rolldown").Plugin}
 */
const smaller = {
  name: "smaller",
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== "chunk") continue;
      const code = file.code.replace(NAMES_OF_SOURCES, "").replace(/[^\0-\x7f]/g, escaped);
      file.code = withoutBlanks(code);
    }
  },
};

/** Written last, so its age is the build's. */
const SEAL = join(root, "dist/cjs/package.json");

if (!process.argv.includes("--if-stale") || isStale()) await build();

async function build() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const { bin, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.values(exports).flatMap((target) => target.import?.default ?? []);
  const programs = Object.values(bin);
  const names = entries.map(moduleName);
  const [types] = await Promise.all([
    run(tool("tsc"), ["-p", DECLARATIONS]),
    bundle("esm", [...names, ...programs.map(moduleName)]),
    bundle("cjs", names),
  ]);
  if (!types.ok) process.exit(1);

  keepWhatIsReached(join(root, "dist/cjs"), names);
  for (const name of names) {
    const declarations = join(root, `dist/cjs/${name}.d.ts`);
    writeFileSync(declarations, NODE + readFileSync(declarations, "utf8"));
    appendFileSync(join(root, `dist/cjs/${name}.js`), traceOf(name));
    const types = `${"../".repeat(name.split("/").length)}cjs/${name}.js`;
    writeFileSync(join(root, `dist/esm/${name}.d.ts`), `export * from "${types}";\n`);
  }
  for (const file of programs) chmodSync(join(root, file), 0o755);
  writeFileSync(SEAL, '{ "type": "commonjs" }\n');
}

/**
 * Names the ES module that Node loads in the place of a CommonJS one, by `module-sync`. Tools that
 * copy what a program requires do not all know that condition: @vercel/nft knows it from Node 22
 * on alone, and the program that it copied could not be started. A file named like this it copies.
 * @param {string} name
 */
function traceOf(name) {
  return `()=>{__dirname+"/${"../".repeat(name.split("/").length)}esm/${name}.js"};\n`;
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
  await build.write({
    dir: `dist/${format}`,
    format,
    comments: false,
    chunkFileNames: "[name].js",
    codeSplitting: { groups: SHARED },
    minifyInternalExports: false,
    plugins: [smaller],
    ...FORMATS[format],
  });
}

/** @param {string} unit */
function escaped(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * Every line without its indentation, and the blanks around what needs none, but for those in texts.
 * @param {string} code
 */
function withoutBlanks(code) {
  /** @type {{ start: number, end: number }[]} */
  const texts = [];
  JSON.stringify(parseAst(code), (_, node) => {
    if (node?.type === "TemplateElement" || node?.type === "Literal") texts.push(node);
    return typeof node === "bigint" ? undefined : node;
  });
  const edges = texts.flatMap(({ start, end }) => [start, end]).sort((a, b) => a - b);
  const pieces = [0, ...edges].map((edge, i) => code.slice(edge, edges[i]));
  return pieces.map((piece, i) => (i % 2 === 1 ? piece : dense(piece))).join("");
}

/** @param {string} code without texts */
function dense(code) {
  const flush = code.replace(/(?<=\n)[\t ]+/g, "");
  return flush.replace(/ ?(=>|[=!]==|&&|\|\||\?\?|[=,;:?{}()[\]]) ?/g, "$1");
}

function isStale() {
  const built = changedAt(SEAL);
  const inputs = [
    ...["src", "scripts/build.mjs", "scripts/declarations.mjs", "package.json"],
    ...["tsconfig.base.json", "tsconfig.build.json", DECLARATIONS],
  ];
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
