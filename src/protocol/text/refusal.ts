import type { RefusedReply } from "../reply.js";
import type { Request } from "../request.js";
import { needsMeta } from "./meta.js";

const UNKNOWN_USER = /^CLIENT_ERROR (unauthenticated|authentication failure|bad authentication)/;

/** What a server says whose meta commands are older than a flag, or than the form of all of them. */
const OTHER_FLAGS =
  /^CLIENT_ERROR (invalid (or duplicate )?flag|incorrect number of tokens supplied)$/;

/**
 * Reads an error line (protocol.txt, "Error strings"): a word, then text after a blank
 * or a colon, or what only a server without today's meta commands says. Returns undefined
 * for any other line.
 */
export function parseRefusal(line: string, request: Request): RefusedReply | undefined {
  if (isTrial(line, request)) return { kind: "refused", reason: "notSupported", text: line };
  const word = /^(?:CLIENT_|SERVER_)?ERROR(?=$|[ :])/.exec(line)?.[0];
  if (word === undefined) return undefined;
  return { kind: "refused", reason: reasonOf(word, line, request), text: line };
}

/** Whether it answers a meta command in the form that memcached 1.5.19 to 1.5.22 had on trial. */
export function isTrial(line: string, request: Request): boolean {
  return needsMeta(request) && /^VA [a-zA-Z]+ \d/.test(line);
}

function reasonOf(word: string, line: string, request: Request): RefusedReply["reason"] {
  if (word === "SERVER_ERROR") {
    return line.startsWith("SERVER_ERROR object too large") ? "tooLarge" : "serverError";
  }
  const isMeta = needsMeta(request);
  if (word === "CLIENT_ERROR") {
    if (UNKNOWN_USER.test(line)) return "auth";
    return isMeta && OTHER_FLAGS.test(line) ? "notSupported" : "clientError";
  }
  return isMeta ? "notSupported" : "unknownCommand";
}

/**
 * Whether the connection cannot be trusted after a refusal: a storage command's data
 * may have been left in the stream, where memcached 1.6.18 executes them as commands.
 */
export function leavesData(refused: RefusedReply, request: Request): boolean {
  if (request.verb !== "set" || refused.text.endsWith(" authentication failure")) return false;
  return refused.reason !== "serverError" && refused.reason !== "tooLarge";
}
