import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Compiled, readCodeLog } from "../../bench/scale/codelog.js";

/** Numbers only until the mark, and then text: what `add` was optimised for does not hold. */
const PROGRAM = `
export function add(a, b) {
  return a + b;
}
export function subtract(a, b) {
  return a - b;
}
function mark() {}

let total = 0;
const run = (times) => {
  for (let i = 0; i < times; i++) total = subtract(add(total, i), i);
};
%NeverOptimizeFunction(run);
run(5_000_000);
mark();
run(50_000_000);
add("text", "text");
run(1000);
`;

describe("the log of a program that changes its types", () => {
  const folder = mkdtempSync(join(tmpdir(), "tslibmc-codelog-"));
  const program = join(folder, "program.mjs");
  const log = join(folder, "v8.log");
  let functions: readonly Compiled[];
  const named = (name: string) =>
    functions.find((one) => one.name === name && one.place.startsWith(pathToFileURL(program).href));

  beforeAll(() => {
    writeFileSync(program, PROGRAM);
    const flags = ["--prof", "--log-deopt", "--no-logfile-per-isolate", `--logfile=${log}`];
    const fixed = ["--no-use-osr", "--no-concurrent-recompilation", "--allow-natives-syntax"];
    execFileSync(process.execPath, [...flags, ...fixed, program]);
    functions = readCodeLog(readFileSync(log, "utf8"), "mark");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("says which functions were deoptimised after the mark, where and why", () => {
    expect(named("add")?.deopts).toEqual([
      { reason: "not a Smi", place: `${pathToFileURL(program).href}:3:12`, isLate: true },
    ]);
    expect(named("subtract")?.deopts).toEqual([]);
  });

  test("says what ran them", () => {
    const shareOf = (name: string, tiers: readonly string[]) => {
      const samples = [...(named(name)?.samples ?? [])];
      const counted = samples.filter(([tier]) => tiers.includes(tier));
      const sum = (some: typeof samples) => some.reduce((total, [, count]) => total + count, 0);
      expect(sum(samples)).toBeGreaterThan(0);
      return sum(counted) / sum(samples);
    };
    // All but those of its first moments.
    expect(shareOf("add", ["TurboFan", "Maglev"])).toBeGreaterThan(0.8);
    expect(shareOf("run", ["Ignition", "Sparkplug"])).toBe(1);
  });
});

test("a log without its mark is refused", () => {
  const log = "code-creation,JS,10,5,0x10,8,add file:///a.js:1:2,0x1,~";
  expect(() => readCodeLog(log, "mark")).toThrow("mark is not in the log");
});

test("code is found where it lies by then", () => {
  const place = "file:///a.js:1:2";
  const log = [
    `code-creation,JS,10,1,0x10,8,mark ${place},0x1,~`,
    `code-creation,JS,10,2,0x100,16,early ${place},0x2,~`,
    `code-creation,JS,10,3,0x200,16,moved ${place},0x3,^`,
    "code-move,0x200,0x300",
    `code-creation,JS,10,4,0x100,8,late ${place},0x4,*'`,
    "tick,0x107,5,0,0x0,0,0x300", // the last byte of late
    "tick,0x108,6,0,0x0,0,0x20f,0x30f", // beyond it, then where moved was, then where it is
    "tick,0x100,7,0,0x0,1", // in the collector
    `code-deopt,8,16,0x300,-1,0,deopt-eager,<file:///a.js:3:4> inlined at <${place}>,wrong map`,
  ].join("\n");
  const found = readCodeLog(log, "mark").map(({ name, samples, deopts }) => ({
    ...{ name, samples: [...samples], reasons: deopts.map((one) => `${one.reason}, ${one.place}`) },
  }));
  expect(found).toEqual([
    { name: "mark", samples: [], reasons: [] },
    { name: "early", samples: [], reasons: [] },
    { name: "moved", samples: [["Sparkplug", 1]], reasons: ["wrong map, file:///a.js:3:4"] },
    { name: "late", samples: [["TurboFan", 1]], reasons: [] },
  ]);
});
