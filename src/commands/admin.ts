import type { Command } from "../operation.js";
import { type AdminRequest, VERSION_REQUEST } from "../protocol/request.js";

/** About servers and not about keys (protocol.txt, "Statistics" and "Other commands"). */

/** A server's statistics: numbers as numbers, bigints past 2^53, everything else as text. */
export type Stats = Record<string, number | bigint | string>;

/** Its answer says that all before it is carried out. */
export const flushRequest: AdminRequest = { ...VERSION_REQUEST, everywhere: true };

export function flushAllRequest(delay: number, noreply: boolean): AdminRequest {
  return { verb: "admin", action: "flushAll", key: "", delay, noreply, everywhere: true };
}

export function verbosityRequest(level: number): AdminRequest {
  return { verb: "admin", action: "verbosity", key: "", level };
}

export function statsRequest(argument: string | undefined): AdminRequest {
  return { verb: "admin", action: "stats", key: "", argument };
}

export const version: Command<string> = {
  name: "version",
  idempotent: true,
  read: (reply) => (reply.kind === "text" ? reply.text : ""),
};

/** Not repeated: what was sent before it went with the connection that was lost. */
export const flush: Command<boolean> = {
  name: "flush",
  idempotent: false,
  read: (reply) => reply.kind === "text",
};

export const flushAll: Command<boolean> = {
  name: "flushAll",
  idempotent: false,
  read: (reply) => reply.kind === "ok",
};

export const verbosity: Command<boolean> = {
  name: "verbosity",
  idempotent: true,
  read: (reply) => reply.kind === "ok",
};

export const getStats: Command<Stats> = {
  name: "getStats",
  idempotent: true,
  read(reply) {
    const stats: Stats = Object.create(null);
    if (reply.kind !== "stats") return stats;
    for (const [name, text] of reply.entries) stats[name] = typed(text);
    return stats;
  },
};

/**
 * Whole numbers of 64 bits and fractions; a version has one point more, and is text. So are
 * more digits, since to read millions of them takes seconds.
 */
function typed(text: string): number | bigint | string {
  if (!/^-?\d{1,20}(?:\.\d{1,20})?$/.test(text)) return text;
  const value = Number(text);
  if (Number.isSafeInteger(value) || text.includes(".")) return value;
  return BigInt(text);
}
