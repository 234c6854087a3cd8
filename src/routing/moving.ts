import { type MemcachedError, NetworkError, ProtocolError } from "../errors.js";
import type { Operation, Rescuer } from "../operation.js";

/** Whether an operation that failed may be sent another way. */
export function mayMove(operation: Operation, error: unknown): error is MemcachedError {
  return (
    (error instanceof NetworkError || error instanceof ProtocolError) &&
    (!operation.sent || operation.command.idempotent) &&
    performance.now() < operation.deadline
  );
}

/** Leaves it to the next of several whether an operation fails. */
export function passOn(operation: Operation, error: unknown, next: Rescuer | undefined): boolean {
  operation.rescuer = next;
  return next?.rescue(operation, error) ?? false;
}
