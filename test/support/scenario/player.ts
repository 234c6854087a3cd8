import { Client } from "tslibmc";
import { type Circumstances, type Figures, figuresOf } from "./figures.js";
import { History } from "./history.js";
import { Ledger } from "./ledger.js";
import type { Policy } from "./policy.js";
import { type Stage, VICTIM } from "./stage.js";
import { Traffic } from "./traffic.js";

/** Keys of each server. */
const KEYS = 20;

/** For calls that have nothing to wait for: a machine without a processor to spare fails none. */
const PATIENT = { timeoutMs: 10_000, connectTimeoutMs: 10_000 } as const;

/** One client and its traffic. */
export class Player {
  readonly policy: Policy;
  readonly client: Client;
  readonly traffic: Traffic;
  readonly #history = new History();
  readonly #ledger: Ledger;
  readonly #victim: string;
  readonly #keys: readonly string[];
  /** The version of each key as the fault began. */
  #before = new Map<string, number>();
  #moved: ReadonlySet<string> = new Set();

  /** @param timeoutMs - how long its calls wait for a server that may fall silent */
  constructor(policy: Policy, stage: Stage, timeoutMs?: number) {
    const deadlines = timeoutMs === undefined ? PATIENT : { timeoutMs };
    this.policy = policy;
    this.client = new Client(stage.servers, {
      ...policy.options(stage.gutter),
      ...deadlines,
      ...stage.options,
    });
    if (stage.source !== undefined) this.client.follow(stage.source);
    this.#victim = this.client.servers[VICTIM]!.name;
    this.#keys = stage.servers.flatMap((_, index) => this.#keysOn(index));
    this.#ledger = new Ledger(this.client, this.#history, (key) => this.#isAffected(key));
    this.traffic = new Traffic(this.client, this.#keys, this.#history, this.#ledger);
  }

  /** Keeps keys away from a server that comes and goes for so long. */
  outlast(faultMs: number): void {
    if (this.policy.moves) this.client.behaviors.dead_timeout = Math.ceil(faultMs / 1000) + 1;
  }

  /** Remembers what is written before the fault. */
  mark(): void {
    this.#before = new Map(this.#keys.map((key) => [key, this.#history.begun(key)]));
  }

  /** Looks on every server but the lost one for what has been written since, and is not at home there. */
  async lookAround({ servers, gutter, options }: Stage): Promise<void> {
    if (this.policy.name === "replicas") return;
    const moved = new Set<string>();
    for (const address of [...servers.toSpliced(VICTIM, 1), gutter]) {
      await using looking = new Client(address, { ...PATIENT, ...options });
      for (const [key, value] of await looking.getMulti(this.#keys)) {
        const version = this.#history.versionOf(key, value) ?? 0;
        const isHome = this.client.serverFor(key).name === address;
        if (!isHome && version > this.#before.get(key)!) moved.add(key);
      }
    }
    this.#moved = moved;
  }

  /** Whether one of the lost server's keys has been written since it is dead, if any is to be. */
  hasMoved(): boolean {
    const { health, calls } = this.#ledger;
    if (!this.policy.moves) return true;
    const death = health.find(({ server, state }) => server === this.#victim && state === "dead");
    if (death === undefined) return false;
    return calls.some(({ affected, stored, began }) => affected && stored && began > death.at);
  }

  /** Whether its server is up, and calls on its keys that began since then have succeeded. */
  isBack(since: number): boolean {
    const { health, calls } = this.#ledger;
    const last = health.findLast(({ server }) => server === this.#victim);
    if (last !== undefined && last.state !== "up") return false;
    return calls.some(
      ({ affected, error, began }) => affected && error === undefined && began > since,
    );
  }

  figures(times: Pick<Circumstances, "beganAt" | "endsAt" | "endedAt">): Figures {
    const elsewhere = [...this.#moved].filter((key) => !this.#isAffected(key));
    return figuresOf(this.#ledger, {
      victim: this.#victim,
      ...times,
      masked: this.client.masked,
      moved: this.#moved.size,
      movedElsewhere: elsewhere.length,
      keys: KEYS,
    });
  }

  #keysOn(index: number): string[] {
    const keys: string[] = [];
    for (let i = 0; keys.length < KEYS; i++) {
      const key = `${this.policy.name.replace(", ", "-")}:${i}`;
      if (this.client.serverFor(key).index === index) keys.push(key);
    }
    return keys;
  }

  #isAffected(key: string): boolean {
    return this.client.serverFor(key).index === VICTIM;
  }
}
