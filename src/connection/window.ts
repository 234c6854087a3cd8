/**
 * How many requests may be under way at once where nobody says what was lost: more than a
 * socket's buffer holds are lost on either side. What is not answered gives up its place
 * after one to two rounds.
 */
export class Window {
  readonly #size: number;
  readonly #roundMs: number;
  /** The places that were taken in this round and the one before, and are not given back. */
  #recent = 0;
  #older = 0;
  #round = 0;
  #roundEnd = 0;

  constructor(size: number, roundMs: number) {
    this.#size = size;
    this.#roundMs = roundMs;
  }

  get isFull(): boolean {
    return this.#recent + this.#older >= this.#size;
  }

  /** Takes a place, and returns what gives it back. */
  take(): number {
    this.#recent++;
    return this.#round;
  }

  giveBack(round: number): void {
    if (round === this.#round) this.#recent--;
    else if (round === this.#round - 1) this.#older--;
  }

  /** Looks whether a round is over. */
  turn(now: number): void {
    if (now < this.#roundEnd) return;
    this.#roundEnd = now + this.#roundMs;
    this.#round++;
    this.#older = this.#recent;
    this.#recent = 0;
  }

  /** Gives back all places. */
  clear(): void {
    this.#round += 2;
    this.#recent = 0;
    this.#older = 0;
  }
}
