import { setTimeout as delay } from "node:timers/promises";
import { type BehaviorOptions, Client, PartialError } from "tslibmc";
import { beforeAll, describe, expect, test } from "vitest";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { provoking } from "../support/warnings.js";
import { type RecordedOp, type Timeline, timelines } from "./recorded.js";

/** What came of a call on a key of the server that fails. */
type Outcome = "ok" | "miss" | "error";

/** What came of one call, and what it failed with. */
interface Performed {
  readonly outcome: Outcome;
  readonly why?: string;
}

/** What is to happen in one second, when it did, and what came of the calls on keys whose server failed. */
interface Step {
  readonly second: number;
  readonly began: number;
  readonly outcomes: readonly Outcome[];
}

interface Replay {
  readonly steps: readonly Step[];
  /** Calls on other keys that went wrong. */
  readonly others: string[];
  /** When the server was lost, when it was there again, and when it was asked again. */
  readonly lostAt: number;
  readonly backAt: number;
  readonly upAt: number;
}

/** What pylibmc recorded, in the same words. */
function recorded({ keys, home, victim, steps }: Timeline): Map<number, Outcome[]> {
  return new Map(
    steps.map(({ second, ops }) => {
      const own = ops.filter((each) => home[keys.indexOf(each.key)] === victim);
      return [second, own.map(recordedOutcome)];
    }),
  );
}

function recordedOutcome({ exception, op, result }: RecordedOp): Outcome {
  if (exception !== undefined) return "error";
  return op === "get" && result?.s === undefined ? "miss" : "ok";
}

/** What a timeline is replayed with. */
interface Stage {
  readonly timeline: Timeline;
  readonly servers: readonly Memcached[];
  readonly client: Client;
  /** The keys, by their places in the timeline's. */
  readonly names: readonly string[];
}

async function stageFor(timeline: Timeline): Promise<Stage> {
  const servers = await startMemcacheds(3, { args: ["-t", "1", "-m", "16"] });
  const client = new Client(
    servers.map(({ address }) => address),
    { binary: timeline.protocol === "binary", behaviors: behaviorsOf(timeline) },
  );
  const names = timeline.keys.map((key, i) => keyAt(client, key, timeline.home[i]!));
  await client.version({ timeoutMs: 60_000 });
  return { timeline, servers, client, names };
}

/**
 * Recorded were timeouts of 60 ms, for which a busy machine leaves servers that are well without
 * a processor, too.
 */
function behaviorsOf({ behaviors, failure }: Timeline): BehaviorOptions {
  return failure === "frozen" ? { ...behaviors, _poll_timeout: 500 } : behaviors;
}

/** The same calls at the same times by this client, on servers of its own. */
async function replay({ timeline, servers, client, names }: Stage): Promise<Replay> {
  const steps: Step[] = [];
  const others: string[] = [];
  const victim = servers[timeline.victim]!;
  let [lostAt, comesAt, backAt, upAt] = [Infinity, Infinity, Infinity, Infinity];
  client.on("health", ({ server, state }) => {
    if (server !== victim.address || (state !== "up" && state !== "returning")) return;
    if (performance.now() >= comesAt) upAt = Math.min(upAt, performance.now());
  });
  const began = performance.now();
  const until = (second: number) => delay(Math.max(0, began + second * 1000 - performance.now()));
  const misfortune = (async () => {
    await until(0.5);
    if (timeline.failure === "frozen") await victim.pause();
    else await victim.kill();
    lostAt = performance.now();
    await until(timeline.back_at_second);
    comesAt = performance.now();
    if (timeline.failure === "frozen") victim.resume();
    else await victim.start();
    backAt = performance.now();
  })();
  for (const { second, ops } of timeline.steps) {
    await until(second);
    const seen: Outcome[] = [];
    const step = { second, began: performance.now(), outcomes: seen };
    for (const op of ops) {
      const at = timeline.keys.indexOf(op.key);
      const keys = op.op === "get_multi" ? names : [names[at]!];
      const { outcome, why } = await perform(client, op, keys);
      if (timeline.home[at] === timeline.victim) seen.push(outcome);
      else if (outcome === "error") others.push(`${second}: ${op.op}: ${why}`);
    }
    steps.push(step);
  }
  await misfortune;
  await client.close();
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  return { steps, others, lostAt, backAt, upAt };
}

/** A key like the recorded one that is on the same server here. */
function keyAt(client: Client, key: string, index: number): string {
  for (let n = 0; ; n++) {
    if (client.serverFor(`${key}-${n}`).index === index) return `${key}-${n}`;
  }
}

async function perform(
  client: Client,
  { op, value }: RecordedOp,
  keys: readonly string[],
): Promise<Performed> {
  try {
    if (op === "get_multi") await client.getMulti(keys);
    else if (op === "set") await client.set(keys[0]!, value);
    else if ((await client.get(keys[0]!)) === undefined) return { outcome: "miss" };
    return { outcome: "ok" };
  } catch (error) {
    if (error instanceof PartialError) return { outcome: "ok" };
    return { outcome: "error", why: error instanceof Error ? error.message : String(error) };
  }
}

/** Seconds that a busy machine may take for what takes none. */
const SLACK = 2;

/** Errors in the steps that began after a moment: a machine that was away makes up for steps late. */
const errorsAfter = (moment: number, steps: readonly Step[]) =>
  count(steps.filter(({ began }) => began > moment).map(({ outcomes }) => outcomes));

/** When the loss of the server is over for keys that have another place: its calls tell of it. */
function movedAt({ steps, lostAt }: Replay): number {
  const first = steps.find(({ began }) => began >= lostAt);
  return (first?.began ?? Infinity) + 1_900;
}

/** Whether a dead server's keys have another place. */
function movesKeys({ behaviors }: Timeline): boolean {
  const { auto_eject, remove_failed, ketama, ketama_weighted } = behaviors;
  return Boolean((auto_eject || remove_failed) && (ketama || ketama_weighted));
}

const count = (outcomes: readonly (readonly Outcome[])[]) =>
  outcomes.flat().filter((outcome) => outcome === "error").length;

/** Errors by second: a digit each. */
const row = (outcomes: readonly (readonly Outcome[])[]) =>
  outcomes.map((each) => count([each])).join("");

describe("libmemcached's timelines, replayed", () => {
  const replays = new Map<string, Replay>();

  beforeAll(async () => {
    using _ = provoking(/^failover: "rehash" .* moves no keys|^The behavior no_block /);
    // None begins before all can: a machine that is starting processes is late.
    const stages = await Promise.all(timelines.map(stageFor));
    await Promise.all(
      stages.map(async (stage) => replays.set(stage.timeline.id, await replay(stage))),
    );
  }, 120_000);

  test.each(timelines.map((timeline) => [timeline.id, timeline] as const))("%s", (id, timeline) => {
    const ours = replays.get(id)!;
    const seconds = recorded(timeline);
    const theirs = [...seconds.values()];
    const outcomes = ours.steps.map((step) => step.outcomes);
    const errors = `errors by second: ${row(theirs)} → ${row(outcomes)}`;
    expect(ours.others).toEqual([]);
    expect(ours.steps.map(({ second }) => second)).toEqual([...seconds.keys()]);

    const { retry_timeout = 2, dead_timeout = 0, num_replicas = 0 } = timeline.behaviors;
    if (movesKeys(timeline) || num_replicas > 0) {
      expect(count(outcomes), errors).toBeLessThan(count(theirs));
      expect(errorsAfter(movedAt(ours), ours.steps), errors).toBe(0);
    } else {
      const backAt = ours.backAt + (retry_timeout + SLACK) * 1000;
      expect(errorsAfter(backAt, ours.steps), errors).toBe(0);
    }
    if (dead_timeout < timeline.steps.length) {
      const upAfter = (ours.upAt - ours.backAt) / 1000;
      expect(upAfter).toBeLessThan(Math.max(retry_timeout, dead_timeout) + SLACK);
    }
  });
});
