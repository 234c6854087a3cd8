import { type MetaInfo, NO_INFO } from "../reply.js";
import type { KeyRequest, Request, SaslRequest } from "../request.js";

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
