/**
 * What memcached can answer, as data. A {@link Hit} is a scratch object that its
 * wire fills again for the next reply: it is valid only until the call that it was
 * handed to returns, and so are the bytes that it points at unless it owns them.
 */

export type Reply =
  | Hit
  | StatusReply
  | NumberReply
  | TextReply
  | ChallengeReply
  | StatsReply
  | RefusedReply;

/** An item, with its value or only with what was asked about it. */
export class Hit {
  readonly kind = "hit";
  /** Where the value lies, or undefined where it was not asked for. */
  bytes: Buffer | undefined = undefined;
  start = 0;
  end = 0;
  /** Whether `bytes` holds this value alone and may be handed out without a copy. */
  owned = false;
  /** The client flags. */
  flags = 0;
  cas: bigint | undefined = undefined;
  /** What a meta reply told beside the value; undefined after classic commands. */
  info: MetaInfo | undefined = undefined;
}

/** What the return flags of a meta reply said. */
export interface MetaInfo {
  /** `k`, decoded if it came in base64; in wire form. */
  key: string | undefined;
  /** `O` */
  opaque: string | undefined;
  /** `c` */
  cas: bigint | undefined;
  /** `f` */
  flags: number | undefined;
  /** `h` */
  hitBefore: boolean | undefined;
  /** `l`, seconds */
  lastAccess: number | undefined;
  /** `s`, bytes */
  size: number | undefined;
  /** `t`, seconds, -1 for never */
  ttl: number | undefined;
  /** `W`: this reader has the exclusive right to recache. */
  won: boolean;
  /** `Z`: another reader has it. */
  alreadyWon: boolean;
  /** `X`: the item is marked stale. */
  stale: boolean;
}

/** Where nothing was told. */
export const NO_INFO: Readonly<MetaInfo> = {
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

/** An answer that is one word. */
export interface StatusReply {
  readonly kind: "miss" | "stored" | "notStored" | "exists" | "notFound" | "ok";
  /** What a meta reply told beside the word; undefined after classic commands. */
  readonly info: MetaInfo | undefined;
}

/** The new number after arithmetic, exact to 64 bits. */
export interface NumberReply {
  readonly kind: "number";
  readonly value: bigint | number;
  readonly info: MetaInfo | undefined;
}

/** Words: a version, a debug line, the names of mechanisms. */
export interface TextReply {
  readonly kind: "text";
  readonly text: string;
}

/** What the server wants to be answered before it accepts an authentication. */
export interface ChallengeReply {
  readonly kind: "challenge";
  /** The mechanism's own bytes, one character each. */
  readonly text: string;
}

export interface StatsReply {
  readonly kind: "stats";
  readonly entries: ReadonlyMap<string, string>;
}

/** An error line, or an error status of the binary wire. */
export interface RefusedReply {
  readonly kind: "refused";
  readonly reason:
    | "unknownCommand"
    | "notSupported"
    | "clientError"
    | "serverError"
    | "tooLarge"
    | "auth";
  /** The server's own words. */
  readonly text: string;
}

export const MISS: StatusReply = { kind: "miss", info: undefined };
export const STORED: StatusReply = { kind: "stored", info: undefined };
export const NOT_STORED: StatusReply = { kind: "notStored", info: undefined };
export const EXISTS: StatusReply = { kind: "exists", info: undefined };
export const NOT_FOUND: StatusReply = { kind: "notFound", info: undefined };
export const OK: StatusReply = { kind: "ok", info: undefined };
