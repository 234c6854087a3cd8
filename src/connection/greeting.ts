import { Operation } from "../operation.js";
import type { Reply } from "../protocol/reply.js";
import type { Request } from "../protocol/request.js";
import { AUTHENTICATION } from "./refusal.js";

/** Sends one request on a connection that is not open to operations yet. */
export type Ask = (request: Request) => Promise<Reply>;

/**
 * What is said on every new socket before any operation: who asks, for instance. It
 * rejects with a NetworkError if the connection is not to be used.
 * @param server - the server's name
 */
export type Greet = (ask: Ask, server: string) => Promise<void>;

/** What answers has no value in it. */
const NO_CODEC: Operation["codec"] = { decode: () => undefined };

/** A request of a greeting as an operation; its time is the connection's time to connect. */
export function greeting(
  request: Request,
  resolve: (reply: Reply) => void,
  reject: (error: unknown) => void,
): Operation {
  const command = { name: AUTHENTICATION, idempotent: false, read: (reply: Reply) => reply };
  return new Operation(command, request, "", NO_CODEC, Infinity, resolve, reject);
}
