/**
 * Cuts the TypeScript out of README.md and docs/*.md into doctest/NAME.LINE.ts, each line
 * at its own number, so that the compiler's complaints name the line of the page.
 *
 * A block that imports starts a program; one that does not goes on with the program above
 * it. A block that starts with "```ts no-run" is a program that is type-checked only.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./command.mjs";

/** @typedef {{ name: string, source: string, runs: boolean }} Program */

const FOLDER = join(root, "doctest");

if (process.argv[1] === fileURLToPath(import.meta.url)) extract();

/**
 * Writes every program of the documentation to doctest/.
 * @returns {Program[]}
 */
export function extract() {
  const programs = pages().flatMap((page) => cut(page, readFileSync(join(root, page), "utf8")));
  mkdirSync(FOLDER, { recursive: true });
  for (const file of readdirSync(FOLDER)) if (file.endsWith(".ts")) rmSync(join(FOLDER, file));
  for (const { name, source } of programs) writeFileSync(join(FOLDER, `${name}.ts`), source);
  return programs;
}

function pages() {
  const docs = existsSync(join(root, "docs")) ? readdirSync(join(root, "docs")) : [];
  const readme = existsSync(join(root, "README.md")) ? ["README.md"] : [];
  return [...readme, ...docs.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];
}

/**
 * The programs of a page.
 * @param {string} page
 * @param {string} markdown
 * @returns {Program[]}
 */
export function cut(page, markdown) {
  const title = page.replace(/\.md$/, "").replaceAll("/", ".");
  /** @type {{ first: number, lines: string[], runs: boolean }[]} */
  const programs = [];
  /** @type {{ first: number, lines: string[], indent: number, runs: boolean } | undefined} */
  let block;
  for (const [i, line] of markdown.split("\n").entries()) {
    if (block === undefined) {
      const fence = /^( *)```ts( no-run)?$/.exec(line);
      if (fence === null) continue;
      block = {
        first: i + 2,
        lines: [],
        indent: fence[1]?.length ?? 0,
        runs: fence[2] === undefined,
      };
    } else if (line.trim() !== "```") {
      block.lines.push(line.slice(block.indent));
    } else {
      const { first, lines, runs } = block;
      const last = programs.at(-1);
      const goesOn = runs && !lines.some((line) => line.startsWith("import "));
      if (!goesOn) programs.push({ first, lines: padded([], first, lines), runs });
      else if (last?.runs) last.lines = padded(last.lines, first, lines);
      else
        throw new Error(`${page}:${first}: this block imports nothing, and no program is above it`);
      block = undefined;
    }
  }
  return programs.map(({ first, lines, runs }) => ({
    name: `${title}.${first}`,
    source: `${lines.join("\n")}\n`,
    runs,
  }));
}

/**
 * Lines, then a block whose first line gets the number `first`.
 * @param {readonly string[]} above
 * @param {number} first
 * @param {readonly string[]} block
 */
function padded(above, first, block) {
  return [...above, ...new Array(first - 1 - above.length).fill(""), ...block];
}
