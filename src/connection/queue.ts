import { QueueFullError } from "../errors.js";
import type { Operation } from "../operation.js";
import { Fifo } from "../util/fifo.js";
import { Failure } from "./failure.js";

/** How much may wait for one server. */
export interface QueueLimits {
  /** Operations that wait to be sent or for their reply. */
  readonly maxOperations: number;
  /** Bytes of the values that they hold. */
  readonly maxBytes: number;
  /** Whether operations past that wait for room until their deadline, or fail at once. */
  readonly waits: boolean;
}

/**
 * More waits for a server than the limits allow.
 * @param options - those that set the limits
 */
export function queueFull(server: string, waiting: string, options: string): Failure {
  return new Failure(
    QueueFullError,
    `${server} does not keep up: ${waiting} wait for it already; send less at once, raise ${options}, or set whenQueueFull to "wait"`,
    server,
  );
}

/** The operations that wait to be written, and the bytes of values that they hold. */
export class Queue {
  bytes = 0;
  readonly #waiting = new Fifo<Operation>();

  get length(): number {
    return this.#waiting.length;
  }

  /** The oldest that was not settled while it waited. */
  get first(): Operation | undefined {
    while (this.#waiting.at(0)?.settled) this.shift();
    return this.#waiting.at(0);
  }

  push(operation: Operation): void {
    this.bytes += operation.size;
    this.#waiting.push(operation);
  }

  shift(): Operation | undefined {
    const operation = this.#waiting.shift();
    if (operation !== undefined) this.bytes -= operation.size;
    return operation;
  }

  /**
   * Lets those go that were settled while they waited, and takes out those whose deadline has
   * passed. They are failed only then: that may run the program's own code, which may ask for more.
   */
  takeOverdue(now: number): Operation[] {
    const overdue: Operation[] = [];
    this.#waiting.retain((operation) => {
      if (!operation.settled && now < operation.deadline) return true;
      this.bytes -= operation.size;
      if (!operation.settled) overdue.push(operation);
      return false;
    });
    return overdue;
  }

  /** Takes everything out, oldest first. */
  drain(): Operation[] {
    this.bytes = 0;
    return this.#waiting.drain();
  }
}
