import { ProtocolError } from "../../errors.js";
import { Hit, type MetaInfo, type NumberReply, type Reply, type StatusReply } from "../reply.js";
import type { KeyRequest, Request } from "../request.js";
import { parseInfo } from "./info.js";
import { needsMeta } from "./meta.js";
import { parseUnsigned } from "./number.js";

/** A status line of the meta commands: its code, its return flags, and the length after `VA`. */
export interface MetaLine {
  readonly code: string;
  readonly info: MetaInfo;
  /** The length of the data block that follows, or -1. */
  readonly length: number;
}

/**
 * Reads `<CD> [<datalen>] <flags>*`, or returns undefined for any other line.
 * @throws ProtocolError if the reply is to another request: its opaque or key differ
 */
export function parseMetaLine(line: string, request: Request): MetaLine | undefined {
  if (request.verb === "admin" || !needsMeta(request)) return undefined;
  if (!/^(?:HD|VA|EN|NF|NS|EX)(?= |$)/.test(line)) return undefined;
  const tokens = line.trimEnd().split(" ");
  const code = tokens[0]!;
  const hasData = code === "VA";
  if (hasData && !/^(?:0|[1-9]\d{0,9})$/.test(tokens[1] ?? "")) return undefined;
  const info = parseInfo(tokens, hasData ? 2 : 1);
  if (info === undefined) return undefined;
  checkIdentity(info, request);
  return { code, info, length: hasData ? Number(tokens[1]) : -1 };
}

function checkIdentity(info: MetaInfo, request: KeyRequest): void {
  const { opaque } = request.meta ?? {};
  if (info.opaque !== opaque) {
    throw new ProtocolError(`A reply has the opaque ${info.opaque} where ${opaque} was sent`);
  }
  if (info.key !== undefined && info.key !== request.key) {
    throw new ProtocolError("A reply names another key than the request");
  }
}

/** The reply that a line without data stands for, or undefined where it does not fit. */
export function metaReply({ code, info }: MetaLine, request: Request): Reply | undefined {
  const kind = statusOf(code, request.verb);
  if (kind === undefined) return undefined;
  return kind === "hit" ? bareHit(info) : { kind, info };
}

function statusOf(code: string, verb: Request["verb"]): StatusReply["kind"] | "hit" | undefined {
  switch (code) {
    case "HD":
      return verb === "get" ? "hit" : verb === "set" ? "stored" : "ok";
    case "EN":
      return verb === "get" ? "miss" : undefined;
    case "NF":
      return verb === "get" ? undefined : "notFound";
    case "NS":
      return verb === "set" || verb === "arithmetic" ? "notStored" : undefined;
    case "EX":
      return verb === "get" ? undefined : "exists";
    default:
      return undefined;
  }
}

function bareHit(info: MetaInfo): Hit {
  const hit = new Hit();
  hit.flags = info.flags ?? 0;
  hit.cas = info.cas;
  hit.info = info;
  return hit;
}

/** @throws ProtocolError for a data block that is no number */
export function numberReply(digits: string, info: MetaInfo | undefined): NumberReply {
  if (!/^\d{1,20}$/.test(digits)) throw new ProtocolError("The result of arithmetic is no number");
  return { kind: "number", value: parseUnsigned(digits), info };
}
