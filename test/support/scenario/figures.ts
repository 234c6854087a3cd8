import type { Ledger, Settled, Stale } from "./ledger.js";

/** What one client made of one fault. */
export interface Figures {
  readonly calls: number;
  /** Calls that were rejected, and what with. */
  readonly errors: number;
  readonly errorNames: Readonly<Record<string, number>>;
  /** Those of them on keys of the other servers only. */
  readonly errorsElsewhere: number;
  /** Those of them that began when the server was known to be dead. */
  readonly errorsOnceDead: number;
  /** Calls that were made misses. */
  readonly masked: number;
  readonly hits: number;
  readonly misses: number;
  /** The longest time in which no call on the server's keys succeeded. */
  readonly gapMs: number;
  /** From the end of the fault to the first call on its keys that succeeded; undefined if none did. */
  readonly flowsMs: number | undefined;
  /** From the end of the fault until the server had its keys back; undefined if it never lost them. */
  readonly homeMs: number | undefined;
  /** How often the server was given up. */
  readonly deaths: number;
  /** Keys that another server had got while the fault lasted, of so many. */
  readonly moved: number;
  readonly keys: number;
  /** Keys that moved and were not the lost server's. */
  readonly movedElsewhere: number;
  readonly wrong: number;
  readonly untyped: number;
  readonly neverSettled: number;
  /** Old values that were given out. */
  readonly stale: number;
  /**
   * Those of them for which the one reason that there may be does not hold: the server came
   * back with what it had, and the key has not been written since.
   */
  readonly staleUnexplained: number;
}

/** What is known beside the calls. */
export interface Circumstances {
  readonly victim: string;
  /** When the fault began, when it was about to end, and when it had ended. */
  readonly beganAt: number;
  readonly endsAt: number;
  readonly endedAt: number;
  readonly masked: number;
  readonly moved: number;
  readonly movedElsewhere: number;
  readonly keys: number;
}

export function figuresOf(ledger: Ledger, circumstances: Circumstances): Figures {
  const { victim, beganAt, endsAt, endedAt, ...given } = circumstances;
  const { calls, hits, misses, wrong, untyped, outstanding } = ledger;
  const failed = calls.filter(({ error }) => error !== undefined);
  const served = calls
    .filter(({ error, affected, ended }) => affected && error === undefined && ended > beganAt)
    .sort((a, b) => a.ended - b.ended);
  const health = ledger.health.filter(({ server }) => server === victim);
  const deaths = health.filter(({ state }) => state === "dead");
  const deadAt = deaths[0]?.at ?? Number.POSITIVE_INFINITY;
  const home = health.findLast(({ state, at }) => state === "up" && at > endsAt);
  const flows = served.find(({ began }) => began >= endedAt);
  const backAt = home?.at ?? Number.POSITIVE_INFINITY;
  return {
    ...given,
    calls: calls.length,
    errors: failed.length,
    errorNames: countBy(failed),
    errorsElsewhere: failed.filter(({ affected }) => !affected).length,
    errorsOnceDead: failed.filter(({ began }) => began > deadAt).length,
    hits,
    misses,
    gapMs: longestGap(beganAt, served),
    flowsMs: flows && flows.ended - endedAt,
    homeMs: home && Math.max(0, home.at - endedAt),
    deaths: deaths.length,
    wrong,
    untyped,
    neverSettled: outstanding,
    stale: ledger.stale.length,
    staleUnexplained: ledger.stale.filter((stale) => !isExplained(stale, endsAt, backAt)).length,
  };
}

function isExplained({ affected, reading }: Stale, endsAt: number, backAt: number): boolean {
  return affected && reading.began > endsAt && reading.writtenAt < backAt;
}

function longestGap(from: number, served: readonly Settled[]): number {
  let longest = 0;
  let last = from;
  for (const { ended } of served) {
    longest = Math.max(longest, ended - last);
    last = ended;
  }
  return longest;
}

function countBy(failed: readonly Settled[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { error } of failed) {
    const name = error instanceof Error ? error.name : typeof error;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
