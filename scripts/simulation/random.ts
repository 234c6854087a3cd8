import { randomFrom } from "../../test/support/random.js";

/** A stream of random numbers that a seed repeats. */
export class Random {
  /** From 0 to below 1; to be handed on as a function. */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = randomFrom(seed);
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** The time to the next of what happens at random, `mean` apart. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** What varies about a median, seldom by much and never below 0; `sigma` 0.5 is a usual network's. */
  logNormal(median: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * this.next()));
  }
}

/** Numbers from 0 up of which the n-th is chosen in proportion to 1 / (n + 1) ^ exponent. */
export class Zipf {
  readonly #upTo: Float64Array;

  constructor(count: number, exponent: number) {
    let sum = 0;
    this.#upTo = Float64Array.from({ length: count }, (_, n) => (sum += (n + 1) ** -exponent));
  }

  draw(random: Random): number {
    const wanted = random.next() * this.#upTo.at(-1)!;
    let [low, high] = [0, this.#upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#upTo[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
