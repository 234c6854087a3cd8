import { type MemcachedError, NoServerError } from "../errors.js";
import type { Executor, Operation, Rescuer } from "../operation.js";
import { MISS, NOT_STORED } from "../protocol/reply.js";
import { isServersFault } from "./fault.js";

/**
 * Makes a miss of what fails because of the servers, for programs that would rather build
 * a page again than show an error: what was to be read is not there, and what was to be
 * stored is not stored.
 *
 * Deleting and counting still fail: that an item is gone, or was never counted, would
 * be a lie.
 */
export class Leniency implements Rescuer {
  readonly #onMasked: (operation: Operation, error: MemcachedError) => void;

  constructor(onMasked: (operation: Operation, error: MemcachedError) => void) {
    this.#onMasked = onMasked;
  }

  /** The same executor for lenient callers. */
  around(executor: Executor): Executor {
    return {
      execute: (operation) => {
        operation.rescuer = this;
        executor.execute(operation);
      },
    };
  }

  rescue(operation: Operation, error: unknown): boolean {
    const { verb } = operation.request;
    if (verb !== "get" && verb !== "set") return false;
    if (!(error instanceof NoServerError || isServersFault(error))) return false;
    this.#onMasked(operation, error);
    operation.settle(verb === "get" ? MISS : NOT_STORED);
    return true;
  }
}
