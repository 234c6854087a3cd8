import { timers } from "../util/timers.js";

/** Who wants to connect. */
export interface Entrant {
  /** Begins to; called at once or when it is its turn. */
  begin(): void;
}

/** An attempt that takes longer than most do counts no more. */
const SLOW_MS = 100;

/**
 * Lets only so many attempts to connect be under way at once; the others have their turn
 * in the order in which they came. So a fleet that restarts is not met with every
 * client's connections to every server in one moment.
 *
 * A server that never answers would keep the others from their turn for as long as an
 * attempt may last: so one that is slow makes room, and goes on trying.
 */
export class Turnstile {
  readonly #max: number;
  readonly #slowMs: number;
  /** Those that are connecting, by when they may be passed by, the oldest first. */
  readonly #inside = new Map<Entrant, number>();
  readonly #waiting = new Set<Entrant>();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(max: number, slowMs: number = SLOW_MS) {
    this.#max = max;
    this.#slowMs = slowMs;
  }

  enter(entrant: Entrant): void {
    this.#waiting.add(entrant);
    this.#admit();
  }

  /** It is connected, or gave up. */
  leave(entrant: Entrant): void {
    this.#waiting.delete(entrant);
    if (this.#inside.delete(entrant)) this.#admit();
  }

  #admit(): void {
    for (const entrant of this.#waiting) {
      if (this.#inside.size >= this.#max) break;
      this.#waiting.delete(entrant);
      this.#inside.set(entrant, performance.now() + this.#slowMs);
      entrant.begin();
    }
    if (this.#waiting.size > 0) this.#timer ??= this.#passSlowLater();
  }

  /** Those who wait keep the process alive themselves. */
  #passSlowLater(): NodeJS.Timeout {
    const [due = 0] = this.#inside.values();
    return timers.setTimeout(this.#passSlow, Math.max(1, due - performance.now())).unref();
  }

  #passSlow = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const [entrant, due] of this.#inside) {
      if (due > now) break;
      this.#inside.delete(entrant);
    }
    this.#admit();
  };
}
