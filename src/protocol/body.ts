import { allocate } from "../util/memory.js";

/** The longest value that a server can have: memcached's `-I` goes up to 1,024 MB. */
export const MAX_VALUE_BYTES: number = 1024 * 1024 * 1024;

/** Up to here a declared length is taken at its word: memcached's default item limit. */
const PLAUSIBLE = 1024 * 1024;

/** Where less than this is missing, reading straight into the block gains nothing. */
const WORTH_A_READ = 32 * 1024;

/**
 * A data block that comes in several chunks. Its buffer has the exact size where the
 * declared length is plausible, and otherwise grows only as bytes really arrive, so that
 * a lying header costs nothing.
 */
export class Body {
  bytes: Buffer;
  readonly #size: number;
  #filled = 0;

  /** @param size - the length that the block has with all that ends it */
  constructor(size: number) {
    this.#size = size;
    this.bytes = allocate(Math.min(size, PLAUSIBLE));
  }

  get isComplete(): boolean {
    return this.#filled === this.#size;
  }

  /** The memory that the next bytes belong in, where that spares a copy of many. */
  get room(): Buffer | undefined {
    if (this.#size - this.#filled < WORTH_A_READ) return undefined;
    this.#reserve(this.#filled + 1);
    return this.bytes.subarray(this.#filled);
  }

  /** Takes what belongs to the block and returns where the rest of the chunk begins. */
  fill(chunk: Buffer, start: number, end: number): number {
    const taken = Math.min(end - start, this.#size - this.#filled);
    if (!this.#isAtRoom(chunk, start)) {
      this.#reserve(this.#filled + taken);
      chunk.copy(this.bytes, this.#filled, start, start + taken);
    }
    this.#filled += taken;
    return start + taken;
  }

  /** Whether these bytes were read to where they belong already. */
  #isAtRoom({ buffer, byteOffset }: Buffer, start: number): boolean {
    const { bytes } = this;
    return buffer === bytes.buffer && byteOffset + start === bytes.byteOffset + this.#filled;
  }

  #reserve(length: number): void {
    if (length <= this.bytes.length) return;
    const larger = allocate(Math.min(this.#size, Math.max(length, this.bytes.length * 2)));
    this.bytes.copy(larger, 0, 0, this.#filled);
    this.bytes = larger;
  }
}
