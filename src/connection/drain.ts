/** Those who wait until a connection has nothing under way any more. */
export class Drain {
  readonly #isBusy: () => boolean;
  #waiting: (() => void)[] = [];

  constructor(isBusy: () => boolean) {
    this.#isBusy = isBusy;
  }

  /** Undefined if there is nothing to wait for. */
  wait(): Promise<void> | undefined {
    return this.#isBusy() ? new Promise((resolve) => this.#waiting.push(resolve)) : undefined;
  }

  /** Something was settled. */
  check(): void {
    if (this.#waiting.length === 0 || this.#isBusy()) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
