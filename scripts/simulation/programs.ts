import type { Client } from "../../src/index.js";
import { Histogram } from "../../src/util/histogram.js";
import type { VirtualClock } from "./clock.js";
import { Random, Zipf } from "./random.js";

export interface ProgramsOptions {
  readonly seed: number;
  /** Calls of all programs together, at random times whether or not others are answered. */
  readonly callsPerSecond: number;
  readonly keys: number;
  /** How unevenly keys are asked for. */
  readonly zipf: number;
  /** The share of calls that change what a key stands for, and delete it from the cache. */
  readonly changes: number;
  /** Seconds that an item lives. */
  readonly ttl: number;
  /** What it takes to read from the database what the cache does not have. */
  readonly databaseMs: number;
}

/** How calls of one kind ended. */
export interface Tally {
  started: number;
  settled: number;
  failed: number;
}

export const nameOf = (key: number): string => `key:${key}`;

/** What the cache should hold: whose value it is, and how often that was changed before. */
export const itemOf = (key: number, version: number): string => `${nameOf(key)}=${version}`;

/**
 * Programs that read through the cache: what it does not have is read from the database and
 * set; what they change in the database is deleted from the cache.
 */
export class Programs {
  readonly reads: Tally = { started: 0, settled: 0, failed: 0 };
  readonly fills: Tally = { started: 0, settled: 0, failed: 0 };
  readonly changes: Tally = { started: 0, settled: 0, failed: 0 };
  hits = 0;
  /** Hits older than a change that was over, done or failed, before the read began. */
  stale = 0;
  /** Hits that are another key's. */
  wrong = 0;
  /** How long reads took that were answered or failed, in microseconds. */
  readonly latency = new Histogram();
  readonly #clock: VirtualClock;
  readonly #clients: readonly Client[];
  readonly #options: ProgramsOptions;
  /** What the database has, and which of it every program knows to be changed. */
  readonly #versions: Uint32Array;
  readonly #known: Uint32Array;

  constructor(clock: VirtualClock, clients: readonly Client[], options: ProgramsOptions) {
    this.#clock = clock;
    this.#clients = clients;
    this.#options = options;
    this.#versions = new Uint32Array(options.keys);
    this.#known = new Uint32Array(options.keys);
  }

  /** Plans all calls of so many seconds; they are the same for each client's policy. */
  start(seconds: number): void {
    const { seed, callsPerSecond, keys, zipf, changes } = this.#options;
    const random = new Random(seed);
    const popularity = new Zipf(keys, zipf);
    const end = this.#clock.now + seconds * 1000;
    const next = () => {
      this.#clock.after(random.exponential(1000 / callsPerSecond), () => {
        if (this.#clock.now >= end) return;
        const client = this.#clients[random.below(this.#clients.length)]!;
        const key = popularity.draw(random);
        void (random.next() < changes ? this.#change(client, key) : this.#read(client, key));
        next();
      });
    };
    next();
  }

  async #read(client: Client, key: number): Promise<void> {
    const known = this.#known[key]!;
    const began = this.#clock.now;
    const read = await counted(this.reads, () => client.get(nameOf(key)));
    this.latency.add(Math.round((this.#clock.now - began) * 1000));
    if (read === undefined) return;
    if (read.result !== undefined) this.#check(key, read.result, known);
    else await this.#fill(client, key);
  }

  async #fill(client: Client, key: number): Promise<void> {
    const { databaseMs, ttl } = this.#options;
    await this.#clock.wait(databaseMs);
    const value = itemOf(key, this.#versions[key]!);
    await counted(this.fills, () => client.set(nameOf(key), value, { ttl }));
  }

  async #change(client: Client, key: number): Promise<void> {
    const version = ++this.#versions[key]!;
    await counted(this.changes, () => client.delete(nameOf(key)));
    this.#known[key] = Math.max(this.#known[key]!, version);
  }

  #check(key: number, value: unknown, known: number): void {
    const version = Number(String(value).split("=")[1]);
    this.hits++;
    if (value !== itemOf(key, version)) this.wrong++;
    else if (version < known) this.stale++;
  }
}

/** The result, or undefined if the call failed. */
async function counted<Result>(
  tally: Tally,
  call: () => Promise<Result>,
): Promise<{ readonly result: Result } | undefined> {
  tally.started++;
  try {
    return { result: await call() };
  } catch {
    tally.failed++;
    return undefined;
  } finally {
    tally.settled++;
  }
}
