import type { RefusedReply } from "../reply.js";
import type { Request } from "../request.js";
import { needsMeta } from "./meta.js";

/**
 * Reads an error line (protocol.txt, "Error strings"): a word, then text after a blank
 * or a colon. Returns undefined for any other line.
 */
export function parseRefusal(line: string, request: Request | undefined): RefusedReply | undefined {
  const word = /^(?:CLIENT_|SERVER_)?ERROR(?=$|[ :])/.exec(line)?.[0];
  if (word === undefined) return isTrial(line, request) ? notSupported(line) : undefined;
  return { kind: "refused", reason: reasonOf(word, line, request), text: line };
}

function notSupported(text: string): RefusedReply {
  return { kind: "refused", reason: "notSupported", text };
}

/** Whether it answers a meta command in the form that memcached 1.5.19 to 1.6.9 had on trial. */
export function isTrial(line: string, request: Request | undefined): boolean {
  return request !== undefined && needsMeta(request) && /^(?:OK$|VA [a-zA-Z]+ \d)/.test(line);
}

function reasonOf(
  word: string,
  line: string,
  request: Request | undefined,
): RefusedReply["reason"] {
  if (word === "SERVER_ERROR") {
    return line.startsWith("SERVER_ERROR object too large") ? "tooLarge" : "serverError";
  }
  if (word === "CLIENT_ERROR") {
    return /^CLIENT_ERROR (unauthenticated|authentication failure|bad authentication)/.test(line)
      ? "auth"
      : "clientError";
  }
  return request !== undefined && needsMeta(request) ? "notSupported" : "unknownCommand";
}

/**
 * Whether the connection cannot be trusted after a refusal: a storage command's data
 * may have been left in the stream, where memcached 1.6.18 executes them as commands.
 */
export function leavesData(refused: RefusedReply, request: Request): boolean {
  if (request.verb !== "set" || refused.text.endsWith(" authentication failure")) return false;
  return refused.reason !== "serverError" && refused.reason !== "tooLarge";
}
