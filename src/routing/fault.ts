import { type MemcachedError, NetworkError, ProtocolError, ServerErrorReply } from "../errors.js";

/** Whether an error is the server's fault, so that another one may do better. */
export function isServersFault(error: unknown): error is MemcachedError {
  return (
    error instanceof NetworkError ||
    error instanceof ProtocolError ||
    error instanceof ServerErrorReply
  );
}
