import type { Operation } from "../operation.js";
import type { Hit, RefusedReply, Reply } from "../protocol/reply.js";
import type { Replies } from "../protocol/wire.js";
import { Fifo } from "../util/fifo.js";

/**
 * The operations that were written and wait for replies, in that order. One that was
 * settled meanwhile, by its deadline or an abort, keeps its place, and its reply is
 * eaten there: that is what keeps every later answer with its own caller.
 */
export class Pipeline implements Replies {
  readonly #sent = new Fifo<Operation>();
  readonly #onRefused: (operation: Operation, refused: RefusedReply) => void;

  constructor(onRefused: (operation: Operation, refused: RefusedReply) => void) {
    this.#onRefused = onRefused;
  }

  get length(): number {
    return this.#sent.length;
  }

  push(operation: Operation): void {
    this.#sent.push(operation);
  }

  waiting(n: number): Operation | undefined {
    return this.#sent.at(n);
  }

  deliver(n: number, index: number, hit: Hit): void {
    const operation = this.#sent.at(n)!;
    if (operation.command.collect === undefined) operation.settle(hit);
    else operation.collect(index, hit);
  }

  settle(reply: Reply): void {
    const operation = this.#sent.shift()!;
    if (operation.settled) return;
    if (reply.kind === "refused") this.#onRefused(operation, reply);
    else operation.settle(reply);
  }

  drain(): Operation[] {
    return this.#sent.drain();
  }
}
