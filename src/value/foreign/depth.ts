import { CodecError } from "../../errors.js";

/** How deeply a value may be nested; reading and writing it recurse. */
const MAX_DEPTH = 1000;

/** @throws CodecError for an item that is nested too deeply to be read */
export function checkItemDepth(depth: number): void {
  if (depth <= MAX_DEPTH) return;
  throw new CodecError(`The item is nested deeper than ${MAX_DEPTH} levels`);
}

/** @throws CodecError for a value that is nested too deeply to be written */
export function checkValueDepth(depth: number): void {
  if (depth <= MAX_DEPTH) return;
  throw new CodecError(`The value contains itself, or is nested deeper than ${MAX_DEPTH} levels`);
}
