import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "tslibmc";
import type { Held, Step } from "./history.js";

/** What a player is to do next; its players in Python have the same words. */
export interface Call {
  readonly kind: keyof typeof PLAYS;
  /** One, but for the calls of many. */
  readonly keys: readonly string[];
  readonly value: string | number;
}

/** Lends a client for as long as a function runs. */
export type Lend = <Result>(use: (client: Client) => Promise<Result>) => Promise<Result>;

export interface Score {
  readonly by: string;
  /** Where its clock and the play begin, by `process.hrtime.bigint()`. */
  readonly epoch: bigint;
  readonly steps: Step[];
}

type Play = (client: Client, call: Call, score: Score) => Promise<void>;

/** Makes the calls of a script one after the other, until somebody says that it is enough. */
export async function play(
  lend: Lend,
  script: readonly Call[],
  score: Score,
  isEnough: () => boolean,
): Promise<void> {
  await delay(Math.max(0, -now(score)) / 1e6);
  for (const call of script) {
    if (isEnough()) return;
    await lend((client) => PLAYS[call.kind](client, call, score));
  }
}

const now = ({ epoch }: Score) => Number(process.hrtime.bigint() - epoch);

function note({ by, steps }: Score, step: Omit<Step, "by">): void {
  steps.push({ by, ...step });
}

/** A call on one key, whose result says all. */
const one =
  (
    kind: Step["kind"],
    make: (client: Client, key: string, call: Call) => Promise<Step["result"]>,
  ): Play =>
  async (client, call, score) => {
    const [key = ""] = call.keys;
    const start = now(score);
    const result = await make(client, key, call);
    note(score, { kind, key, value: call.value, result, start, end: now(score) });
  };

const held = (value: unknown) => (value ?? null) as Held;

const PLAYS = {
  get: one("get", async (client, key) => held(await client.get(key))),
  has: one("has", (client, key) => client.has(key)),
  set: one("set", (client, key, { value }) => client.set(key, value)),
  add: one("add", (client, key, { value }) => client.add(key, value)),
  replace: one("replace", (client, key, { value }) => client.replace(key, value)),
  append: one("append", (client, key, { value }) => client.append(key, String(value))),
  prepend: one("prepend", (client, key, { value }) => client.prepend(key, String(value))),
  delete: one("delete", (client, key) => client.delete(key)),
  incr: one("incr", async (client, key, { value }) => held(await client.incr(key, Number(value)))),
  decr: one("decr", async (client, key, { value }) => held(await client.decr(key, Number(value)))),

  async getMulti(client, { keys }, score) {
    const start = now(score);
    const found = await client.getMulti(keys);
    const end = now(score);
    for (const key of keys) {
      note(score, { kind: "get", key, result: held(found.get(key)), start, end });
    }
  },

  async setMulti(client, { keys, value }, score) {
    const start = now(score);
    const failed = await client.setMulti(keys.map((key) => [key, value] as const));
    const end = now(score);
    for (const key of keys) {
      note(score, { kind: "set", key, value, result: !failed.includes(key), start, end });
    }
  },

  /** A `gets`, and a `cas` with its token. */
  async swap(client, { keys: [key = ""], value }, score) {
    const start = now(score);
    const item = await client.gets(key);
    const token = item === undefined ? null : String(item.cas);
    const read = now(score);
    note(score, { kind: "gets", key, token, result: held(item?.value), start, end: read });
    if (token === null) return;
    const result = await client.cas(key, value, BigInt(token));
    note(score, { kind: "cas", key, value, token, result, start: read, end: now(score) });
  },
} satisfies Record<string, Play>;
