import type { Ttl } from "../../protocol/exptime.js";
import type { SetMode } from "../../protocol/request.js";
import { type NamesOf, namesOf } from "../../util/names.js";
import { CALL, type CallOptions } from "./options.js";

/**
 * The options of the meta commands (protocol.txt, "Meta Commands"), each one a flag by a name.
 * Only `q` is not offered, since a quiet command has no reply to settle its promise by, and
 * neither are `P` and `L`, which memcached ignores.
 */

/** What every meta call takes. */
export interface MetaOptions extends CallOptions {
  /** `k`: the key comes back. */
  readonly returnKey?: boolean | undefined;
  /** `O`: a token of at most 31 bytes that comes back. */
  readonly opaque?: string | undefined;
  /** `b`: the key is sent in base64. */
  readonly base64Key?: boolean | undefined;
}

/** What to read, and what to do with the item on the way (protocol.txt, "Meta Get"). */
export interface MetaGetOptions extends MetaOptions {
  /** `v`: the value. @defaultValue true */
  readonly value?: boolean | undefined;
  /** `c`: the item's cas token. */
  readonly returnCas?: boolean | undefined;
  /** `f`: the client flags. */
  readonly returnFlags?: boolean | undefined;
  /** `h`: whether the item was read before. */
  readonly returnHitBefore?: boolean | undefined;
  /** `l`: seconds since it was last read. */
  readonly returnLastAccess?: boolean | undefined;
  /** `s`: the value's size. */
  readonly returnSize?: boolean | undefined;
  /** `t`: seconds until it expires. */
  readonly returnTtl?: boolean | undefined;
  /** `u`: the read does not count as a use. */
  readonly noBump?: boolean | undefined;
  /** `T`: a new ttl for the item. */
  readonly touch?: Ttl | undefined;
  /**
   * `N`: on a miss, make an empty item with this ttl and win the right to fill it. Until
   * then it has no value for another `metaGet`, and is an empty Buffer for a `get`.
   */
  readonly vivify?: Ttl | undefined;
  /** `R`: with fewer seconds than this left, win the right to recache. */
  readonly recache?: number | undefined;
  /** `E`: the cas that a vivified item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `C`: leave the value out if the item's cas is this one (memcached 1.6.40). */
  readonly unlessCas?: bigint | undefined;
}

/** How to store, and what to tell of it (protocol.txt, "Meta Set"). */
export interface MetaSetOptions extends MetaOptions {
  /** `M`: which of the storage commands it is. @defaultValue "set" */
  readonly mode?: SetMode | undefined;
  /** `T`: how long the item lives. @defaultValue 0, for ever */
  readonly ttl?: Ttl | undefined;
  /** `F`: in the place of the flags that the value's type has. */
  readonly flags?: number | undefined;
  /** `C`: store only if the item's cas is this one. */
  readonly compareCas?: bigint | undefined;
  /** `E`: the cas that the item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `I`: with `compareCas`, an older token stores the value as stale. */
  readonly invalidate?: boolean | undefined;
  /** `N`: on append or prepend to a miss, make the item with this ttl (memcached 1.6.20). */
  readonly vivify?: Ttl | undefined;
  /** `c`: the item's cas token. */
  readonly returnCas?: boolean | undefined;
  /** `s`: the stored size (memcached 1.6.20). */
  readonly returnSize?: boolean | undefined;
}

/** How to delete, or what to do instead (protocol.txt, "Meta Delete"). */
export interface MetaDeleteOptions extends MetaOptions {
  /** `C`: delete only if the item's cas is this one. */
  readonly compareCas?: bigint | undefined;
  /** `E`: the cas that a stale or emptied item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `I`: mark the item stale instead of deleting it. */
  readonly invalidate?: boolean | undefined;
  /** `T`: with `invalidate`, a new ttl. */
  readonly ttl?: Ttl | undefined;
  /** `x`: drop the value and keep the item (memcached 1.6.27). */
  readonly dropValue?: boolean | undefined;
}

/** How to count, and what to tell of it (protocol.txt, "Meta Arithmetic"). */
export interface MetaArithmeticOptions extends MetaOptions {
  /** `M`: adds, or subtracts. @defaultValue "incr" */
  readonly mode?: "incr" | "decr" | undefined;
  /** `D`: by how much, a whole number that is not negative. @defaultValue 1 */
  readonly delta?: number | bigint | undefined;
  /** `J`: the number that a missing item starts with; without it a miss is "notFound". */
  readonly initial?: number | bigint | undefined;
  /** `N`: the ttl of an item that `initial` made. @defaultValue 0 */
  readonly initialTtl?: Ttl | undefined;
  /** `T`: a new ttl for the item. */
  readonly ttl?: Ttl | undefined;
  /** `C`: change only if the item's cas is this one. */
  readonly compareCas?: bigint | undefined;
  /** `E`: the cas that the item gets (memcached 1.6.27). */
  readonly setCas?: bigint | undefined;
  /** `v`: the new number. @defaultValue true */
  readonly value?: boolean | undefined;
  /** `c`: the item's cas token. */
  readonly returnCas?: boolean | undefined;
  /** `t`: seconds until it expires. */
  readonly returnTtl?: boolean | undefined;
}

/** What `metaDebug` takes. */
export interface MetaDebugOptions extends CallOptions {
  /** `b`: the key is sent in base64. */
  readonly base64Key?: boolean | undefined;
}

const META: NamesOf<MetaOptions> = { ...CALL, returnKey: true, opaque: true, base64Key: true };

export const META_GET_OPTIONS: ReadonlySet<string> = namesOf<MetaGetOptions>({
  ...META,
  value: true,
  returnCas: true,
  returnFlags: true,
  returnHitBefore: true,
  returnLastAccess: true,
  returnSize: true,
  returnTtl: true,
  noBump: true,
  touch: true,
  vivify: true,
  recache: true,
  setCas: true,
  unlessCas: true,
});

export const META_SET_OPTIONS: ReadonlySet<string> = namesOf<MetaSetOptions>({
  ...META,
  mode: true,
  ttl: true,
  flags: true,
  compareCas: true,
  setCas: true,
  invalidate: true,
  vivify: true,
  returnCas: true,
  returnSize: true,
});

export const META_DELETE_OPTIONS: ReadonlySet<string> = namesOf<MetaDeleteOptions>({
  ...META,
  compareCas: true,
  setCas: true,
  invalidate: true,
  ttl: true,
  dropValue: true,
});

export const META_ARITHMETIC_OPTIONS: ReadonlySet<string> = namesOf<MetaArithmeticOptions>({
  ...META,
  mode: true,
  delta: true,
  initial: true,
  initialTtl: true,
  ttl: true,
  compareCas: true,
  setCas: true,
  value: true,
  returnCas: true,
  returnTtl: true,
});

export const META_DEBUG_OPTIONS: ReadonlySet<string> = namesOf<MetaDebugOptions>({
  ...CALL,
  base64Key: true,
});
