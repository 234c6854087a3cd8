import { ProtocolError } from "../../errors.js";
import { Hit, type MetaInfo, type NumberReply, type Reply, type StatusReply } from "../reply.js";
import type { KeyRequest } from "../request.js";
import { parseInfo } from "./info.js";
import { parseUnsigned } from "./number.js";

/** A status line of the meta commands: its code, its return flags, and the length after `VA`. */
export interface MetaLine {
  readonly code: string;
  readonly info: MetaInfo;
  /** The length of the data block that follows, or -1. */
  readonly length: number;
}

/** How many digits 2^64 - 1 has. */
const MAX_NUMBER_DIGITS = 20;

/**
 * Reads `<CD> [<datalen>] <flags>*`, or returns undefined for any other line, and for one that
 * cannot be the answer to this request.
 * @throws ProtocolError if the reply is to another request: its opaque or key differ
 */
export function parseMetaLine(line: string, request: KeyRequest): MetaLine | undefined {
  if (!/^(?:HD|OK|VA|EN|NF|NS|EX)(?= |$)/.test(line)) return undefined;
  const tokens = line.trimEnd().split(" ");
  const code = tokens[0] === "OK" ? "HD" : tokens[0]!; // until 1.6.10
  const hasData = code === "VA";
  const length = hasData ? parseUnsigned(tokens[1] ?? "") : -1;
  const info = parseInfo(tokens, hasData ? 2 : 1);
  if (typeof length !== "number" || info === undefined) return undefined;
  const meta = { code, info, length };
  if (!fits(meta, request)) return undefined;
  checkIdentity(meta, request);
  return meta;
}

/**
 * Whether a status can be the answer to what was asked, with everything that was asked for.
 * A value without its flags would be decoded as something that it is not, and a number
 * that was left out would look like a miss.
 */
function fits({ code, info, length }: MetaLine, request: KeyRequest): boolean {
  switch (request.verb) {
    case "get":
      if (code === "EN") return true;
      if (request.cas && info.cas === undefined) return false;
      if (code === "VA") return request.value && info.flags !== undefined;
      return code === "HD" && (!request.value || request.meta?.unlessCas !== undefined);
    case "set":
      return code === "HD" || code === "NS" || code === "EX" || code === "NF";
    case "delete":
      return code === "HD" || code === "EX" || code === "NF";
    case "arithmetic": {
      const wantsNumber = request.meta?.returnValue !== false;
      if (code === "VA") return wantsNumber && length <= MAX_NUMBER_DIGITS;
      if (code === "HD") return !wantsNumber;
      return code === "NS" || code === "EX" || code === "NF";
    }
  }
}

/** Before 1.6.18 memcached returned neither key nor opaque with `EN`. */
function checkIdentity({ code, info }: MetaLine, { key, meta }: KeyRequest): void {
  const mayLack = code === "EN";
  if (info.opaque !== meta?.opaque && !(mayLack && info.opaque === undefined)) {
    throw new ProtocolError(`A reply has the opaque ${info.opaque} where ${meta?.opaque} was sent`);
  }
  const lacksKey = info.key === undefined && (mayLack || !meta?.returnKey);
  if (info.key !== key && !lacksKey) {
    throw new ProtocolError("A reply names another key than the request");
  }
}

/** The reply that a line without data stands for. */
export function metaReply({ code, info }: MetaLine, { verb }: KeyRequest): Reply {
  if (code === "HD" && verb === "get") return bareHit(info);
  return { kind: STATUSES[code] ?? (verb === "set" ? "stored" : "ok"), info };
}

/** What the codes other than `HD` say. */
const STATUSES: Partial<Record<string, StatusReply["kind"]>> = {
  EN: "miss",
  NF: "notFound",
  NS: "notStored",
  EX: "exists",
};

function bareHit(info: MetaInfo): Hit {
  const hit = new Hit();
  hit.flags = info.flags ?? 0;
  hit.cas = info.cas;
  hit.info = info;
  return hit;
}

/** The reply for the result of arithmetic, or undefined where it is not a number. */
export function numberReply(digits: string, info: MetaInfo | undefined): NumberReply | undefined {
  const value = parseUnsigned(digits);
  return value === undefined ? undefined : { kind: "number", value, info };
}
