/**
 * memcached's slab classes: items are kept in chunks of fixed sizes, each a factor
 * larger than the one before. The sizes decide how many items fit into the memory
 * limit and are what `cls=` and `stats slabs` show (slabs.c).
 */

/** An item's fixed part: its header, the NUL after the key, and the cas. */
const HEADER_BYTES = 48 + 1;
const CAS_BYTES = 8;
const FLAGS_BYTES = 4;
const ITEM_STRUCT_BYTES = 48;

/** The last class that a command may name, whether there are so many or not. */
export const LARGEST_CLASS = 63;

export const PAGE_BYTES: number = 1024 * 1024;
/** An item over half a page is kept in several chunks. */
const CHUNK_MAX_BYTES: number = PAGE_BYTES / 2;

/** What an item takes, its key, header and trailing CRLF included (`ITEM_ntotal`). */
export function itemBytes(keyBytes: number, dataBytes: number, flags: number, cas = true): number {
  return (
    HEADER_BYTES +
    keyBytes +
    dataBytes +
    2 +
    (flags === 0 ? 0 : FLAGS_BYTES) +
    (cas ? CAS_BYTES : 0)
  );
}

/** The chunk sizes for a growth factor and a smallest item; index 0 is class 1. */
export class SlabClasses {
  readonly chunkSizes: readonly number[];

  constructor(factor = 1.25, smallest = 48) {
    const sizes: number[] = [];
    let size = align(ITEM_STRUCT_BYTES + smallest);
    while (sizes.length < 62 && size < CHUNK_MAX_BYTES / factor) {
      sizes.push(size);
      size = align(Math.trunc(size * factor));
    }
    sizes.push(CHUNK_MAX_BYTES);
    this.chunkSizes = sizes;
  }

  /** The class that an item of this size is counted under, from 1. */
  classOf(bytes: number): number {
    const { chunkSizes } = this;
    let low = 0;
    let high = chunkSizes.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (chunkSizes[middle]! < bytes) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  }

  chunkSize(slabClass: number): number {
    return this.chunkSizes[slabClass - 1] ?? 0;
  }

  /** The memory that an item really takes: its chunk, or as many as it needs. */
  footprint(bytes: number): number {
    if (bytes <= CHUNK_MAX_BYTES) return this.chunkSize(this.classOf(bytes));
    const rest = bytes % CHUNK_MAX_BYTES;
    return bytes - rest + (rest === 0 ? 0 : this.chunkSize(this.classOf(rest)));
  }
}

function align(size: number): number {
  return size % 8 === 0 ? size : size + 8 - (size % 8);
}
