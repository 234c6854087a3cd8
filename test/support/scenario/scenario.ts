import { setTimeout as delay } from "node:timers/promises";
import type { Figures } from "./figures.js";
import { Player } from "./player.js";
import type { Policy } from "./policy.js";
import type { Fault } from "./stage.js";

export interface Durations {
  readonly beforeMs: number;
  readonly faultMs: number;
  /** After everybody has the server back. */
  readonly afterMs: number;
  /** How long calls wait for a server that falls silent. */
  readonly silenceMs: number;
}

/** How long it may take until a lost server is given up, or one that is back is found. */
const RETURNS_MS = 30_000;

/** How long traffic goes on when the first key of a server that was given up is written elsewhere. */
const MOVES_MS = 300;

/**
 * Plays one fault to clients of several policies at once, each with steady traffic on keys
 * of its own:
 *
 * ```
 *     warm ── beforeMs ── begin ── faultMs, and its keys have moved ── end ── it is back ── afterMs
 * ```
 */
export async function play(
  fault: Fault,
  policies: readonly Policy[],
  { beforeMs, faultMs, afterMs, silenceMs }: Durations,
): Promise<Map<Policy, Figures>> {
  await using stage = await fault.stage();
  const timeoutMs = fault.shows === "silence" ? silenceMs : undefined;
  const players = policies.map((policy) => new Player(policy, stage, timeoutMs));
  try {
    if (fault.flaps) for (const player of players) player.outlast(faultMs);
    await Promise.all(players.map((player) => player.traffic.warm()));
    for (const { traffic } of players) traffic.start();
    await delay(beforeMs);
    const beganAt = performance.now();
    for (const player of players) player.mark();
    await stage.begin();
    await delay(faultMs);
    if (fault.shows !== "nothing" && !fault.isBrief) {
      await within(RETURNS_MS, () => players.every((player) => player.hasMoved()));
      await delay(MOVES_MS);
    }
    await Promise.all(players.map((player) => player.lookAround(stage)));
    const endsAt = performance.now();
    await stage.end();
    const endedAt = performance.now();
    await within(RETURNS_MS, () => players.every((player) => player.isBack(endsAt)));
    await delay(afterMs);
    await Promise.all(players.map(({ traffic }) => traffic.stop()));
    return new Map(
      players.map(
        (player) => [player.policy, player.figures({ beganAt, endsAt, endedAt })] as const,
      ),
    );
  } finally {
    await Promise.all(players.map(({ client }) => client.close({ drainMs: 0 })));
  }
}

/** Waits until something is so; if it never is, the figures will tell. */
async function within(ms: number, isSo: () => boolean): Promise<void> {
  const limit = performance.now() + ms;
  while (!isSo() && performance.now() < limit) await delay(5);
}
