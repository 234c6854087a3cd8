import { OptionError } from "../../errors.js";
import { checkBoolean, checkInteger, checkOptions } from "../../util/check.js";
import { namesOf } from "../../util/names.js";

/** How values that are too large for one item are kept in several. */
export interface ChunkOptions {
  /**
   * Bytes of a chunk, 256 to `maxValueSize`; values of more bytes, as they are encoded, are
   * stored in several.
   * @defaultValue `maxValueSize` less 1024, which are left to the item's key and header
   */
  readonly size?: number | undefined;
  /**
   * Larger values are neither stored nor read; in bytes, as they are encoded.
   * @defaultValue 134217728 (128 MiB)
   */
  readonly maxSize?: number | undefined;
}

/** The same, complete. */
export interface ChunkLimits {
  readonly size: number;
  readonly maxSize: number;
}

const CHUNK_OPTIONS = namesOf<ChunkOptions>({ size: true, maxSize: true });

/** A manifest that says less is not believed: its value would be more requests than bytes. */
export const MIN_CHUNK_SIZE = 256;

const HEADROOM = 1024;
const DEFAULT_MAX_SIZE = 128 * 1024 * 1024;

/**
 * What the option `chunk` says, or undefined where it is off.
 * @throws OptionError, ArgumentError
 */
export function chunkLimits(
  chunk: boolean | ChunkOptions | undefined,
  maxValueSize: number,
): ChunkLimits | undefined {
  if (chunk === undefined || chunk === false) return undefined;
  if (typeof chunk !== "object") checkBoolean(chunk, "chunk", "an object such as { size: 100000 }");
  const options = typeof chunk === "object" ? chunk : {};
  checkOptions(options, CHUNK_OPTIONS, "chunk");
  const largest = Math.min(Math.floor(maxValueSize), Number.MAX_SAFE_INTEGER);
  if (largest < MIN_CHUNK_SIZE) {
    throw new OptionError(
      `chunk needs a maxValueSize of at least ${MIN_CHUNK_SIZE}, not ${maxValueSize}`,
    );
  }
  const { size = Math.max(MIN_CHUNK_SIZE, largest - HEADROOM), maxSize = DEFAULT_MAX_SIZE } =
    options;
  return {
    size: checkInteger(size, "chunk.size", MIN_CHUNK_SIZE, largest),
    maxSize: checkInteger(maxSize, "chunk.maxSize", 1, Number.MAX_SAFE_INTEGER),
  };
}
