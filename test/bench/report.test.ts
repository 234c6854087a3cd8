import { describe, expect, test } from "vitest";
import { WORKLOADS } from "../../bench/load/workload.js";
import { parseOptions } from "../../bench/options.js";
import { toChart } from "../../bench/report/chart.js";
import { toComparison } from "../../bench/report/comparison.js";
import { bestPeer, GOALS, outcomes } from "../../bench/report/goals.js";
import { toMarkdown, toTransports } from "../../bench/report/markdown.js";
import { toNodes } from "../../bench/report/nodes.js";
import type { Result } from "../../bench/report/result.js";
import { shortly } from "../../bench/report/table.js";

/** A result of one workload, with each client's CPU per operation in each round. */
function resultOf(cpu: Readonly<Record<string, readonly number[]>>, workload = "get-64"): Result {
  const clients = Object.keys(cpu);
  return {
    date: "2026-11-22T12:00:00.000Z",
    machine: {
      cpu: "A <fast> one",
      cores: 2,
      system: "Linux",
      node: "20.20.2",
      memcached: "1.6.18",
      load: [0.5, 1],
    },
    settings: { rounds: 9, windowMs: 50, oneCore: true },
    clients: clients.map((name) => ({ name, version: "1.0.0" })),
    workloads: WORKLOADS.filter(({ name }) => name === workload),
    series: clients.map((client) => ({
      client,
      workload,
      samples: (cpu[client] ?? []).map((figure) => ({ cpu: figure, opsPerSecond: 1e6 / figure })),
    })),
  };
}

const RESULT = resultOf({
  tslibmc: [1, 2, 3],
  memjs: [30, 20, 10],
  memcache: [18, 16, 17],
  floor: [0.5, 0.4, 0.6],
});

test("the best peer is the cheapest by its median", () => {
  expect(bestPeer(RESULT, "get-64")).toBe("memcache");
  expect(bestPeer(RESULT, "set-64")).toBeUndefined();
});

test("goals are judged by medians, and only where both were measured", () => {
  expect(outcomes(RESULT).map(({ against, times, goal }) => [against, times, goal.times])).toEqual([
    ["memcache", 8.5, 8],
    ["floor", 0.25, 1 / 2.5],
  ]);
});

test("a goal has what a bare socket makes of it, on as many servers", () => {
  const result = resultOf({
    ...{ tslibmc: [2], "tslibmc ring of 3": [3], "tslibmc binary wire": [4], memjs: [20] },
    ...{ floor: [1], "floor ring of 3": [2] },
  });
  expect(outcomes(result).map(({ ours, against, floor }) => [ours, against, floor])).toEqual([
    ["tslibmc", "memjs", 20],
    ["tslibmc", "floor", undefined],
    ["tslibmc ring of 3", "tslibmc", 0.5],
    ["tslibmc binary wire", "tslibmc", undefined],
  ]);
});

test("latencies are judged against the peer that has the least, whatever its CPU", () => {
  const cpuOnly = resultOf({ tslibmc: [10], memjs: [20], memcache: [30] }, "get-1");
  const latency: Readonly<Record<string, number>> = { tslibmc: 5, memjs: 9, memcache: 4 };
  const result: Result = {
    ...cpuOnly,
    series: cpuOnly.series.map((series) => ({
      ...series,
      samples: series.samples.map((sample) => ({ ...sample, p50: latency[series.client] ?? 0 })),
    })),
  };
  expect(outcomes(result).map(({ goal, against, times }) => [goal.figure, against, times])).toEqual(
    [
      [undefined, "memjs", 2],
      ["p50", "memcache", 0.8],
    ],
  );
  expect(toMarkdown(result)).toContain(
    "| get: latency, p50 | tslibmc | memcache | ≥ 1 | 0.8 | ✗ |  |",
  );
});

test("every goal speaks of a workload that there is", () => {
  const names = WORKLOADS.map(({ name }) => name);
  expect(GOALS.filter(({ workload }) => !names.includes(workload))).toEqual([]);
});

test("the page has the figures", () => {
  const page = toMarkdown(RESULT);
  expect(page).toContain(
    "| get, 64 in flight | 2 (1–3) | 20 (10–30) | 17 (16–18) | 0.5 (0.4–0.6) |",
  );
  expect(page).toContain("| get, 64 in flight | tslibmc | memcache | ≥ 8 | 8.5 | ✓ | 34 |");
  expect(page).toContain("| get, 64 in flight | tslibmc | floor | ≥ 0.4 | 0.25 | ✗ |  |");
});

test("the page of transports compares each with the first", () => {
  const page = toTransports(resultOf({ "text TCP": [2, 2, 2], "text TLS": [3, 4, 5] }));
  expect(page).toContain("## How many times the cost of text TCP");
  expect(page).toContain("| get, 64 in flight | 2 (2–2) | 4 (3–5) |");
  expect(page).toContain("| get, 64 in flight | 2 |");
});

test("the page of Nodes compares this client with others on the same Node", () => {
  const measured = resultOf({
    "tslibmc on Node 20.1.0": [2, 2, 2],
    "memjs on Node 20.1.0": [9, 10, 11],
    "memcache on Node 20.1.0": [12, 12, 12],
    "floor on Node 20.1.0": [1, 1, 1],
    "tslibmc on Node 24.1.0": [1, 1, 1],
    "memjs on Node 24.1.0": [15, 15, 15],
    "memcache on Node 24.1.0": [14, 12, 13],
  });
  const clients = measured.clients.map((client) => ({ ...client, node: client.name.slice(-6) }));
  const page = toNodes({ ...measured, clients });
  expect(page).toContain("Node 20.1.0, 24.1.0,");
  expect(page).toContain("Measured: tslibmc 1.0.0, memjs 1.0.0, memcache 1.0.0, floor 1.0.0.");
  expect(page.match(/^\| get, 64 in flight .*/gm)).toEqual([
    "| get, 64 in flight | 2 (2–2) | 1 (1–1) |",
    "| get, 64 in flight | 5 (memjs) | 13 (memcache) |",
    "| get, 64 in flight | 2 | – |",
    "| get, 64 in flight | 2 (2–2) | 10 (9–11) | 12 (12–12) | 1 (1–1) |",
    "| get, 64 in flight | 1 (1–1) | 15 (15–15) | 13 (12–14) |",
  ]);
});

test("the chart has a dot for each client, in the order of their cost", () => {
  const chart = toChart(RESULT);
  const dots = [...chart.matchAll(/<circle cx="([\d.]+)"[^>]*><title>(\S+): (\S+) µs<\/title>/g)];
  const byPlace = dots.toSorted((a, b) => Number(a[1]) - Number(b[1]));
  expect(byPlace.map((dot) => [dot[2], dot[3]])).toEqual([
    ["floor", "0.5"],
    ["tslibmc", "2"],
    ["memcache", "17"],
    ["memjs", "20"],
  ]);
  expect(chart).toContain("A &lt;fast> one");
  expect(chart).toContain("8.5× memcache");
});

describe("a comparison of checkouts", () => {
  const rounds = [1, 1.1, 0.9, 1, 1.05, 0.95, 1, 1.02, 0.98];
  const times = (factor: number) => rounds.map((figure) => figure * factor);
  const again = rounds.map((figure, i) => figure * (i % 2 === 0 ? 1.03 : 0.97));

  test.each([
    ["cheaper", times(0.5)],
    ["dearer", times(2)],
    ["no change beyond noise", times(1.01)],
  ])("finds that it is %s", (verdict, now) => {
    const twice = now.map((figure, i) => (figure * again[i]!) / rounds[i]!);
    const result = resultOf({ tslibmc: now, "tslibmc again": twice, before: rounds });
    expect(toComparison(result, "before")).toContain(`| ${verdict} |`);
  });
});

describe("options", () => {
  const clients = ["tslibmc", "memjs", "memcache", "memcached"];

  test("by default everything is measured, and the baseline written", () => {
    const options = parseOptions([], clients);
    expect(options.workloads).toEqual(WORKLOADS);
    expect(clients.filter(options.wants)).toEqual(clients);
    expect(options).toMatchObject({ rounds: 9, windowMs: 50, out: "bench/results/peers" });
  });

  test("--transports measures what tells ways to a server apart", () => {
    const options = parseOptions(["--transports"], ["text TCP", "text TLS"]);
    expect(options.workloads.map(({ name }) => name)).toEqual([
      ...["get-1", "get-64", "set-64", "multi-1", "multi-16"],
    ]);
    expect(options).toMatchObject({ view: "transports", out: "bench/results/transports" });
  });

  test("--nodes measures the same on each of them", () => {
    const options = parseOptions(["--nodes", "20,24"], clients);
    expect(options.workloads.map(({ name }) => name)).toEqual([
      ...["get-64", "get-1024", "set-64", "set-1024"],
      ...["multi-1", "multi-16", "mixed-64", "json-64"],
    ]);
    expect(options).toMatchObject({ view: "nodes", nodes: ["20", "24"] });
    expect(options.out).toBe("bench/results/nodes");
  });

  test("--only takes clients and workloads, by name or a part of it", () => {
    const options = parseOptions(["--only", "memcache,lib,get-1"], clients);
    expect(clients.filter(options.wants)).toEqual(["tslibmc", "memcache"]);
    expect(options.workloads.map(({ name }) => name)).toEqual(["get-1"]);
    expect(options.out).toBe("bench/results/tmp/peers");
  });

  test.each([
    ...[[["--only", "mamjs"]], [["--rounds", "0"]], [["--window", "x"]], [["--fast"]]],
    ...[[["--transports", "--nodes", "20"]], [["--nodes", "20", "--compare", "main"]]],
  ])("%j is refused", (args) => {
    expect(() => parseOptions(args, clients)).toThrow(TypeError);
  });
});

test.each([
  [0.060312, "0.0603"],
  [8.5, "8.5"],
  [1234.5, "1235"],
])("%d is written %s", (figure, text) => {
  expect(shortly(figure)).toBe(text);
});
