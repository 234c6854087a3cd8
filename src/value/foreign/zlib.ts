import { OptionError } from "../../errors.js";
import type { CompressOptions } from "../codec.js";

/**
 * The options, if the compressor is the one that the other client reads.
 * @throws OptionError for another
 */
export function zlibOnly(
  compress: boolean | CompressOptions | undefined,
): boolean | CompressOptions | undefined {
  const algorithm = typeof compress === "object" ? compress.algorithm : undefined;
  if (algorithm === undefined || algorithm === "zlib") return compress;
  throw new OptionError(`This codec compresses with zlib alone, not with ${algorithm}`);
}
