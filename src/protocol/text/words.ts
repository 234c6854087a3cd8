import { EXISTS, MISS, NOT_FOUND, NOT_STORED, OK, type Reply, STORED } from "../reply.js";
import type { AdminRequest, Request } from "../request.js";
import { needsMeta } from "./meta.js";
import { numberReply } from "./metareply.js";

/**
 * The reply that a line of words stands for, or undefined where it is no answer to what
 * was asked.
 */
export function wordReply(line: string, request: Request): Reply | undefined {
  if (request.verb === "admin") return adminReply(line, request.action);
  if (needsMeta(request)) return undefined;
  if (request.verb === "arithmetic" && line !== "NOT_FOUND") {
    // decr pads what it stores with blanks, and older servers answer with them.
    return numberReply(line.trimEnd(), undefined);
  }
  switch (line) {
    case "STORED":
      return request.verb === "set" ? STORED : undefined;
    case "NOT_STORED":
      return request.verb === "set" ? NOT_STORED : undefined;
    case "EXISTS":
      return isCas(request) ? EXISTS : undefined;
    case "NOT_FOUND":
      return canBeMissing(request) ? NOT_FOUND : undefined;
    case "DELETED":
      return request.verb === "delete" ? OK : undefined;
    case "TOUCHED":
      return isTouch(request) ? OK : undefined;
    default:
      return undefined;
  }
}

function adminReply(line: string, action: AdminRequest["action"]): Reply | undefined {
  switch (action) {
    case "version":
      return line.startsWith("VERSION ") ? { kind: "text", text: line.slice(8) } : undefined;
    case "debug":
      return /^ME /.test(line) ? { kind: "text", text: line } : line === "EN" ? MISS : undefined;
    case "noop":
      return line === "MN" ? OK : undefined;
    default:
      return line === "OK" ? OK : undefined;
  }
}

export function isAdmin(request: Request, action: AdminRequest["action"]): boolean {
  return request.verb === "admin" && request.action === action;
}

/** Whether a `VALUE` line can be the answer. */
export function wantsValues(request: Request): boolean {
  return request.verb === "get" && request.value && !needsMeta(request);
}

function isCas(request: Request): boolean {
  return request.verb === "set" && request.compareCas !== undefined;
}

function isTouch(request: Request): boolean {
  return request.verb === "get" && !request.value;
}

function canBeMissing(request: Request): boolean {
  return (
    request.verb === "delete" || request.verb === "arithmetic" || isCas(request) || isTouch(request)
  );
}
