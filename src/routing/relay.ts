import { Operation } from "../operation.js";
import type { Reply } from "../protocol/reply.js";
import type { Request } from "../protocol/request.js";

export interface RelayOptions {
  /** What is asked in the original's place. */
  readonly request?: Request;
  readonly deadline?: number;
  /** Where the keys that are asked for stand among the original's. @defaultValue in the same places */
  readonly places?: readonly number[];
  /** Takes the reply, which is valid only until this returns. @defaultValue the original's own */
  readonly settle?: (reply: Reply) => void;
  /** @defaultValue the original's own */
  readonly fail?: (error: unknown) => void;
}

/**
 * An operation that asks on behalf of another: what it learns is the other's, as if that
 * had been sent itself.
 */
export function relay(operation: Operation, options: RelayOptions): Operation {
  const { command } = operation;
  const {
    request = operation.request,
    deadline = operation.deadline,
    places,
    settle = (reply) => operation.settle(reply),
    fail = (error) => operation.fail(error),
  } = options;
  const { name, idempotent } = command;
  const read = (reply: Reply) => reply;
  const own = { name, idempotent, read };
  return new Operation(
    command.collect === undefined
      ? own
      : { ...own, collect: (index, hit) => operation.collect(places?.[index] ?? index, hit) },
    request,
    operation.route,
    operation.codec,
    deadline,
    settle,
    fail,
  );
}
