import { Placement } from "../../src/ring/placement.js";
import type { VirtualClock } from "./clock.js";
import type { Policy } from "./policies.js";
import { nameOf } from "./programs.js";

/** After a server is back, what was on its way elsewhere may still get there, in milliseconds. */
const GRACE_MS = 1_100;

/**
 * Watches where keys are sent: to their own server or a copy's, unless it is dead, or returning, to the
 * client that sends.
 */
export class Placing {
  /** Each key's own server. */
  readonly homes: readonly number[];
  /** Requests that went elsewhere though their key's own server had all of its keys. */
  misplaced = 0;
  readonly #clock: VirtualClock;
  readonly #policy: Policy;
  readonly #servers: number;
  readonly #moved = new Set<number>();
  readonly #asked = new Set<number>();
  /** For each client, until when its dead and returning servers count as away. */
  readonly #deadUntil = new Map<string, Map<number, number>>();

  constructor(clock: VirtualClock, policy: Policy, hosts: readonly string[], keys: number) {
    const servers = hosts.map((host) => ({ host, port: 11211, weight: 1 }));
    const placement = new Placement({ behaviors: { ketama: true } }, servers);
    this.homes = Array.from({ length: keys }, (_, key) => placement.locate(nameOf(key)));
    this.#clock = clock;
    this.#policy = policy;
    this.#servers = hosts.length;
  }

  /** The share of the keys asked for that were sent elsewhere at any time. */
  get moved(): number {
    return this.#moved.size / Math.max(1, this.#asked.size);
  }

  /** Whether a server has a key while all of them live. */
  holds(position: number, key: number): boolean {
    if (position >= this.#servers) return false;
    const after = (position - this.homes[key]! + this.#servers) % this.#servers;
    return after <= this.#policy.copies;
  }

  healthChanged(client: string, position: number, isAway: boolean): void {
    let servers = this.#deadUntil.get(client);
    if (servers === undefined) this.#deadUntil.set(client, (servers = new Map()));
    if (isAway) servers.set(position, Infinity);
    else if (servers.has(position)) servers.set(position, this.#clock.now + GRACE_MS);
  }

  sent(client: string, position: number, name: string): void {
    const key = Number(name.slice(name.indexOf(":") + 1));
    this.#asked.add(key);
    if (this.holds(position, key)) return;
    this.#moved.add(key);
    const deadUntil = this.#deadUntil.get(client)?.get(this.homes[key]!) ?? -Infinity;
    if (!this.#policy.moves || deadUntil < this.#clock.now) this.misplaced++;
  }
}
