import { CodecError, OptionError } from "../errors.js";
import { checkInteger } from "../util/check.js";
import { show } from "../util/show.js";
import { type Method, methodOf } from "./compression.js";

export interface InflateOptions {
  /**
   * The most bytes that one item may inflate to.
   * @defaultValue 128 MiB
   */
  readonly maxInflatedSize?: number | undefined;
  /**
   * How many times its stored size an item may inflate to, once past 16 MiB. zlib itself
   * reaches 1,032; brotli and zstd have no limit of their own.
   * @defaultValue 1100
   */
  readonly maxInflateRatio?: number | undefined;
}

/** What any item may inflate to, however small it is stored. */
const FREE_SIZE = 16 * 1024 * 1024;
/** What may be read, and inflated to, before the work goes to another thread. */
const SYNC_STORED = 64 * 1024;
const SYNC_INFLATED = 1024 * 1024;

/** The longest buffer of Node 20, whose zlib takes no limit past that. */
const MAX_BUFFER_BYTES = 2 ** 32;

/** How far stored bytes may grow when they are read. */
export class InflateLimits {
  readonly #maxSize: number;
  readonly #maxRatio: number;

  /** @throws OptionError for a limit below 1 */
  constructor(options: InflateOptions = {}) {
    const { maxInflatedSize = 128 * 1024 * 1024, maxInflateRatio = 1100 } = options;
    if (!(typeof maxInflateRatio === "number" && maxInflateRatio >= 1)) {
      throw new OptionError(`maxInflateRatio must be 1 or more, not ${show(maxInflateRatio)}`);
    }
    const maxSize = checkInteger(maxInflatedSize, "maxInflatedSize", 1, Number.MAX_SAFE_INTEGER);
    this.#maxSize = Math.min(maxSize, MAX_BUFFER_BYTES);
    this.#maxRatio = Math.min(maxInflateRatio, Number.MAX_SAFE_INTEGER);
  }

  /** The most bytes that `stored` bytes may inflate to. */
  limitFor(stored: number): number {
    return Math.min(this.#maxSize, Math.max(FREE_SIZE, Math.floor(stored * this.#maxRatio)));
  }
}

/** Inflates stored bytes within limits: no item can exhaust memory or block the process for long. */
export class Inflater {
  readonly #limits: InflateLimits;

  constructor(limits: InflateLimits) {
    this.#limits = limits;
  }

  /**
   * Inflates `bytes[start, end)` by the method that `flags` name; the result is the caller's.
   * @returns the bytes, or a promise of them where they are many
   * @throws CodecError for a broken stream, or one that would grow past the limits
   */
  inflate(
    bytes: Buffer,
    start: number,
    end: number,
    flags: number,
    owned: boolean,
  ): Buffer | Promise<Buffer> {
    const method = methodOf(flags);
    if (method === undefined) {
      throw new CodecError(
        "The item is compressed with zstd, which this Node lacks; use Node 22.15 or later",
      );
    }
    const stored = bytes.subarray(start, end);
    const limit = this.#limits.limitFor(stored.length);
    if (stored.length <= SYNC_STORED) {
      try {
        return method.inflateSync(stored, Math.min(limit, SYNC_INFLATED));
      } catch (cause) {
        if (limit <= SYNC_INFLATED || !isTooLarge(cause)) {
          throw describe(cause, method, stored.length, limit);
        }
      }
    }
    // The read buffer has moved on by the time that another thread reads it.
    const copy = owned ? stored : Buffer.from(stored);
    return new Promise((resolve, reject) => {
      method.inflate(copy, limit, (cause, result) => {
        if (cause === null) resolve(result);
        else reject(describe(cause, method, copy.length, limit));
      });
    });
  }
}

function isTooLarge(error: unknown): boolean {
  return Object(error).code === "ERR_BUFFER_TOO_LARGE";
}

function describe(cause: unknown, method: Method, stored: number, limit: number): CodecError {
  if (isTooLarge(cause)) return pastLimit(stored, limit, cause);
  const message = `The item is flagged as compressed, but is not a whole ${method.name} stream`;
  return new CodecError(message, { cause });
}

/** An item that would inflate to more than the limits allow. */
export function pastLimit(stored: number, limit: number, cause?: unknown): CodecError {
  return new CodecError(
    `An item of ${stored} bytes inflates past the limit of ${limit} bytes; if it is to be trusted, raise maxInflatedSize or maxInflateRatio`,
    { cause },
  );
}
