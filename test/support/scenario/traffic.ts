import { setTimeout as delay } from "node:timers/promises";
import { type Client, PartialError } from "tslibmc";
import type { History } from "./history.js";
import type { Ledger } from "./ledger.js";

const CALLERS = 4;
/** Between two rounds of one caller. */
const PAUSE_MS = 10;
/** In every fifth round a caller reads many keys at once. */
const MANY_EVERY = 5;
const MANY = 10;
/** Far past every deadline: what is not settled by then never will be. */
const SETTLES_MS = 15_000;

/**
 * Several callers that go on at the same pace whatever becomes of their calls, as a web
 * server's visitors do. Each writes keys of its own, and reads those of all.
 */
export class Traffic {
  readonly #client: Client;
  readonly #keys: readonly string[];
  readonly #history: History;
  readonly #ledger: Ledger;
  #callers: Promise<void>[] = [];
  #running = false;

  constructor(client: Client, keys: readonly string[], history: History, ledger: Ledger) {
    this.#client = client;
    this.#keys = keys;
    this.#history = history;
    this.#ledger = ledger;
  }

  /** Stores all keys once. */
  async warm(): Promise<void> {
    await Promise.all(this.#keys.map((key) => this.#write(key)));
  }

  start(): void {
    this.#running = true;
    this.#callers = Array.from({ length: CALLERS }, (_, caller) => this.#call(caller));
  }

  /** Ends it; resolves when every call is settled, or never will be. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#callers);
    const limit = performance.now() + SETTLES_MS;
    while (this.#ledger.outstanding > 0 && performance.now() < limit) await delay(5);
  }

  async #call(caller: number): Promise<void> {
    const own = this.#keys.filter((_, i) => i % CALLERS === caller);
    for (let round = 0; this.#running; round++) {
      void this.#read(this.#at(caller * 13 + round * 7));
      void this.#write(own[round % own.length]!);
      if (round % MANY_EVERY === 0) void this.#readMany(round);
      await delay(PAUSE_MS);
    }
  }

  #at(i: number): string {
    return this.#keys[i % this.#keys.length]!;
  }

  #read(key: string): Promise<void> {
    const reading = this.#history.read(key);
    return this.#ledger.watch([key], this.#client.get(key), (value, error) => {
      if (error === undefined) this.#ledger.saw(reading, value);
    });
  }

  #readMany(from: number): Promise<void> {
    const keys = Array.from({ length: MANY }, (_, i) => this.#at(from + i * 7));
    const readings = keys.map((key) => this.#history.read(key));
    return this.#ledger.watch(keys, this.#client.getMulti(keys), (all, error) => {
      const found = error instanceof PartialError ? error.results : all;
      if (!(found instanceof Map)) return;
      for (const reading of readings) {
        if (error === undefined || found.has(reading.key)) {
          this.#ledger.saw(reading, found.get(reading.key));
        }
      }
    });
  }

  #write(key: string): Promise<void> {
    const writing = this.#history.write(key);
    if (writing === undefined) return Promise.resolve();
    return this.#ledger.watch([key], this.#client.set(key, writing.value), (stored) => {
      if (stored === true) writing.stored();
      else writing.unknown();
    });
  }
}
