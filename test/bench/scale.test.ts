import { describe, expect, test } from "vitest";
import type { Compiled } from "../../bench/scale/codelog.js";
import { toSection as optimisedCode } from "../../bench/scale/deopts.js";
import { toSection as longRun } from "../../bench/scale/flat.js";
import { scaleOutcomes, toGoals } from "../../bench/scale/goals.js";
import { type ScaleResult, toPage, toTable } from "../../bench/scale/markdown.js";
import { FULL, QUICK, type Section } from "../../bench/scale/section.js";

const SECTION: Section = {
  title: "More of it",
  note: "Each in µs.",
  columns: ["one", "many"],
  rows: [
    { name: "a", figures: [{ median: 1.2345, min: 1, max: 2 }, 3] },
    { name: "b", figures: [undefined, 12_345.6] },
  ],
};

test("a section is a table with a line for each row", () => {
  expect(toTable(SECTION)).toBe(
    `## More of it

Each in µs.

|  | one | many |
| --- | ---: | ---: |
| a | 1.23 (1–2) | 3 |
| b | – | 12346 |`,
  );
});

test("a page says on what it was measured, and has every section", () => {
  const result: ScaleResult = {
    date: "2026-11-22T12:00:00.000Z",
    machine: {
      ...{ cpu: "A fast one", cores: 2, system: "Linux", node: "20.20.2" },
      ...{ memcached: "1.6.18", load: [0.5, 1] },
    },
    clients: [{ name: "tslibmc", version: "1.0.0" }],
    sections: [SECTION, { ...SECTION, title: "Less of it" }],
  };
  const page = toPage(result);
  expect(page).toContain("# Scale, 2026-11-22");
  expect(page).toContain("A fast one, 2 cores, Linux, Node 20.20.2, memcached 1.6.18");
  expect(page).toContain("load 0.5 to 1.");
  expect(page).toContain("Measured: tslibmc 1.0.0.");
  expect(page.match(/^## .*/gm)).toEqual(["## More of it", "## Less of it"]);
});

test("a quick run is less of everything", () => {
  for (const [name, much] of Object.entries(FULL))
    expect(Reflect.get(QUICK, name)).toBeLessThan(much);
});

test("goals are judged by medians, and against the npm client that has the least", () => {
  const sections: Section[] = [
    {
      ...{ title: "Importing", note: "", columns: ["ms", "CPU, ms"] },
      rows: [
        { name: "tslibmc", figures: [{ median: 14, min: 10, max: 20 }, 1] },
        { name: "memjs", figures: [{ median: 20, min: 1, max: 30 }, 1] },
        { name: "memcache", figures: [13.004, 1] },
        { name: "memcached", figures: [undefined, 1] },
      ],
    },
    {
      ...{ title: "Optimised code", note: "", columns: ["deopts after"] },
      rows: [{ name: "all of them", figures: [1] }],
    },
  ];
  const kept = (name: string, bytes: number) => ({ name, figures: [bytes] });
  sections.push({
    ...{ title: "Memory", note: "", columns: ["kept as text"] },
    rows: [kept("tslibmc", 120.4), kept("memjs", 119.6)],
  });
  expect(toGoals(scaleOutcomes(sections)).split("\n").slice(2)).toEqual([
    "| Importing: ms | tslibmc | ≤ 15 | 14 | ✓ |",
    "| Importing: ms | tslibmc | ≤ 13 (memcache) | 14 | ✗ |",
    "| Memory: kept as text | tslibmc | ≤ 120 (memjs) | 120 | ✓ |",
    "| Optimised code: deopts after | all of them | ≤ 0 | 1 | ✗ |",
  ]);
});

test("a long run is judged by the line through its samples", () => {
  const samples = [30, 60, 90, 120, 150, 180].map((seconds, n) => ({
    ...{ seconds, heap: [4, 6, 6, 5, 5.003, 5][n]! * 1e6 },
    ...{ external: 1e6 + n * 5e3, resident: 53e6 - n * 1e6 },
  }));
  const section = longRun({ operations: 10, misses: 3, refused: 2, lost: 1, samples });
  expect(section.note).toContain("10 operations in 180 s");
  expect(section.rows.map(({ figures }) => figures)).toEqual([
    [4, 5, 4, 6, expect.closeTo(0)],
    [1, 1.025, 1, 1.025, expect.closeTo(1 / 1.015)],
    [53, 48, 48, 53, expect.closeTo(-4)],
  ]);
});

describe("optimised code", () => {
  const place = (line: number) => `file:///client.js:${line}:1`;
  const compiled = (name: string, one: Partial<Compiled>): Compiled => {
    return { name, place: place(1), deopts: [], samples: new Map(), ...one };
  };
  const late = { reason: "wrong map", place: place(3), isLate: true };
  const early = { ...late, isLate: false };
  const functions = [
    compiled("cold", { samples: new Map([["TurboFan", 1]]) }),
    compiled("rarely", { deopts: [early, late, late] }),
    compiled("mostly", {
      samples: new Map([
        ["Sparkplug", 100],
        ["TurboFan", 300],
      ] as const),
    }),
    compiled("", { samples: new Map([["Maglev", 599]]), deopts: [early] }),
  ];
  const figures = { before: 400, after: 12_345 };
  const { rows } = optimisedCode([
    { node: "20.1.0", functions, figures },
    { node: "24.1.0", functions: functions.toReversed(), figures },
  ]);

  test("lists what is hot, the most used first, and whatever was deoptimised late", () => {
    expect(rows.map(({ name }) => name)).toEqual([
      ...["all of them", "all of them on Node 24.1.0"],
      ...["=>", "mostly", "rarely"].map((name) => `\`${name}\`, file:///client.js:1`),
      "`rarely`, file:///client.js:1 on Node 24.1.0",
    ]);
  });

  test("says how each ran, and why it was deoptimised", () => {
    const all = [100, 90, "Maglev, TurboFan, Sparkplug", 2, 2, "wrong map at file:///client.js:3"];
    const rarely = [0, undefined, undefined, 1, 2, "wrong map at file:///client.js:3"];
    expect(rows.map((row) => row.figures)).toEqual([
      ...[all, all],
      [59.9, 100, "Maglev", 1, 0, undefined],
      [40, 75, "TurboFan, Sparkplug", 0, 0, undefined],
      ...[rarely, rarely],
    ]);
  });
});
