import type { VirtualClock } from "./clock.js";
import type { Network } from "./network.js";
import { Random } from "./random.js";

/**
 * What befalls servers:
 *
 * - `crash`: the process dies and comes back empty
 * - `hang`: it stops and goes on later, as by SIGSTOP
 * - `slow`: it takes some hundred milliseconds for each answer
 * - `cut`: packets of about half the clients are lost on their way
 */
export const KINDS = ["crash", "hang", "slow", "cut"] as const;

export type Kind = (typeof KINDS)[number];

/** What befalls one server, and for how long. */
export interface Failure {
  readonly position: number;
  readonly kind: Kind;
  readonly atMs: number;
  readonly forMs: number;
  /** The clients that are cut off. */
  readonly clients: readonly string[];
}

export interface FailureOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Mean seconds from a server's repair to its next failure. */
  readonly mtbf: number;
  /** Mean seconds from a failure to its repair. */
  readonly mttr: number;
  /** What may happen, each as often. */
  readonly kinds: readonly Kind[];
}

/** A server's failures, which depend on nothing but the seed and its position. */
export function failuresOf(
  position: number,
  clients: readonly string[],
  { seed, seconds, mtbf, mttr, kinds }: FailureOptions,
): Failure[] {
  const random = new Random(seed * 1_000_003 + position);
  const failures: Failure[] = [];
  for (let atMs = 0; ; ) {
    atMs += random.exponential(mtbf) * 1000;
    if (atMs >= seconds * 1000) return failures;
    const kind = kinds[random.below(kinds.length)]!;
    const forMs = random.exponential(mttr) * 1000;
    const cut = clients.filter(() => kind === "cut" && random.next() < 0.5);
    failures.push({ position, kind, atMs, forMs, clients: cut });
    atMs += forMs;
  }
}

/** Has a failure happen in its time, and end. */
export function schedule(failure: Failure, network: Network, clock: VirtualClock): void {
  const place = network.places[failure.position]!;
  clock.after(failure.atMs, () => {
    if (failure.kind === "crash") network.crash(place);
    else if (failure.kind === "hang") place.condition = "hung";
    else if (failure.kind === "slow") place.condition = "slow";
    else for (const client of failure.clients) place.cutFrom.add(client);
  });
  clock.after(failure.atMs + failure.forMs, () => network.recover(place));
}
