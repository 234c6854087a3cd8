import { setTimeout as delay } from "node:timers/promises";
import { type BehaviorOptions, Client } from "tslibmc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Interpreter } from "../support/interpreter.js";
import { type Memcached, startMemcacheds } from "../support/memcached.js";
import { until } from "../support/until.js";

/**
 * A program in Python and one in Node while a server of theirs dies and comes back: each goes on
 * to another server when it has found out itself, and from then on they have to meet there.
 */
const BEHAVIORS = { ketama: true, failure_limit: 1, retry_timeout: 1, dead_timeout: 1 };

/** A call that finds out, or that is spent on a probe, fails in Python. */
const PYTHON = `
import time
import pylibmc
clients = {}

def persistently(call, *arguments):
    for _ in range(20):
        try:
            return call(*arguments)
        except pylibmc.Error:
            pass
    return "never"

def answer(question):
    name = question["name"]
    if "behaviors" in question:
        options = {"binary": question["binary"], "behaviors": question["behaviors"]}
        clients[name] = pylibmc.Client(question["servers"], **options)
    client = clients[name]
    for key, value in question.get("set", {}).items():
        persistently(client.set, key, value)
    return [persistently(client.get, key) for key in question.get("get", [])]
`;

let servers: Memcached[];
let python: Interpreter;

beforeAll(async () => {
  servers = await startMemcacheds(4);
  python = new Interpreter(PYTHON);
});
afterAll(() => Promise.all([python, ...servers].map((each) => each[Symbol.asyncDispose]())));

const switches: [string, BehaviorOptions][] = [
  ["remove_failed", { remove_failed: true }],
  ["auto_eject, weighted", { auto_eject: true, ketama_weighted: true }],
];

const KEYS = Array.from({ length: 80 }, (_, i) => `key:${i}`);

test("pylibmc and this client find each other's keys while a server is dead, and when it is back", async () => {
  const list = servers.map(({ address }) => address);
  const pairs = switches.map(([name, given], i) => {
    const behaviors = { ...BEHAVIORS, ...given };
    return {
      name,
      behaviors,
      binary: i === 1,
      client: new Client(list, { behaviors, rampUpMs: 0 }),
    };
  });
  const lost = servers[2]!;

  /** Writes half of the keys on either side, and reads all of them on both. */
  const meet = async (phase: string) => {
    for (const { name, client } of pairs) {
      const ours = KEYS.map((key) => `${name[0]}:${key}:ours`);
      const theirs = KEYS.map((key) => `${name[0]}:${key}:theirs`);
      await client.setMulti(ours.map((key) => [key, phase] as const));
      const set = Object.fromEntries(theirs.map((key) => [key, phase]));
      const all = [...ours, ...theirs];
      const found = await python.ask<unknown[]>({ name, set, get: all });
      const wanted = all.map((key) => [key, phase]);
      expect(
        all.map((key, i) => [key, found[i]]),
        `${name}, ${phase}, in Python`,
      ).toEqual(wanted);
      expect([...(await client.getMulti(all))], `${name}, ${phase}, in Node`).toEqual(wanted);
    }
  };

  try {
    for (const { name, behaviors, binary } of pairs) {
      await python.ask({ name, servers: list, behaviors, binary });
    }
    await meet("all are up");

    await lost.kill();
    const isDead = ({ client }: (typeof pairs)[number]) =>
      client.stats().get(lost.address)?.state === "dead";
    await until(async () => {
      for (const { client } of pairs) await client.getMulti(KEYS).catch(() => {});
      return pairs.every(isDead);
    });
    await meet("one is dead");

    await lost.start();
    await until(() => !pairs.some(isDead));
    await delay(2_100); // pylibmc counts in whole seconds, and looks only when it is called
    await meet("it is back");
    await using direct = new Client(lost.address);
    const home = pairs.flatMap(({ name, client }) =>
      KEYS.flatMap((key) => [`${name[0]}:${key}:ours`, `${name[0]}:${key}:theirs`]).filter(
        (key) => client.serverFor(key).name === lost.address,
      ),
    );
    expect(home.length).toBeGreaterThan(0);
    expect((await direct.getMulti(home)).size).toBe(home.length);
  } finally {
    for (const { client } of pairs) await client.close({ drainMs: 0 });
  }
});
