import { NetworkError, ProtocolError } from "../errors.js";
import type { Operation } from "../operation.js";

/** Whether an operation that failed may be sent another way. */
export function mayMove(operation: Operation, error: unknown): boolean {
  return (
    (error instanceof NetworkError || error instanceof ProtocolError) &&
    (!operation.sent || operation.command.idempotent) &&
    performance.now() < operation.deadline
  );
}
