import { EXISTS, MISS, NOT_FOUND, NOT_STORED, OK, type Reply, STORED } from "../reply.js";
import type { AdminRequest, GetRequest, Request } from "../request.js";
import { numberReply } from "./metareply.js";

/**
 * The reply that a line of words stands for, or undefined where it cannot answer the
 * classic command that was sent.
 */
export function wordReply(line: string, request: Request): Reply | undefined {
  if (request.verb === "admin") return adminReply(line, request);
  if (request.verb === "arithmetic" && line !== "NOT_FOUND") {
    // decr pads what it stores with blanks, and older servers answer with them.
    return numberReply(withoutPadding(line), undefined);
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

/** By hand: a pattern begins anew at each blank, which takes long for thousands before something else. */
function withoutPadding(line: string): string {
  let end = line.length;
  while (line[end - 1] === " ") end--;
  return line.slice(0, end);
}

function adminReply(line: string, request: AdminRequest): Reply | undefined {
  switch (request.action) {
    case "version":
      return line.startsWith("VERSION ") ? { kind: "text", text: line.slice(8) } : undefined;
    case "debug":
      return debugReply(line, request);
    case "noop":
      return line === "MN" ? OK : undefined;
    case "stats":
      return line === "RESET" || line === "OK" ? { kind: "stats", entries: new Map() } : undefined;
    case "flushAll":
    case "verbosity":
      return line === "OK" ? OK : undefined;
    case "sasl":
      return undefined;
  }
}

/** `ME <key> <name>=<value>*`; a key that was asked for in base64 comes back in either form. */
function debugReply(line: string, request: AdminRequest & { action: "debug" }): Reply | undefined {
  if (line === "EN") return MISS;
  const isAnswer = request.base64Key ? /^ME \S/.test(line) : line.startsWith(`ME ${request.key} `);
  return isAnswer ? { kind: "text", text: line } : undefined;
}

export function isAdmin(request: Request, action: AdminRequest["action"]): boolean {
  return request.verb === "admin" && request.action === action;
}

/** Whether a `VALUE` line can be the answer; asked for each item, so without the detour through `needsMeta`. */
export function wantsValues(request: Request): request is GetRequest {
  return (
    request.verb === "get" &&
    request.value &&
    request.touch === undefined &&
    request.meta === undefined
  );
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
