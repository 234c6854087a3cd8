import { latin1 } from "../util/bytes.js";

/** One stored item. Key and data are strings in which each character is one byte. */
export interface Item {
  readonly key: string;
  data: string;
  /** The client flags. */
  flags: number;
  /** When it expires, in Unix seconds; 0 for never. */
  exptime: number;
  cas: bigint;
  /** When it was last read or written, in Unix seconds (the first read does not count). */
  time: number;
  /** Whether it was ever read. */
  fetched: boolean;
  /** `X`: the value is out of date, one reader may win the right to renew it. */
  stale: boolean;
  /** `W` was given to a reader; later ones get `Z`. */
  won: boolean;
  /** The key came in base64 and goes back so. */
  binaryKey: boolean;
  /** Bytes as memcached counts them, and the memory that its chunks take. */
  bytes: number;
  footprint: number;
  /** Its slab class. */
  slabClass: number;
  /** Neighbours in the order of use. */
  newer: Item | undefined;
  older: Item | undefined;
}

/** What a caller says of an item to be stored; the store fills in the rest. */
export interface Draft {
  readonly key: string;
  readonly data: string;
  readonly flags: number;
  /** In Unix seconds, 0 for never. */
  readonly exptime: number;
  readonly binaryKey?: boolean;
}

export function newItem(draft: Draft): Item {
  return {
    key: standalone(draft.key),
    data: draft.data,
    flags: draft.flags,
    exptime: draft.exptime,
    cas: 0n,
    time: 0,
    fetched: false,
    stale: false,
    won: false,
    binaryKey: draft.binaryKey ?? false,
    bytes: 0,
    footprint: 0,
    slabClass: 0,
    newer: undefined,
    older: undefined,
  };
}

/**
 * A copy of a byte string that stands alone: a slice of a larger string would keep the
 * whole of it, a network chunk, in memory for as long as the item lives.
 */
function standalone(bytes: string): string {
  return latin1(Buffer.from(bytes, "latin1"), 0, bytes.length);
}
