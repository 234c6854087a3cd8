/** Those who wait until nothing is under way any more. */
export class Drain {
  #waiting: (() => void)[] = [];

  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
