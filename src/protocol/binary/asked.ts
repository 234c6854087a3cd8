import { MAX_VALUE_BYTES } from "../body.js";
import { type MetaInfo, NO_INFO } from "../reply.js";
import type { KeyRequest, Request, SaslRequest } from "../request.js";
import { MAX_STATISTICS_BYTES } from "../statistics.js";

/** Extras and a key come on top of the value. */
const MAX_ITEM_BODY = MAX_VALUE_BYTES + 0xff + 0xffff;

/** Whatever else a server has to say is short; the text protocol's lines have the same limit. */
const MAX_WORDS_BODY = 8192;

/** What requests ask of their replies. */

/** How many packets a request is, each with its own opaque. */
export function packetsOf(request: Request): number {
  return request.verb === "get" && request.keys !== undefined ? request.keys.length + 1 : 1;
}

export function isSasl(request: Request): request is SaslRequest {
  return request.verb === "admin" && request.action === "sasl";
}

export function mayHaveBody(request: Request): boolean {
  return !isSasl(request) || request.step !== "list";
}

/**
 * The longest body that a packet may have: more is no reply, and nothing is kept of it.
 * @param request - what it answers with success; undefined for every other packet
 */
export function maxBodyOf(request: Request | undefined): number {
  if (request?.verb === "get") return MAX_ITEM_BODY;
  // What `stats detail dump` says is one statistic.
  const isStats = request?.verb === "admin" && request.action === "stats";
  return isStats ? MAX_STATISTICS_BYTES : MAX_WORDS_BODY;
}

export function wantsCas(request: Request): boolean {
  switch (request.verb) {
    case "get":
      return request.cas;
    case "set":
    case "arithmetic":
      return request.meta?.returnCas === true;
    default:
      return false;
  }
}

/** What a meta command wants to hear beside its status, as far as this wire tells it. */
export function metaInfo(
  { key, meta }: KeyRequest,
  flags: number | undefined,
  cas: bigint | undefined,
): MetaInfo | undefined {
  if (meta === undefined) return undefined;
  return {
    ...NO_INFO,
    key: meta.returnKey ? key : undefined,
    opaque: meta.opaque,
    cas,
    flags,
  };
}
