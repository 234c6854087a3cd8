import { CodecError } from "../../errors.js";

/** The error for bytes that no pickler writes. */
export function broken(why: string): CodecError {
  return new CodecError(`The pickle is broken: ${why}`);
}
