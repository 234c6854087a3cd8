import { afterThis, atEndOfTurn } from "../util/turn.js";
import type { Link } from "./link.js";
import type { Queue } from "./queue.js";

/** Fewer than this at once, and a write costs more than it gains. */
const WORTH_A_WRITE = 32;

/**
 * When a connection sends what waits for it: many operations in one write, and yet none
 * later than it has to be.
 *
 * - Where the server owes nothing, as soon as those were asked for that are asked for together.
 * - Where it owes replies, at the end of the turn of the event loop, when others may have
 *   come that cause operations as well.
 * - Once a turn before that, when half as many wait as the turn before sent: the server
 *   begins with these while the program still asks for the others, so that neither waits
 *   for the other to be done (docs/performance.md).
 */
export class Pace {
  readonly #queue: Queue;
  readonly #send: () => void;
  #isDue = false;
  /** How many have to wait to be sent ahead. */
  #half = WORTH_A_WRITE;
  /** How many were sent ahead in this turn. */
  #ahead = 0;

  /** @param send - sends what waits in the queue, as far as that is possible */
  constructor(queue: Queue, send: () => void) {
    this.#queue = queue;
    this.#send = send;
  }

  /** One more operation waits. */
  asked(link: Pick<Link, "isBusy">): void {
    if (!this.#isDue) {
      this.#isDue = true;
      if (link.isBusy) atEndOfTurn(this.#end);
      else afterThis(this.#end);
    } else if (this.#queue.length >= this.#half) {
      this.#half = Infinity;
      this.#ahead = this.#queue.length;
      this.#send();
    }
  }

  #end = (): void => {
    this.#isDue = false;
    this.#half = Math.max(WORTH_A_WRITE, (this.#ahead + this.#queue.length) >> 1);
    this.#ahead = 0;
    this.#send();
  };
}
