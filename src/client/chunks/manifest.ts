import { CodecError } from "../../errors.js";
import { MAX_BINARY_KEY_BYTES } from "../../protocol/key.js";
import { builtin } from "../../util/builtin.js";
import type { Encoded, EncodedData } from "../../value/codec.js";
import { FLAG_CHUNKED } from "../../value/flags.js";
import { type ChunkLimits, MIN_CHUNK_SIZE } from "./options.js";

const crypto = builtin("node:crypto");

/** Not a number, so that memcached refuses to add to it; the end shows that nothing was appended. */
const FORM = /^chunks 1 ([\w-]{22}) (\d{1,10}) (\d{1,16}) (\d{1,16})\.$/;

/** No manifest is longer. */
const MAX_LENGTH = 100;

/**
 * What stands under the key of a value in chunks.
 *
 * ```
 *   chunks 1 <id> <flags of the value> <size of the value> <size of a chunk>.
 * ```
 *
 * The id is 128 random bits, new with every write, and a part of the chunks' keys: no
 * chunk is ever written twice, so that none can be another writer's.
 */
export class Manifest {
  readonly id: string;
  /** The client flags of the whole value. */
  readonly flags: number;
  readonly size: number;
  readonly chunkSize: number;

  private constructor(id: string, flags: number, size: number, chunkSize: number) {
    this.id = id;
    this.flags = flags;
    this.size = size;
    this.chunkSize = chunkSize;
  }

  /** The manifest of a value that is to be written. */
  static of({ data, flags }: Encoded, chunkSize: number): Manifest {
    return new Manifest(
      crypto().randomBytes(16).toString("base64url"),
      flags,
      data.length,
      chunkSize,
    );
  }

  /**
   * Reads one, and believes nothing of it.
   * @throws CodecError for anything else, and for a value past the limit
   */
  static parse(text: string, { maxSize }: ChunkLimits): Manifest {
    const match = text.length > MAX_LENGTH ? null : FORM.exec(text);
    if (match === null) throw damaged("it is not a manifest, or something was added to it");
    const [flags, size, chunkSize] = match.slice(2).map(Number) as [number, number, number];
    if (flags > 0xffffffff || size === 0 || chunkSize < MIN_CHUNK_SIZE) {
      throw damaged("its numbers are out of range");
    }
    if (size > maxSize) {
      throw new CodecError(
        `The value in chunks is ${size} bytes and chunk.maxSize is ${maxSize}; raise it to read such values`,
      );
    }
    return new Manifest(match[1]!, flags, size, chunkSize);
  }

  /** What is stored under the value's key. */
  get encoded(): Encoded {
    const { id, flags, size, chunkSize } = this;
    return { data: `chunks 1 ${id} ${flags} ${size} ${chunkSize}.`, flags: FLAG_CHUNKED };
  }

  /** How many chunks there are. */
  get count(): number {
    return Math.ceil(this.size / this.chunkSize);
  }

  /** How many bytes a chunk has. */
  length(index: number): number {
    return Math.min(this.chunkSize, this.size - index * this.chunkSize);
  }

  /** A chunk's part of the value's data. */
  slice(data: EncodedData, index: number): EncodedData {
    const start = index * this.chunkSize;
    const end = start + this.length(index);
    return typeof data === "string" ? data.slice(start, end) : data.subarray(start, end);
  }

  /**
   * A chunk's key: the value's own, of which a long one loses its end so that it can be sent
   * in base64 as well, and then what makes it unique by itself.
   */
  key(wireKey: string, index: number): string {
    const suffix = `:${this.id}:${index}`;
    return wireKey.slice(0, MAX_BINARY_KEY_BYTES - suffix.length) + suffix;
  }
}

function damaged(what: string): CodecError {
  return new CodecError(`The item is flagged as a value in chunks, but ${what}; set it again`);
}
