import { CodecError } from "../errors.js";
import { isUint8Array } from "../util/bytes.js";
import { whenReady } from "../util/ready.js";
import { show } from "../util/show.js";
import type { Codec, Encoded } from "./codec.js";

/** A codec of the program's own. What it gives becomes part of a command, and so is looked at. */
export function checkedCodec(codec: Codec): Codec {
  return {
    encode(value, options, key) {
      return whenReady(promised(codec.encode(value, options, key)), checked);
    },
    decode(...item) {
      return promised(codec.decode(...item));
    },
  };
}

/** Whether it can be waited for, be it a promise of another realm or of another kind. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

/** Whatever can be waited for as a promise of this realm, by which all others know it. */
function promised<Value>(value: Value): Value | Promise<Awaited<Value>> {
  return isThenable(value) ? Promise.resolve(value) : value;
}

function checked(encoded: Encoded): Encoded {
  const { data, flags } = encoded ?? {};
  encodedFlags(flags, "encode");
  if (isUint8Array(data) || (typeof data === "string" && !/[^\0-\xff]/.test(data))) {
    return { data, flags };
  }
  throw new CodecError(
    "encode() must give { data, flags }, data a Uint8Array or a string of one byte a character",
  );
}

/** @param method - what gave them */
export function encodedFlags(flags: unknown, method: string): number {
  if (typeof flags === "number" && flags === flags >>> 0) return flags;
  throw new CodecError(`${method}() must give flags from 0 to 4294967295, not ${show(flags)}`);
}
