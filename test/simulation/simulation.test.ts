import { readFileSync } from "node:fs";
import net from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { chart } from "../../scripts/simulation/chart.js";
import { VirtualClock } from "../../scripts/simulation/clock.js";
import { Placing } from "../../scripts/simulation/placing.js";
import { Random, Zipf } from "../../scripts/simulation/random.js";
import { ModelServer, parse } from "../../scripts/simulation/server.js";
import {
  type Figures,
  policiesFor,
  SCENARIO,
  type Scenario,
  simulate,
} from "../../scripts/simulation/simulation.js";
import { table } from "../../scripts/simulation/table.js";

const SMALL: Scenario = {
  ...SCENARIO,
  ...{ servers: 50, seconds: 40, callsPerSecond: 300, keys: 5000, mtbf: 100, mttr: 10 },
};

/** A deadline is looked for every 10 ms, and again after the next events of the loop. */
const LATE_MS = 20;

/** For what computes all the time: a starved machine needs minutes for it. */
const COMPUTING = { timeout: 300_000 };

describe("50 servers that fail at random", () => {
  const figures = new Map<string, Figures>();
  const of = (name: string): Figures => figures.get(name)!;
  const policies = policiesFor(SMALL);

  beforeAll(async () => {
    for (const policy of policies) figures.set(policy.name, await simulate(policy, SMALL));
  }, COMPUTING.timeout);

  test.each(policies)("$name: every call ends in time, at the right server", ({ name }) => {
    const { calls, failures, wrong, misplaced, unsettled, max } = of(name);
    expect(calls).toBeGreaterThan(10_000);
    expect(failures).toBeGreaterThan(10);
    expect({ wrong, misplaced, unsettled }).toEqual({ wrong: 0, misplaced: 0, unsettled: 0 });
    expect(max).toBeGreaterThan(SCENARIO.latencyMs);
    expect(max).toBeLessThan(1000 + LATE_MS);
  });

  test("keys move only where they are told to", () => {
    for (const { name, moves } of policies) {
      if (moves) expect(of(name).moved).toBeGreaterThan(0.01);
      else expect(of(name).moved).toBe(0);
      expect(of(name).moved).toBeLessThan(0.5);
    }
  });

  test("whoever moves or copies keys answers more reads than who does not", () => {
    const without = 1 - of("none").reads;
    expect(without).toBeGreaterThan(0.01);
    for (const name of ["rehash", "next", "num_replicas: 1"])
      expect(1 - of(name).reads).toBeLessThan(without / 2);
    for (const name of ["gutter", "… and readReplicas"])
      expect(1 - of(name).reads).toBeLessThan(without);
    expect(of('onError: "miss"').reads).toBe(1);
    expect(of('rehash and onError: "miss"').reads).toBe(1);
  });

  test("a miss in an error's place is no hit; another server's answer may be one", () => {
    expect(of('onError: "miss"').hits - of("none").hits).toBeLessThan(0.01);
    expect(of("rehash").hits).toBeGreaterThan(of("none").hits);
    expect(of("num_replicas: 1").hits).toBeGreaterThan(of("none").hits);
  });

  test("copies have to be deleted everywhere, and so are less often", () => {
    expect(of("num_replicas: 1").deletions).toBeLessThan(of("none").deletions);
    expect(of("rehash").deletions).toBeGreaterThan(of("none").deletions);
  });

  test("servers that nobody can use are asked in the background alone", () => {
    for (const { name } of policies) {
      expect(of(name).probes).toBeGreaterThan(0);
      expect(of(name).probes).toBeLessThan(10);
    }
  });

  test("the same seed is the same run, another one another", COMPUTING, async () => {
    const [none] = policies;
    expect(await simulate(none!, SMALL)).toEqual(of("none"));
    expect(await simulate(none!, { ...SMALL, seed: 2 })).not.toEqual(of("none"));
  });

  test("nothing is lost, stale or probed where nothing fails", COMPUTING, async () => {
    for (const policy of policies.slice(0, 3)) {
      const calm = await simulate(policy, { ...SMALL, mtbf: Infinity });
      const { reads, fills, deletions, stale, probes, moved, failures, max } = calm;
      expect({ reads, fills, deletions, stale, probes, moved, failures }).toEqual({
        ...{ reads: 1, fills: 1, deletions: 1, stale: 0, probes: 0, moved: 0, failures: 0 },
      });
      expect(max).toBeLessThan(20);
    }
  });

  test("the documentation has a line for each", () => {
    const page = readFileSync(new URL("../../docs/failover.md", import.meta.url), "utf8");
    const [, published = ""] = /<!-- simulation -->\n([\s\S]*)<!-- end -->/.exec(page) ?? [];
    for (const { name } of policies) expect(published).toContain(`\n| ${name} |`);
    expect(published.split("\n")[0]).toBe(table([]).split("\n")[0]);
  });

  test("the table and the chart have a row for each", () => {
    const all = [...figures.values()];
    expect(table(all).split("\n")).toHaveLength(policies.length + 2);
    expect(chart(all, "a < b").match(/<rect x=/g)).toHaveLength(policies.length * 5);
    expect(chart(all, "a < b")).toContain("a &lt; b");
  });
});

describe("simulated time", () => {
  test("stands still unless it is let pass, and ends where it is told", async () => {
    using clock = new VirtualClock();
    clock.install(() => 0.5);
    const seen: string[] = [];
    setTimeout(() => seen.push(`b ${performance.now()}`), 20);
    setTimeout(() => seen.push(`a ${performance.now()}`), 10);
    clearTimeout(setTimeout(() => seen.push("never"), 15));
    const ticking = setInterval(() => seen.push(`tick ${performance.now()}`), 8);
    setImmediate(() => seen.push("at once"));
    expect([Math.random(), performance.now(), seen.length]).toEqual([0.5, 0, 0]);
    await clock.pass(20);
    clearInterval(ticking);
    await clock.pass(1000);
    expect(seen).toEqual(["at once", "tick 8", "a 10", "tick 16", "b 20"]);
    expect(performance.now()).toBe(1020);
  });

  test("promises are followed to their end before the next event", async () => {
    using clock = new VirtualClock();
    const seen: string[] = [];
    const follow = async () => {
      for (let n = 0; n < 50; n++) await undefined;
      seen.push("followed");
    };
    clock.after(1, () => void follow());
    clock.after(1, () => seen.push("next"));
    await clock.pass(1);
    expect(seen).toEqual(["followed", "next"]);
  });

  test("many events come in their order", async () => {
    using clock = new VirtualClock();
    const random = new Random(3);
    const times: number[] = [];
    for (let n = 0; n < 2000; n++) clock.after(random.below(500), () => times.push(clock.now));
    await clock.pass(500);
    expect(times).toHaveLength(2000);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("an event that throws ends it", async () => {
    using clock = new VirtualClock();
    clock.after(1, () => {
      throw new Error("on purpose");
    });
    await expect(clock.pass(2)).rejects.toThrow("on purpose");
  });

  test("afterwards all is as it was", async () => {
    const before = [setTimeout, performance.now, Math.random, Date.now, net.connect];
    await simulate(policiesFor(SMALL)[0]!, { ...SMALL, seconds: 1 });
    expect([setTimeout, performance.now, Math.random, Date.now, net.connect]).toEqual(before);
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(performance.now()).toBeGreaterThan(began);
  });
});

describe("chance", () => {
  test("a seed repeats it, evenly", () => {
    const [a, b] = [new Random(7), new Random(7)];
    const numbers = Array.from({ length: 10_000 }, () => a.next());
    expect(numbers.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => b.next()));
    for (let tenth = 0; tenth < 10; tenth++) {
      const within = numbers.filter((number) => Math.floor(number * 10) === tenth);
      expect(Math.abs(within.length - 1000)).toBeLessThan(120);
    }
  });

  test("times between events have their mean, latencies their median", () => {
    const random = new Random(9);
    const times = Array.from({ length: 20_000 }, () => random.exponential(30));
    expect(times.reduce((sum, time) => sum + time) / times.length).toBeCloseTo(30, -1);
    const latencies = Array.from({ length: 20_001 }, () => random.logNormal(0.2, 0.3));
    expect(latencies.toSorted((a, b) => a - b)[10_000]).toBeCloseTo(0.2, 2);
  });

  test("the first key is asked for most, in Zipf's proportions", () => {
    const random = new Random(11);
    const zipf = new Zipf(100, 1);
    const counts = new Array<number>(100).fill(0);
    for (let n = 0; n < 50_000; n++) counts[zipf.draw(random)]!++;
    expect(counts[0]! / counts[1]!).toBeCloseTo(2, 0);
    expect(counts[0]! / counts[9]!).toBeCloseTo(10, -1);
    expect(counts[99]).toBeGreaterThan(0);
  });
});

describe("the simulated server", () => {
  test("answers as memcached does", async () => {
    const clock = new VirtualClock();
    const server = new ModelServer(clock);
    const ask = (text: string) => parse(text).map((command) => server.answer(command));
    expect(ask("set a 16 10 2\r\nhi\r\nget a b\r\n")).toEqual([
      "STORED\r\n",
      "VALUE a 16 2\r\nhi\r\nEND\r\n",
    ]);
    await clock.pass(10_000);
    expect(ask("get a\r\nversion\r\n")).toEqual(["END\r\n", "VERSION 1.6.18\r\n"]);
    expect(ask("delete a\r\ndelete a\r\n")).toEqual(["DELETED\r\n", "NOT_FOUND\r\n"]);
    expect(() => parse("flush_all\r\n")).toThrow("does not know");
  });
});

test("a key that went elsewhere for no reason is noticed", () => {
  const clock = new VirtualClock();
  const [none, , rehash] = policiesFor(SMALL);
  const hosts = ["10.0.0.0", "10.0.0.1", "10.0.0.2"];
  for (const [policy, whileDead] of [
    [none!, 1],
    [rehash!, 0],
  ] as const) {
    const placing = new Placing(clock, policy, hosts, 10);
    const [home = 0] = placing.homes;
    const elsewhere = (home + 1) % 3;
    placing.sent("me", home, "key:0");
    expect([placing.misplaced, placing.moved]).toEqual([0, 0]);
    placing.healthChanged("me", home, true);
    placing.sent("me", elsewhere, "key:0");
    expect([placing.misplaced, placing.moved]).toEqual([whileDead, 1]);
    placing.sent("other", elsewhere, "key:0");
    expect(placing.misplaced).toBe(whileDead + 1);
  }
});
