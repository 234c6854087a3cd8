/**
 * What memcached can be asked, as data: five verbs, each a closed record whose
 * fields are named in words. Keys stand in their wire form (see `key.ts`), exptimes
 * in the wire's units (see `exptime.ts`); everything was checked before it came here.
 */

/** A value's bytes on their way out: a string in which each character is one byte, or bytes. */
export type Data = string | Uint8Array;

export type Request = KeyRequest | AdminRequest;

/** A request about a key, which decides its server. */
export type KeyRequest = GetRequest | SetRequest | DeleteRequest | ArithmeticRequest;

/** What every meta command can carry (protocol.txt, "Meta Commands"). */
export interface MetaFlags {
  /** `b`: the key is sent in base64, for keys with bytes that text cannot hold. */
  readonly base64Key?: boolean | undefined;
  /** `k`: the key comes back in the reply. */
  readonly returnKey?: boolean | undefined;
  /** `O`: a token of at most 31 bytes that comes back in the reply. */
  readonly opaque?: string | undefined;
}

/** `get gets gat gats touch` and `mg`. */
export interface GetRequest {
  readonly verb: "get";
  /** The key, or the first of several: it decides the server. */
  readonly key: string;
  /** All keys of a many-key request, none of them twice; otherwise undefined. */
  readonly keys: readonly string[] | undefined;
  /** `v`: whether the value is wanted, or only whether it is there. */
  readonly value: boolean;
  /** `c`: whether the cas token is wanted. */
  readonly cas: boolean;
  /** `T`: a new exptime for the item. */
  readonly touch: number | undefined;
  /** Only a `touch` can go unanswered. */
  readonly noreply: boolean;
  /** What only `mg` can say. */
  readonly meta: MetaGetFlags | undefined;
}

export interface MetaGetFlags extends MetaFlags {
  /** `h`: whether the item was read before. */
  readonly returnHitBefore?: boolean | undefined;
  /** `l`: seconds since it was last read. */
  readonly returnLastAccess?: boolean | undefined;
  /** `s`: the value's size in bytes. */
  readonly returnSize?: boolean | undefined;
  /** `t`: seconds until it expires, -1 for never. */
  readonly returnTtl?: boolean | undefined;
  /** `f`: the client flags, for a request without the value. */
  readonly returnFlags?: boolean | undefined;
  /** `u`: the read does not count as a use. */
  readonly noBump?: boolean | undefined;
  /** `N`: on a miss, make an empty item with this exptime and win the right to fill it. */
  readonly vivify?: number | undefined;
  /** `R`: if fewer seconds than this remain, win the right to recache. */
  readonly recache?: number | undefined;
  /** `E`: the cas that a vivified item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `C`: leave the value out if the item's cas is this one (memcached 1.6.40). */
  readonly unlessCas?: bigint | undefined;
}

/** Whether a read may win a right, to fill or to recache an item, that the server gives once. */
export function winsRights(
  flags: { readonly vivify?: unknown; readonly recache?: unknown } | undefined,
): boolean {
  return flags?.vivify !== undefined || flags?.recache !== undefined;
}

/** The ways to store. */
export type SetMode = "set" | "add" | "replace" | "append" | "prepend";

/** Whether what is stored is put before or behind what the key holds. */
export function isJoining(mode: SetMode): boolean {
  return mode === "append" || mode === "prepend";
}

/** `set add replace append prepend cas` and `ms`. */
export interface SetRequest {
  readonly verb: "set";
  readonly mode: SetMode;
  readonly key: string;
  readonly data: Data;
  readonly flags: number;
  readonly exptime: number;
  /** `C`: store only if the item's cas is this one. */
  readonly compareCas: bigint | undefined;
  readonly noreply: boolean;
  /** What only `ms` can say. */
  readonly meta: MetaSetFlags | undefined;
}

export interface MetaSetFlags extends MetaFlags {
  /** `c`: the new cas comes back. */
  readonly returnCas?: boolean | undefined;
  /** `s`: the stored size comes back (memcached 1.6.20). */
  readonly returnSize?: boolean | undefined;
  /** `E`: the cas that the item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `I`: with `compareCas`, an older token stores the value as stale. */
  readonly invalidate?: boolean | undefined;
  /** `N`: on append or prepend to a miss, make the item with this exptime (memcached 1.6.20). */
  readonly vivify?: number | undefined;
}

/** `delete` and `md`. */
export interface DeleteRequest {
  readonly verb: "delete";
  readonly key: string;
  /** `C`: delete only if the item's cas is this one. */
  readonly compareCas: bigint | undefined;
  readonly noreply: boolean;
  /** What only `md` can say. */
  readonly meta: MetaDeleteFlags | undefined;
}

export interface MetaDeleteFlags extends MetaFlags {
  /** `E`: the cas that a stale or emptied item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `I`: mark the item stale instead of deleting it. */
  readonly invalidate?: boolean | undefined;
  /** `T`: with `invalidate`, a new exptime. */
  readonly exptime?: number | undefined;
  /** `x`: drop the value and keep the item (memcached 1.6.27). */
  readonly dropValue?: boolean | undefined;
}

/** `incr decr` and `ma`. */
export interface ArithmeticRequest {
  readonly verb: "arithmetic";
  readonly mode: "incr" | "decr";
  readonly key: string;
  readonly delta: bigint | number;
  /** `J`: the number that a missing item starts with; undefined leaves a miss a miss. */
  readonly initial: bigint | number | undefined;
  /** `N`: the exptime of an item that `initial` made. */
  readonly initialExptime: number;
  readonly noreply: boolean;
  /** What only `ma` can say. */
  readonly meta: MetaArithmeticFlags | undefined;
}

export interface MetaArithmeticFlags extends MetaFlags {
  /** `C`: change only if the item's cas is this one. */
  readonly compareCas?: bigint | undefined;
  /** `E`: the cas that the item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `T`: a new exptime for the item. */
  readonly exptime?: number | undefined;
  /** `c`: the new cas comes back. */
  readonly returnCas?: boolean | undefined;
  /** `t`: seconds until it expires, -1 for never. */
  readonly returnTtl?: boolean | undefined;
  /** `v`: whether the number comes back; the default is that it does. */
  readonly returnValue?: boolean | undefined;
}

/** One step of authentication, over the binary protocol alone. */
export interface SaslRequest {
  readonly verb: "admin";
  readonly everywhere?: undefined;
  readonly action: "sasl";
  readonly key: "";
  /** Which mechanisms there are; a first response; or a response to a challenge. */
  readonly step: "list" | "start" | "continue";
  /** The mechanism's name; empty to ask which there are. */
  readonly mechanism: string;
  /** The mechanism's own bytes, one character each. */
  readonly response: string;
}

/** Whatever is about the server and not about a key; `debug` alone has one. */
export type AdminRequest = SaslRequest | ServerRequest;

export type ServerRequest = {
  readonly verb: "admin";
  /** Whether it concerns what was sent on every connection to the server. */
  readonly everywhere?: boolean;
} & (
  | { readonly action: "version" | "noop"; readonly key: "" }
  | {
      readonly action: "flushAll";
      readonly key: "";
      readonly delay: number;
      readonly noreply: boolean;
    }
  | { readonly action: "verbosity"; readonly key: ""; readonly level: number }
  | { readonly action: "stats"; readonly key: ""; readonly argument: string | undefined }
  | { readonly action: "debug"; readonly key: string; readonly base64Key: boolean }
);

/** Changes nothing: its answer says that the server is there, and that what was sent before is carried out. */
export const VERSION_REQUEST: ServerRequest = { verb: "admin", action: "version", key: "" };

/** Whether nobody wants an answer to a request. */
export function isSilent(request: Request): boolean {
  if (request.verb !== "admin") return request.noreply;
  return request.action === "flushAll" && request.noreply;
}
