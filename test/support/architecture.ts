import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path/posix";

/** Source files by their path below the folder that was read, for example `util/fifo.ts`. */
export type Tree = ReadonlyMap<string, string>;

/** Looks at a tree and says, a sentence each, where it is broken. */
export type Rule = (tree: Tree) => string[];

/** Reads the files of a folder whose names end so, but for the folders left out. */
export function readTree(
  folder: string,
  ending: RegExp,
  leftOut: ReadonlySet<string> = new Set(),
): Tree {
  const tree = new Map<string, string>();
  const visit = (path: string) => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const inside = join(path, entry.name);
      if (leftOut.has(entry.name)) continue;
      if (entry.isDirectory()) visit(inside);
      else if (entry.isFile() && ending.test(entry.name))
        tree.set(inside, readFileSync(join(folder, inside), "utf8"));
    }
  };
  visit("");
  return tree;
}

/**
 * What a file imports: files of the tree by their path, anything else as it is written.
 * Type imports count, for they bind two files just as much to a reader, and so do modules of
 * Node's that are loaded when needed. Statements begin their line, which keeps examples in
 * comments out.
 */
export function importsOf(path: string, source: string): string[] {
  const statements =
    /^(?:import|export)\s(?:[^"';]*?\sfrom\s+)?"([^"]+)"|^(?!\s*(?:\*|\/\/)).*\b(?:import|builtin)\("([^"]+)"\)/gm;
  return Array.from(source.matchAll(statements), (match) => {
    const specifier = match[1] ?? match[2] ?? "";
    if (!specifier.startsWith(".")) return specifier;
    return join(path, "..", specifier).replace(/\.js$/, ".ts");
  });
}

/** The first part of a path, which is a layer: `util` for `util/fifo.ts`, `errors` for `errors.ts`. */
export function layerOf(path: string): string {
  return path.split("/")[0]?.replace(/\.ts$/, "") ?? "";
}

const isOutside = (specifier: string) => !specifier.endsWith(".ts");

/**
 * A layer may import itself and those named for it; a layer that is not named may not exist.
 * What lies outside of the tree is not looked at.
 */
export function layersKeepTo(mayImport: Readonly<Record<string, readonly string[]>>): Rule {
  return (tree) => {
    const broken: string[] = [];
    for (const [path, source] of tree) {
      const layer = layerOf(path);
      const allowed = mayImport[layer];
      if (allowed === undefined) {
        broken.push(`${path} is in no known layer`);
        continue;
      }
      for (const target of importsOf(path, source)) {
        if (isOutside(target) || target.startsWith("../")) continue;
        if (layerOf(target) !== layer && !allowed.includes(layerOf(target)))
          broken.push(`${path} imports ${target}`);
      }
    }
    return broken;
  };
}

/** A rule held against one folder as if it were the whole tree. */
export function within(folder: string, rule: Rule): Rule {
  const inside = `${folder}/`;
  return (tree) =>
    rule(
      new Map(
        [...tree]
          .filter(([path]) => path.startsWith(inside))
          .map(([path, source]) => [path.slice(inside.length), source]),
      ),
    );
}

/** Some layers may use only these of Node's modules and of other packages; the rest only Node's. */
export function packagesKeepTo(allowed: Readonly<Record<string, RegExp>>): Rule {
  return (tree) =>
    [...tree].flatMap(([path, source]) =>
      importsOf(path, source)
        .filter(isOutside)
        .filter((specifier) => !(allowed[layerOf(path)] ?? /^node:/).test(specifier))
        .map((specifier) => `${path} imports ${specifier}`),
    );
}

export const importsExist: Rule = (tree) =>
  [...tree].flatMap(([path, source]) =>
    importsOf(path, source)
      .filter((target) => !isOutside(target) && !tree.has(target))
      .map((target) => `${path} imports ${target}, which is not there`),
  );

/** A file inside a folder imports its neighbours themselves; the index is for those outside. */
export const noIndexFromInside: Rule = (tree) =>
  [...tree].flatMap(([path, source]) =>
    importsOf(path, source)
      .filter((target) => target.endsWith("/index.ts"))
      .filter((target) => path.startsWith(target.slice(0, -"index.ts".length)))
      .map((target) => `${path} imports ${target} from inside`),
  );

/** Every way that leads from a file back to itself, found depth first. */
export const noCycles: Rule = (tree) => {
  const cycles: string[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (path: string) => {
    const start = way.indexOf(path);
    if (start >= 0) cycles.push([...way.slice(start), path].join(" → "));
    if (start >= 0 || done.has(path)) return;
    way.push(path);
    for (const target of importsOf(path, tree.get(path) ?? "")) if (tree.has(target)) visit(target);
    way.pop();
    done.add(path);
  };
  for (const path of tree.keys()) visit(path);
  return cycles;
};

/** Names are lower-case words, and a file's says what is inside, which the vague ones do not. */
export function namesAreNouns(vague: readonly string[]): Rule {
  const isName = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
  return (tree) =>
    [...tree.keys()].filter((path) => {
      const parts = path.replace(/\.ts$/, "").split("/");
      const words = parts.at(-1)?.split("-") ?? [];
      return (
        !parts.every((part) => isName.test(part)) || words.some((word) => vague.includes(word))
      );
    });
}

export function noFileIsLongerThan(limit: number): Rule {
  return (tree) =>
    [...tree]
      .map(([path, source]) => ({ path, lines: source.trimEnd().split("\n").length }))
      .filter(({ lines }) => lines > limit)
      .map(({ path, lines }) => `${path} has ${lines} lines`);
}

/** No line outside of comments has the pattern, in the layers given (all of them by default). */
export function nothingSays(pattern: RegExp, layers?: readonly string[]): Rule {
  return (tree) =>
    [...tree]
      .filter(([path]) => layers === undefined || layers.includes(layerOf(path)))
      .flatMap(([path, source]) =>
        source
          .split("\n")
          .map((line, i) => ({ line, place: `${path}:${i + 1}` }))
          .filter(({ line }) => !/^\s*(\/\*\*?|\*|\/\/)/.test(line) && pattern.test(line))
          .map(({ line, place }) => `${place} says ${pattern.exec(line)?.[0]}`),
      );
}

/** No line at all, comments included, has the pattern. */
export function nothingMentions(pattern: RegExp): Rule {
  return (tree) =>
    [...tree].flatMap(([path, source]) =>
      source
        .split("\n")
        .map((line, i) => ({ found: pattern.exec(line)?.[0], place: `${path}:${i + 1}` }))
        .filter(({ found }) => found !== undefined)
        .map(({ found, place }) => `${place} mentions ${found}`),
    );
}
