import type { MetaInfo } from "../reply.js";

/**
 * Reads the return flags of a meta reply (protocol.txt, "Meta Commands"), for instance
 * `f16 t-1 h0 W`. Returns undefined for a token that is no flag.
 */
export function parseInfo(tokens: readonly string[], from: number): MetaInfo | undefined {
  const info: { -readonly [Name in keyof MetaInfo]: MetaInfo[Name] } = {
    key: undefined,
    opaque: undefined,
    cas: undefined,
    flags: undefined,
    hitBefore: undefined,
    lastAccess: undefined,
    size: undefined,
    ttl: undefined,
    won: false,
    alreadyWon: false,
    stale: false,
  };
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
      info.won = true;
      return rest === "";
    case "Z":
      info.alreadyWon = true;
      return rest === "";
    case "X":
      info.stale = true;
      return rest === "";
    default:
      return readNumber(token[0], rest, info);
  }
}

function readNumber(flag: string | undefined, digits: string, info: MetaInfo): boolean {
  if (!/^-?\d{1,20}$/.test(digits)) return false;
  switch (flag) {
    case "c":
      info.cas = BigInt(digits);
      return true;
    case "f":
      info.flags = Number(digits);
      return true;
    case "h":
      info.hitBefore = digits !== "0";
      return true;
    case "l":
      info.lastAccess = Number(digits);
      return true;
    case "s":
      info.size = Number(digits);
      return true;
    case "t":
      info.ttl = Number(digits);
      return true;
    default:
      return false;
  }
}
