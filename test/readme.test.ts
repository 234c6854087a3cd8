import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { MemcachedServer } from "tslibmc/testing";
import { expect, test } from "vitest";
import { extract } from "../scripts/doctest.mjs";
import { expectationsOf, matches, type Program, portsOf, runProgram } from "./support/program.js";

const EXAMPLES = fileURLToPath(new URL("../examples/", import.meta.url));

function examples(): Program[] {
  const files = existsSync(EXAMPLES) ? readdirSync(EXAMPLES) : [];
  return files
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({
      name: `examples.${file.slice(0, -3)}`,
      source: readFileSync(EXAMPLES + file, "utf8"),
    }));
}

/** Runs a program on fresh embedded servers and compares what it prints with what its comments say. */
async function check(program: Program): Promise<void> {
  const ports = portsOf(program.source);
  const servers = await Promise.all(ports.map(() => MemcachedServer.start()));
  try {
    const stands = new Map(ports.map((port, i) => [port, servers[i]?.port ?? 0]));
    const printed = await runProgram(program, stands);
    for (const [line, expected] of expectationsOf(program.source)) {
      const texts = printed.filter((print) => print.line === line).map((print) => print.text);
      expect(texts, `line ${line} was not reached`).not.toHaveLength(0);
      for (const text of texts) {
        if (!matches(text, expected)) expect.soft(text, `line ${line}`).toBe(expected);
      }
    }
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

const documented = extract();

test("each program of the documentation stands in doctest/ for the compiler", () => {
  const files = readdirSync(fileURLToPath(new URL("../doctest/", import.meta.url)));
  expect(files.filter((file) => file.endsWith(".ts")).sort()).toEqual(
    documented.map((program) => `${program.name}.ts`).sort(),
  );
});

test("there are programs in the README and among the examples", () => {
  expect(documented.filter(({ name, runs }) => runs && name.startsWith("README."))).not.toEqual([]);
  expect(examples()).not.toEqual([]);
});

for (const program of documented.filter((program) => program.runs)) {
  test(program.name, () => check(program));
}

for (const program of examples()) {
  test(program.name, () => check(program));
}
