import {
  EXISTS,
  type MetaInfo,
  MISS,
  NOT_FOUND,
  NOT_STORED,
  type RefusedReply,
  type Reply,
  type StatusReply,
} from "../reply.js";
import type { Request } from "../request.js";

/** Response statuses of the binary protocol. */
export const STATUS = {
  ok: 0x00,
  notFound: 0x01,
  exists: 0x02,
  tooLarge: 0x03,
  invalidArguments: 0x04,
  notStored: 0x05,
  notNumeric: 0x06,
  authFailed: 0x20,
  authContinue: 0x21,
  unknownCommand: 0x81,
} as const;

/**
 * The reply that a status other than `ok` stands for. Every answer is the one that the
 * text protocol gives for the same: a replace without an item is not stored, and
 * neither is an add with one.
 */
export function statusReply(
  status: number,
  words: string,
  request: Request,
  info: MetaInfo | undefined,
): Reply {
  const reply = statusOf(status, request);
  if (reply === undefined) return refusal(status, words);
  return info === undefined ? reply : { kind: reply.kind, info };
}

function statusOf(status: number, request: Request): StatusReply | undefined {
  switch (status) {
    case STATUS.notFound:
      return missing(request);
    case STATUS.exists:
      if (request.verb === "set" && request.mode === "add") return NOT_STORED;
      return request.verb === "get" || request.verb === "admin" ? undefined : EXISTS;
    case STATUS.notStored:
      return request.verb === "set" || request.verb === "arithmetic" ? NOT_STORED : undefined;
    default:
      return undefined;
  }
}

function missing(request: Request): StatusReply | undefined {
  switch (request.verb) {
    case "get":
      return request.value || request.touch === undefined || request.meta !== undefined
        ? MISS
        : NOT_FOUND;
    case "set":
      return request.compareCas === undefined ? NOT_STORED : NOT_FOUND;
    case "admin":
      return undefined;
    default:
      return NOT_FOUND;
  }
}

function refusal(status: number, words: string): RefusedReply {
  const text = words === "" ? `status 0x${status.toString(16)}` : words;
  return { kind: "refused", reason: reasonOf(status), text };
}

function reasonOf(status: number): RefusedReply["reason"] {
  switch (status) {
    case STATUS.tooLarge:
      return "tooLarge";
    case STATUS.invalidArguments:
    case STATUS.notNumeric:
      return "clientError";
    case STATUS.authFailed:
    case STATUS.authContinue:
      return "auth";
    // Of what is missing, only a kind of statistics that memcached does not know comes here.
    case STATUS.notFound:
    case STATUS.unknownCommand:
      return "unknownCommand";
    default:
      return "serverError";
  }
}
