/**
 * The time that a server lives by, in whole Unix seconds, as memcached's own. It can be
 * moved, so that a test of expiry needs no waiting; several servers may share one.
 */
export class Clock {
  #offset = 0;
  #stoppedAt: number | undefined;

  /** The present, in whole Unix seconds. */
  now(): number {
    return (this.#stoppedAt ?? Math.floor(Date.now() / 1000)) + this.#offset;
  }

  /** Moves the time by whole seconds; negative ones go back. */
  advance(seconds: number): void {
    this.#offset += Math.trunc(seconds);
  }

  /** Stops the time where it is, so that only {@link advance} moves it. */
  stop(): void {
    this.#stoppedAt ??= Math.floor(Date.now() / 1000);
  }

  /** Lets a stopped time run again, from where it stood. */
  resume(): void {
    if (this.#stoppedAt === undefined) return;
    this.#offset += this.#stoppedAt - Math.floor(Date.now() / 1000);
    this.#stoppedAt = undefined;
  }
}
