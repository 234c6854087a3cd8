import { tracingChannel } from "node:diagnostics_channel";
import { setTimeout as delay } from "node:timers/promises";
import { Client, MemcachedError } from "tslibmc";
import { FaultProxy } from "./faultproxy.js";
import { bytesInUse } from "./garbage.js";
import { type Memcached, startMemcacheds } from "./memcached.js";
import { randomFrom } from "./random.js";

export interface SoakOptions {
  readonly ms: number;
  /** Goes on past `ms` until this holds: a starved machine does little in a given time. */
  readonly until?: (figures: SoakFigures) => boolean;
  /** Ends it earlier, once so many operations are settled. */
  readonly maxOperations?: number;
  readonly seed: number;
  readonly log?: (figures: SoakFigures) => void;
}

export interface SoakFigures {
  readonly seconds: number;
  operations: number;
  hits: number;
  /** Operations that failed, by the errors' names. */
  readonly errors: Record<string, number>;
  faults: number;
  /** Kills, restarts, stops and continuations of servers. */
  upsets: number;
  /** All of these have to be 0. */
  wrongValues: number;
  untypedErrors: number;
  neverSettled: number;
  settledTwice: number;
  /** MiB after a collection: early on, and at the end. */
  heapEarly: number;
  heapLate: number;
}

const SERVERS = 2;
const WORKERS = 256;
const KEYS = 500;
const TIMEOUT_MS = 150;

/**
 * Mixed traffic of values that say whose they are, through proxies that inject faults at
 * random, to memcacheds that are killed, stopped, continued and restarted.
 */
export async function soak(options: SoakOptions): Promise<SoakFigures> {
  const random = randomFrom(options.seed);
  const servers = await startMemcacheds(SERVERS, { args: ["-m", "64"] });
  const proxies = await Promise.all(servers.map((server) => FaultProxy.start(server, random)));
  const client = new Client(
    proxies.map(({ address }) => address),
    { timeoutMs: TIMEOUT_MS, connectTimeoutMs: TIMEOUT_MS, stallTimeoutMs: 500 },
  );
  const run = new Soak(client, options, random);
  try {
    return await run.run(servers, proxies);
  } finally {
    await client.close({ drainMs: 0 });
    for (const server of servers) server.resume();
    await Promise.all([...proxies, ...servers].map((each) => each[Symbol.asyncDispose]()));
  }
}

class Soak {
  readonly #client: Client;
  readonly #options: SoakOptions;
  readonly #random: () => number;
  readonly #begin = performance.now();
  #running = true;
  #started = 0;
  #sequence = 0;
  readonly #figures = {
    operations: 0,
    hits: 0,
    errors: {} as Record<string, number>,
    faults: 0,
    upsets: 0,
    wrongValues: 0,
    untypedErrors: 0,
    neverSettled: 0,
    settledTwice: 0,
    heapEarly: 0,
    heapLate: 0,
  };

  constructor(client: Client, options: SoakOptions, random: () => number) {
    this.#client = client;
    this.#options = options;
    this.#random = random;
  }

  async run(servers: readonly Memcached[], proxies: readonly FaultProxy[]): Promise<SoakFigures> {
    const unwatch = this.#watchSettling();
    for (const proxy of proxies) proxy.faultRate = 0.01;
    const workers = Array.from({ length: WORKERS }, () => this.#work());
    const upsetting = servers.map((server, i) => this.#upset(server, proxies[i]!));
    await this.#observe(proxies);
    this.#running = false;
    // Every operation has a deadline; far past it, what has not been settled never will be.
    const done = Promise.all(workers).then(() => true);
    const settled = await Promise.race([done, delay(TIMEOUT_MS * 100).then(() => false)]);
    if (!settled) this.#figures.neverSettled = this.#started - this.#figures.operations;
    await Promise.all(upsetting);
    unwatch();
    this.#figures.heapLate = heapMiB();
    return this.#report(proxies);
  }

  async #observe(proxies: readonly FaultProxy[]): Promise<void> {
    const { ms, until = () => true, maxOperations = Infinity, log } = this.#options;
    const warmUntil = this.#begin + Math.min(ms / 5, 30_000);
    let nextLog = this.#begin + 10_000;
    for (;;) {
      await delay(100);
      const now = performance.now();
      if (this.#figures.heapEarly === 0 && now > warmUntil) this.#figures.heapEarly = heapMiB();
      if (now > nextLog) {
        nextLog += 10_000;
        log?.(this.#report(proxies));
      }
      if (this.#figures.operations >= maxOperations) return;
      if (now - this.#begin > ms && until(this.#report(proxies))) return;
    }
  }

  #report(proxies: readonly FaultProxy[]): SoakFigures {
    const seconds = Math.round((performance.now() - this.#begin) / 1000);
    const faults = proxies.reduce((sum, proxy) => sum + proxy.faults, 0);
    return { seconds, ...this.#figures, faults };
  }

  async #work(): Promise<void> {
    while (this.#running) {
      this.#started++;
      try {
        await this.#operate();
      } catch (error) {
        this.#failed(error);
      }
      this.#figures.operations++;
    }
  }

  #failed(error: unknown): void {
    const { errors } = this.#figures;
    const isOurs = error instanceof MemcachedError;
    const isAbort = error instanceof Error && error.name === "AbortError";
    if (!isOurs && !isAbort) {
      this.#figures.untypedErrors++;
      console.error(error);
    }
    const name = error instanceof Error ? error.name : String(error);
    errors[name] = (errors[name] ?? 0) + 1;
  }

  async #operate(): Promise<void> {
    const client = this.#client;
    const key = this.#key();
    const dice = this.#random();
    if (dice < 0.45) this.#check(key, await client.get(key));
    else if (dice < 0.65) await client.set(key, this.#value(key));
    else if (dice < 0.7) await client.set(key, this.#value(key), { noreply: true });
    else if (dice < 0.76) await this.#readMany();
    else if (dice < 0.8) await this.#replaceByCas(key);
    else if (dice < 0.84) await client.delete(key);
    else if (dice < 0.88) await client.incr(`n:${key}`, 1, { initial: 0 });
    else if (dice < 0.91) await client.touch(key, 60);
    else if (dice < 0.94) this.#check(key, await client.getAndTouch(key, 60));
    else if (dice < 0.96) await client.setMulti(new Map([[key, this.#value(key)]]));
    else if (dice < 0.98) this.#check(key, await client.get(key, { timeoutMs: 1 }));
    else await this.#abort(key);
  }

  async #readMany(): Promise<void> {
    const keys = Array.from({ length: 20 }, () => this.#key());
    for (const [key, value] of await this.#client.getMulti(keys)) this.#check(key, value);
  }

  async #replaceByCas(key: string): Promise<void> {
    const item = await this.#client.gets(key);
    if (item === undefined) return;
    this.#check(key, item.value);
    await this.#client.cas(key, this.#value(key), item.cas);
  }

  async #abort(key: string): Promise<void> {
    const controller = new AbortController();
    const read = this.#client.get(key, { signal: controller.signal });
    setImmediate(() => controller.abort());
    this.#check(key, await read);
  }

  #key(): string {
    return `key:${Math.floor(this.#random() * KEYS)}`;
  }

  /** The key, a number that is used once, and a filling that follows from both. */
  #value(key: string): string {
    const sequence = this.#sequence++;
    const isLarge = this.#random() < 0.01;
    const length = Math.floor(this.#random() * (isLarge ? 200_000 : 200));
    return `${key}|${sequence}|${filling(key, sequence, length)}`;
  }

  #check(key: string, value: unknown): void {
    if (value === undefined) return;
    this.#figures.hits++;
    const [whose, sequence, filled] = typeof value === "string" ? value.split("|") : [];
    const right = whose === key && filled === filling(key, Number(sequence), filled?.length ?? -1);
    if (!right) {
      this.#figures.wrongValues++;
      console.error(`${key} holds ${String(value).slice(0, 200)}`);
    }
  }

  /** A trace that ends twice belongs to an operation that was settled twice. */
  #watchSettling(): () => void {
    const commands = tracingChannel("tslibmc:command");
    const ended = new WeakSet<object>();
    const subscribers = {
      start() {},
      end() {},
      asyncStart() {},
      asyncEnd: (trace: object) => {
        if (ended.has(trace)) this.#figures.settledTwice++;
        ended.add(trace);
      },
      error() {},
    };
    commands.subscribe(subscribers);
    return () => commands.unsubscribe(subscribers);
  }

  async #upset(server: Memcached, proxy: FaultProxy): Promise<void> {
    while (this.#running) {
      await delay(500 + this.#random() * 3_500);
      const dice = this.#random();
      this.#figures.upsets++;
      if (dice < 0.3) {
        await server.restart();
      } else if (dice < 0.6) {
        await server.pause();
        await delay(this.#random() * 1_000);
        server.resume();
      } else if (dice < 0.75) {
        await server.kill();
        await delay(this.#random() * 500);
        await server.start();
      } else {
        proxy.cutAll();
      }
    }
  }
}

function filling(key: string, sequence: number, length: number): string {
  if (length <= 0) return "";
  const unit = `${key}.${sequence}.`;
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
}

function heapMiB(): number {
  return Math.round(bytesInUse() / 1024 / 1024);
}
