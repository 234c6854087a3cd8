import {
  AuthError,
  ClientErrorReply,
  type MemcachedError,
  NotSupportedError,
  ServerErrorReply,
  UnknownCommandReply,
  ValueTooLargeError,
} from "../errors.js";
import type { Operation } from "../operation.js";
import { describeKey } from "../protocol/key.js";
import type { RefusedReply } from "../protocol/reply.js";
import type { Request } from "../protocol/request.js";
import { shorten } from "../util/show.js";

/** What a call is named that shows the credentials. */
export const AUTHENTICATION = "authentication";

/** How much of a server's words a message has; memcached's own are a line. */
const MAX_WORDS = 200;

/** The error for a refusal, with the server's own words. */
export function refusalError(
  { reason, text }: RefusedReply,
  operation: Operation,
  server: string,
): MemcachedError {
  const { name } = operation.command;
  const details = { ...operation.details, server, sent: true };
  const words = shorten(text, MAX_WORDS);
  const said = `${server} answered ${name} with: ${words}`;
  switch (reason) {
    case "unknownCommand":
      return new UnknownCommandReply(said, text, details);
    case "clientError":
      return new ClientErrorReply(said, text, details);
    case "serverError":
    case "tooLarge":
      return new ServerErrorReply(said, text, details);
    case "auth":
      return new AuthError(`${server} ${demandOf(operation)}refused ${name}: ${words}`, details);
    case "notSupported":
      return new NotSupportedError(
        `${server} has no meta commands as ${name} needs them (memcached 1.6.10 has): ${words}`,
        details,
      );
  }
}

/** Why a server refuses a command as not authenticated, or what comes close. */
function demandOf({ command, request }: Operation): string {
  if (command.name === AUTHENTICATION) return "";
  const isFlush = request.verb === "admin" && request.action === "flushAll";
  // The binary protocol has no other status for a flush_all that is switched off.
  if (isFlush) return "wants credentials, or has flush_all switched off (-F), and ";
  return "wants credentials, and ";
}

/** A value that the server refused for its size. */
export function tooLargeError(
  operation: Operation,
  server: string,
  limit: number | undefined,
): ValueTooLargeError {
  const { request } = operation;
  const size = request.verb === "set" ? request.data.length : 0;
  const over = limit === undefined ? "its item limit" : `its item limit of ${limit}`;
  return new ValueTooLargeError(
    `${server} refused a value of ${size} bytes for ${describeKey(request.key)} as over ${over}${loss(request)}; raise it (memcached -I), compress the value, or set chunk and a smaller maxValueSize`,
    size,
    limit,
    { ...operation.details, server, sent: true },
  );
}

/** What became of the value that the key had: a refused `set` drops it, and so may any `ms`. */
function loss(request: Request): string {
  if (request.verb !== "set") return "";
  const { mode, compareCas, meta } = request;
  if (mode === "set" && compareCas === undefined) return ", and dropped what the key held";
  return meta === undefined ? "" : ", and may have dropped what the key held";
}
