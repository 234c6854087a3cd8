import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSync, Visitor } from "rolldown/utils";

/**
 * A name that a file has from another one, or passes on.
 * @typedef {object} Link
 * @property {string} name - in this file
 * @property {string} origin - in the other one, or `*` for all of it
 * @property {string} text
 * @property {boolean} used
 */

/**
 * A statement: links to one file, or a declaration with the comment before it.
 * @typedef {object} Statement
 * @property {string} text
 * @property {string} from - the file or the package that the links are to
 * @property {Link[]} links
 * @property {string[]} declares
 * @property {Set<string>} mentions - every identifier: what it refers to, and more
 * @property {Set<string>} members - what stands behind a dot
 * @property {boolean} used
 */

/**
 * Takes away the declarations that no entry point's types lead to: TypeScript declares all
 * that a file exports, and most of it is for the rest of the package.
 * @param {string} folder
 * @param {string[]} entries - files in it, without their ending
 */
export function keepWhatIsReached(folder, entries) {
  /** @type {Map<string, Statement[]>} */
  const files = new Map();
  for (const entry of entries) {
    const file = join(folder, `${entry}.d.ts`);
    for (const { links } of open(file)) for (const { name } of links) reach(file, name, []);
  }
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".d.ts")) continue;
    const statements = files.get(join(folder, name));
    if (statements === undefined) rmSync(join(folder, name));
    else writeFileSync(join(folder, name), statements.map(printed).map(withTabs).join(""));
  }

  /** @param {string} file */
  function open(file) {
    const statements = files.get(file) ?? read(file);
    files.set(file, statements);
    return statements;
  }

  /**
   * Marks what a name stands for in a file, and all that it needs in turn.
   * @param {string} file
   * @param {string} name
   * @param {Iterable<string>} members - what may be meant of it, where it is a whole file
   */
  function reach(file, name, members) {
    for (const statement of open(file)) {
      for (const link of statement.links.filter((link) => link.name === name)) {
        link.used = true;
        const names = link.origin === "*" ? members : [link.origin];
        if (!statement.from.startsWith(".")) continue;
        const other = join(dirname(file), statement.from.replace(/\.js$/, ".d.ts"));
        for (const one of names) reach(other, one, []);
      }
      if (statement.used || !statement.declares.includes(name)) continue;
      statement.used = true;
      for (const mention of statement.mentions) reach(file, mention, statement.members);
    }
  }
}

/**
 * @param {string} file
 * @returns {Statement[]}
 */
function read(file) {
  const source = readFileSync(file, "utf8");
  const { program, comments } = parseSync(file, source, { lang: "dts" });
  return program.body.map((node) => {
    const comment = comments.findLast(({ end }) => end < node.start);
    const isItsOwn = comment && source.slice(comment.end, node.start).trim() === "";
    /** @type {Statement} */
    const statement = {
      text: source.slice(isItsOwn ? comment.start : node.start, node.end),
      ...{ from: "", links: [], declares: [], used: false },
      ...{ mentions: new Set(), members: new Set() },
    };
    new Visitor({
      Identifier: ({ name }) => void statement.mentions.add(name),
      TSQualifiedName: ({ right }) => void statement.members.add(right.name),
      ImportDeclaration: ({ source }) => void (statement.from = source.value),
      ExportNamedDeclaration: (it) => void (statement.from = it.source?.value ?? ""),
      ImportNamespaceSpecifier: (it) => link(it, it.local, undefined),
      ImportSpecifier: (it) => link(it, it.local, it.imported),
      ExportSpecifier: (it) => link(it, it.exported, it.local),
    }).visit({ ...program, body: [node] });
    const declaration = "declaration" in node && node.declaration ? node.declaration : node;
    if ("id" in declaration) statement.declares.push(nameOf(declaration.id));
    if ("declarations" in declaration) {
      statement.declares.push(...declaration.declarations.map(({ id }) => nameOf(id)));
    }
    return statement;

    /**
     * @param {{ start: number, end: number }} whole
     * @param {object} ours
     * @param {object | undefined} theirs
     */
    function link(whole, ours, theirs) {
      const text = source.slice(whole.start, whole.end);
      const origin = theirs === undefined ? "*" : nameOf(theirs);
      statement.links.push({ name: nameOf(ours), origin, text, used: false });
    }
  });
}

/**
 * @param {object | null} identifier
 * @returns {string}
 */
function nameOf(identifier) {
  if (identifier && "name" in identifier) return String(identifier.name);
  throw new Error(`Declarations must have names, and this has none: ${JSON.stringify(identifier)}`);
}

/**
 * A statement as far as it is used. That a file exports only what says so, which is all that
 * `export {}` means, stays true.
 * @param {Statement} statement
 */
function printed({ text, links, declares, used }) {
  if (links.length === 0) return used || declares.length === 0 ? `${text}\n` : "";
  const kept = links.filter((link) => link.used).map((link) => link.text);
  if (kept.length === 0) return "";
  const names = /^(\w+ (?:type )?)\{[^}]*\}/;
  return `${text.replace(names, (_, verb) => `${verb}{ ${kept.join(", ")} }`)}\n`;
}

/**
 * The same with tabs for four blanks each, as the code has them: it is a smaller package.
 * @param {string} text
 */
function withTabs(text) {
  return text.replace(/^(?: {4})+/gm, (blanks) => "\t".repeat(blanks.length / 4));
}
