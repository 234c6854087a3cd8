import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import type { Workload } from "../../bench/load/workload.js";
import { THIS_NODE } from "../../bench/rig/node.js";
import { type Effort, QUICK, type Row } from "../../bench/scale/section.js";

const run = promisify(execFile);
const effort: Effort = { ...QUICK, nodes: [THIS_NODE], say: () => {} };

/** What of the benchmark starts processes is run as it is built. */
const built = (path: string): string =>
  new URL(`../../bench/dist/bench/${path}`, import.meta.url).href;

const numbers = ({ figures }: Row): number[] =>
  figures.map((figure) => (typeof figure === "number" ? figure : Number.NaN));

beforeAll(async () => {
  await run(process.execPath, ["scripts/build.mjs", "--if-stale"]);
  await run("node_modules/.bin/tsc", ["-p", "bench/tsconfig.json"]);
});

test("the client's hot functions are found in V8's log, optimised", async () => {
  const { deopts } = (await import(
    built("scale/deopts.js")
  )) as typeof import("../../bench/scale/deopts.js");
  const { note, rows } = await deopts(effort);
  expect(note).toContain("134,000 operations to warm up and 134,000 after that");
  const [, ...functions] = rows.map(({ name }) => name);
  expect(functions.length).toBeGreaterThan(5);
  for (const name of functions) expect(name).toMatch(/^`.+`, [\w/]+\.js:\d+$/);
  const [share, optimised = 0] = numbers(rows[0]!);
  expect(share).toBeCloseTo(100);
  expect(optimised).toBeGreaterThan(0);
  expect(optimised).toBeLessThanOrEqual(100);
}, 60_000);

test("a long run sees what memory is in use, whatever is asked", async () => {
  const { flat } = (await import(
    built("scale/flat.js")
  )) as typeof import("../../bench/scale/flat.js");
  const { note, rows } = await flat(effort);
  const [, misses, refused, lost] =
    /([\d,]+) misses, ([\d,]+) that were refused, and ([\d,]+) that nobody/.exec(note) ?? [];
  for (const count of [misses, refused, lost])
    expect(Number(count?.replaceAll(",", ""))).toBeGreaterThan(0);
  const [heap, , resident] = rows.map(numbers);
  expect(heap?.[0]).toBeGreaterThan(1);
  expect(resident?.[0]).toBeGreaterThan(heap![0]!);
}, 60_000);

test("a client is run by the Node that it should be measured on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tslibmc-node-"));
  const program = join(folder, "node");
  writeFileSync(
    program,
    `#!/bin/sh\necho "$@" >'${folder}/args'\nexec '${process.execPath}' "$@"\n`,
  );
  chmodSync(program, 0o755);
  const { ClientProcess } = (await import(
    built("rig/process.js")
  )) as typeof import("../../bench/rig/process.js");
  const workload: Workload = {
    ...{ name: "get", title: "get", kind: "get", inFlight: 2, size: 10, keys: 2 },
  };
  const client = new ClientProcess({ name: "it", peer: "nothing", servers: [], program }, "");
  await client.prepare(workload);
  const { cpuMicros } = await client.run(workload, 10);
  await client.close();
  expect(cpuMicros).toBeGreaterThan(0);
  expect(readFileSync(join(folder, "args"), "utf8")).toContain('"name":"it"');
  rmSync(folder, { recursive: true });
});
