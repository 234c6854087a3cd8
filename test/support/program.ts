import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { formatWithOptions } from "node:util";

/** A program of the documentation or of examples/, which speaks to servers on 127.0.0.1. */
export interface Program {
  readonly name: string;
  readonly source: string;
}

/** What a program printed, and on which of its lines. */
export interface Printed {
  readonly line: number;
  readonly text: string;
}

/** TypeScript overlooks a folder with a dot, which is right: these copies are not to be checked. */
const FOLDER = fileURLToPath(new URL("../../doctest/.run/", import.meta.url));

const PRINT = "__printFromProgram";

/** What each program printed: one that has ended may have left behind what prints later. */
const printedBy = new Map<string, (line: number, ...values: unknown[]) => void>();
Reflect.set(globalThis, PRINT, (name: string, line: number, ...values: unknown[]) =>
  printedBy.get(name)?.(line, ...values),
);

/** `127.0.0.1:11211` to `:11219` stand for servers; and a bare `127.0.0.1` where a client takes it for 11211. */
const ADDRESS = /(?:127\.0\.0\.1|localhost):(1121\d)\b|(?<=Client\(\[?")127\.0\.0\.1(?=")/g;
const DEFAULT_PORT = 11211;

/** The ports of the servers that a program speaks to. */
export function portsOf(source: string): number[] {
  return [
    ...new Set(Array.from(source.matchAll(ADDRESS), (match) => Number(match[1] ?? DEFAULT_PORT))),
  ];
}

/** What the comments behind `console.log(…)` say that it prints, by line. */
export function expectationsOf(source: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const [i, line] of source.split("\n").entries()) {
    const expected = /\); \/\/ (.+)$/.exec(line)?.[1];
    if (expected === undefined) continue;
    if (line.includes("console.log(")) found.set(i + 1, expected.trim());
    else if (line.trimStart().startsWith(")"))
      throw new Error(
        `line ${i + 1}: a console.log with its result behind it has to stand on one line`,
      );
  }
  return found;
}

/**
 * Runs a program in this process, with `servers` (port as written → port in truth) for the
 * servers that it names. Resolves with what it printed, ports as the program wrote them.
 */
export async function runProgram(
  { name, source }: Program,
  servers: ReadonlyMap<number, number>,
): Promise<Printed[]> {
  const printed: Printed[] = [];
  printedBy.set(name, (line, ...values) => {
    let text = formatWithOptions({ breakLength: Infinity }, ...values);
    for (const [written, port] of servers) text = text.replaceAll(String(port), String(written));
    printed.push({ line, text });
  });
  const file = join(FOLDER, `${name}.ts`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, instrument({ name, source }, servers));
  await import(pathToFileURL(file).href);
  return printed;
}

function instrument({ name, source }: Program, servers: ReadonlyMap<number, number>): string {
  const lines = source.split("\n");
  return lines
    .map((line, i) =>
      line.replace(/console\.(?:log|warn|error)\(/g, `${PRINT}("${name}", ${i + 1}, `),
    )
    .join("\n")
    .replace(ADDRESS, (_, port = DEFAULT_PORT) => `127.0.0.1:${servers.get(Number(port))}`);
}

/** Whether a text is what was expected, where `...` stands for anything and blanks are all alike. */
export function matches(text: string, expected: string): boolean {
  let rest = squeeze(text);
  const [first = "", ...others] = squeeze(expected).split("...");
  if (!rest.startsWith(first)) return false;
  rest = rest.slice(first.length);
  if (others.length === 0) return rest === "";
  const last = others.pop() ?? "";
  for (const part of others) {
    const at = rest.indexOf(part);
    if (at < 0) return false;
    rest = rest.slice(at + part.length);
  }
  return rest.endsWith(last);
}

function squeeze(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}
