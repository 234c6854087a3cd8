import { OptionError } from "../../errors.js";
import type { CompressOptions } from "../codec.js";

/**
 * Makes sure that the compressor is the one that the other client reads.
 * @throws OptionError for another
 */
export function requireZlib(compress: boolean | CompressOptions | undefined): void {
  const algorithm = typeof compress === "object" ? compress.algorithm : undefined;
  if (algorithm === undefined || algorithm === "zlib") return;
  throw new OptionError(`This codec compresses with zlib alone, not with ${algorithm}`);
}
