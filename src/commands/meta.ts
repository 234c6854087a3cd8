import type { Command, Operation } from "../operation.js";
import type { Hit, MetaInfo, Reply } from "../protocol/reply.js";
import { whenReady } from "../util/ready.js";
import { decodeHit } from "./value.js";

/**
 * The meta commands as they are (protocol.txt, "Meta Commands"): their results hold
 * whatever return flags were asked for, under names in words.
 */

/** What a meta reply told beside its status. A field is there if its flag was asked for. */
export interface MetaFields {
  /** `k`: the key as the server holds it, in UTF-8. */
  key?: string;
  /** `O`: the token that was sent. */
  opaque?: string;
  /** `c`: the item's cas token. */
  cas?: bigint;
  /** `f`: the client flags. */
  flags?: number;
  /** `h`: whether the item was read before. */
  hitBefore?: boolean;
  /** `l`: seconds since it was last read. */
  lastAccess?: number;
  /** `s`: the value's size in bytes. */
  size?: number;
  /** `t`: seconds until it expires, -1 for never. */
  ttl?: number;
}

/** What `metaGet` found. */
export interface MetaItem<Value> extends MetaFields {
  /** `v`: the value, unless it was not asked for, or a reader who won is still to write it. */
  value?: Value;
  /** `W`: this caller alone has the right to write the item again. */
  won: boolean;
  /** `Z`: another caller has it. */
  alreadyWon: boolean;
  /** `X`: the item was marked stale. */
  stale: boolean;
}

/** What became of `metaSet`. */
export interface MetaStored extends MetaFields {
  /**
   * `"exists"`: the item's cas is not `compareCas`; `"notStored"`: the mode did not allow it;
   * `"notFound"`: `compareCas` was given, and there is no item.
   */
  readonly status: "stored" | "notStored" | "exists" | "notFound";
}

/** What became of `metaDelete`. */
export interface MetaDeleted extends MetaFields {
  /** `"exists"`: the item's cas is not `compareCas`, and it is still there. */
  readonly status: "deleted" | "exists" | "notFound";
}

/** What became of `metaArithmetic`. */
export interface MetaNumber extends MetaFields {
  /** `"exists"`: the item's cas is not `compareCas`; `"notFound"`: a miss, without `initial`. */
  readonly status: "changed" | "notStored" | "exists" | "notFound";
  /** `v`: the new number, a bigint past 2^53. */
  value?: number | bigint;
}

/** What `me` says of an item, for instance `{ exp: "-1", la: "2", cas: "3", … }`. */
export type MetaDebug = Record<string, string>;

function fields(info: MetaInfo | undefined): MetaFields {
  const found: MetaFields = {};
  if (info === undefined) return found;
  const { key, opaque, cas, flags, hitBefore, lastAccess, size, ttl } = info;
  if (key !== undefined) found.key = Buffer.from(key, "latin1").toString("utf8");
  if (opaque !== undefined) found.opaque = opaque;
  if (cas !== undefined) found.cas = cas;
  if (flags !== undefined) found.flags = flags;
  if (hitBefore !== undefined) found.hitBefore = hitBefore;
  if (lastAccess !== undefined) found.lastAccess = lastAccess;
  if (size !== undefined) found.size = size;
  if (ttl !== undefined) found.ttl = ttl;
  return found;
}

function item(hit: Hit, operation: Operation): MetaItem<unknown> | Promise<MetaItem<unknown>> {
  const { info } = hit;
  const found = {
    ...fields(info),
    won: info?.won ?? false,
    alreadyWon: info?.alreadyWon ?? false,
    stale: info?.stale ?? false,
  };
  if (hit.bytes === undefined || isToBeFilled(hit)) return found;
  const value = decodeHit(hit, operation, operation.request.key);
  return whenReady(value, (decoded) => ({ ...found, value: decoded }));
}

/**
 * An item that vivify has made, or that was emptied, has no value to decode yet: neither for
 * who won the right to write it, nor for the others until then. Theirs may be an empty text
 * that was written again, which has flags.
 */
function isToBeFilled({ info, start, end, flags }: Hit): boolean {
  if (info === undefined || start !== end) return false;
  return info.won === true || (info.alreadyWon === true && flags === 0);
}

/** Reads that hand out a right to write must not be repeated: the right would be lost. */
export function metaGet(idempotent: boolean): Command<MetaItem<unknown> | undefined> {
  return {
    name: "metaGet",
    idempotent,
    read: (reply, operation) => (reply.kind === "hit" ? item(reply, operation) : undefined),
  };
}

function infoOf(reply: Reply): MetaInfo | undefined {
  return "info" in reply ? reply.info : undefined;
}

export const metaSet: Command<MetaStored> = {
  name: "metaSet",
  idempotent: false,
  read(reply) {
    const status =
      reply.kind === "stored" || reply.kind === "exists" || reply.kind === "notFound"
        ? reply.kind
        : "notStored";
    return { status, ...fields(infoOf(reply)) };
  },
};

export const metaDelete: Command<MetaDeleted> = {
  name: "metaDelete",
  idempotent: false,
  read(reply) {
    const status = reply.kind === "exists" || reply.kind === "notFound" ? reply.kind : "deleted";
    return { status, ...fields(infoOf(reply)) };
  },
};

export const metaArithmetic: Command<MetaNumber> = {
  name: "metaArithmetic",
  idempotent: false,
  read(reply) {
    const found = fields(infoOf(reply));
    if (reply.kind === "number") return { status: "changed", ...found, value: reply.value };
    const { kind } = reply;
    const status =
      kind === "exists" || kind === "notFound" || kind === "notStored" ? kind : "changed";
    return { status, ...found };
  },
};

export const metaDebug: Command<MetaDebug | undefined> = {
  name: "metaDebug",
  idempotent: true,
  read(reply) {
    if (reply.kind !== "text") return undefined;
    const pairs = reply.text.split(" ").slice(2);
    return Object.fromEntries(pairs.map((pair) => pair.split("=", 2) as [string, string]));
  },
};
