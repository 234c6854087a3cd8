import { OptionError } from "../errors.js";
import type { CodecOptions } from "../value/factory.js";
import { checkOptions, show } from "./check.js";

/** The names within the options about values; the codecs check what they are set to. */

const COMPRESS_OPTIONS: ReadonlySet<string> = new Set(["minLength", "level", "algorithm"]);

const PICKLE_OPTIONS: ReadonlySet<string> = new Set([
  "protocol",
  "classes",
  "maxDepth",
  "undefined",
]);

const ENCRYPTION_OPTIONS: ReadonlySet<string> = new Set(["keys", "allowPlaintext"]);

/**
 * Of a client or a call.
 * @throws OptionError
 */
export function checkCompress(compress: unknown): void {
  if (compress === undefined || typeof compress === "boolean") return;
  checkOptions(compress as object, COMPRESS_OPTIONS, "compress");
}

/** @throws OptionError */
export function checkValueOptions({ compress, pickle, encryption, codec }: CodecOptions): void {
  checkCompress(compress);
  checkOptions(pickle, PICKLE_OPTIONS, "pickle");
  checkOptions(encryption, ENCRYPTION_OPTIONS, "encryption");
  if (encryption !== undefined && !Array.isArray(encryption.keys)) {
    throw new OptionError(`encryption.keys must be an array, not ${show(encryption.keys)}`);
  }
  if (codec === undefined || typeof codec === "string") return;
  if (typeof codec?.encode === "function" && typeof codec.decode === "function") return;
  throw new OptionError("A codec must have the methods encode and decode");
}
