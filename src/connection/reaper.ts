import { TimeoutError } from "../errors.js";
import type { Operation } from "../operation.js";
import { elapsed, microseconds } from "../util/clock.js";
import { atEndOfTurn } from "../util/turn.js";
import type { Counters } from "./counters.js";
import { Failure } from "./failure.js";

/** Ends operations that come to nothing at one server: each is counted, and reported just before. */
export class Reaper {
  readonly #server: string;
  readonly #counters: Counters;
  readonly #onFailed: (operation: Operation) => void;

  constructor(server: string, counters: Counters, onFailed: (operation: Operation) => void) {
    this.#server = server;
    this.#counters = counters;
    this.#onFailed = onFailed;
  }

  /** Fails an operation, unless it is settled. */
  fail(operation: Operation, failure: Failure): void {
    if (operation.settled) return;
    this.#counters.errors++;
    this.#onFailed(operation);
    operation.fail(failure.for(operation));
  }

  /**
   * Fails an operation that is refused as it comes, and not within the call: a program that
   * tries again at once would never let the event loop turn, nor the reason pass.
   */
  refuse(operation: Operation, failure: Failure): void {
    atEndOfTurn(() => this.fail(operation, failure));
  }

  /**
   * Fails an operation whose deadline has passed.
   * @param missedMs - how much of the time until now nobody could look at the sockets
   * @param why - says what it waited for, and `within` which time
   * @returns what that says of the server; undefined if nothing
   */
  expire(
    operation: Operation,
    now: number,
    missedMs: number,
    why: (operation: Operation, within: string) => string,
  ): Failure | undefined {
    if (operation.settled || now < operation.deadline) return undefined;
    const reason = why(operation, timeOf(operation));
    const message = `${operation.command.name} timed out at ${this.#server}: ${reason}`;
    const failure = new Failure(TimeoutError, message, this.#server);
    this.#counters.timeouts++;
    this.fail(operation, failure);
    // What another server failed before had only the rest of its time here; nor is the program's own time the server's.
    const isExcused =
      operation.moved || now - missedMs < operation.deadline || hadNoTime(operation);
    return isExcused ? undefined : failure;
  }
}

/** Whether it waited in the client until its time was over: what is owed before it tells of the server. */
function hadNoTime({ sent, writtenAt, deadline }: Operation): boolean {
  return sent && elapsed(writtenAt, microseconds(deadline)) === 0;
}

/**
 * The time that an operation had since it was written, or else since it began to wait. Of a call
 * on many keys some is gone when it is written: up to a millisecond of that counts.
 */
function timeOf({ writtenAt, deadline }: Operation): string {
  const ms = Math.ceil((elapsed(writtenAt, microseconds(deadline)) - 10) / 1000);
  return writtenAt === 0 ? "" : ` within ${ms} ms`;
}
