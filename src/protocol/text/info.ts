import { type MetaInfo, NO_INFO } from "../reply.js";
import { MAX_FLAGS, parseUnsigned } from "./number.js";

/**
 * Reads the return flags of a meta reply (protocol.txt, "Meta Commands"), for instance
 * `f16 t-1 h0 W`. Returns undefined for a token that is not a flag.
 */
export function parseInfo(tokens: readonly string[], from: number): MetaInfo | undefined {
  const info: MetaInfo = { ...NO_INFO };
  for (let i = from; i < tokens.length; i++) {
    if (!readToken(tokens[i]!, info)) return undefined;
  }
  // memcached returns a key that it holds in base64 with `b`, even unasked.
  if (info.key !== undefined && tokens.includes("b", from)) {
    info.key = Buffer.from(info.key, "base64").toString("latin1");
  }
  return info;
}

function readToken(token: string, info: MetaInfo): boolean {
  const rest = token.slice(1);
  switch (token[0]) {
    case "k":
      info.key = rest;
      return true;
    case "O":
      info.opaque = rest;
      return true;
    case "b":
      return rest === "";
    case "W":
      return (info.won = rest === "");
    case "Z":
      return (info.alreadyWon = rest === "");
    case "X":
      return (info.stale = rest === "");
    default:
      return readNumber(token[0], rest, info);
  }
}

function readNumber(flag: string | undefined, digits: string, info: MetaInfo): boolean {
  if (flag === "t" && digits === "-1") {
    info.ttl = -1;
    return true;
  }
  const value = parseUnsigned(digits);
  if (value === undefined) return false;
  if (flag === "c") {
    info.cas = BigInt(value);
    return true;
  }
  if (typeof value === "bigint") return false;
  switch (flag) {
    case "f":
      info.flags = value;
      return value <= MAX_FLAGS;
    case "h":
      info.hitBefore = value !== 0;
      return true;
    case "l":
      info.lastAccess = value;
      return true;
    case "s":
      info.size = value;
      return true;
    case "t":
      info.ttl = value;
      return true;
    default:
      return false;
  }
}
