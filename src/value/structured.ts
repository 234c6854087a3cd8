import { CodecError, messageOf } from "../errors.js";
import { builtin } from "../util/builtin.js";
import { ownBytes } from "../util/bytes.js";

const v8 = builtin("node:v8");

/** A value in V8's structured clone format: everything that `structuredClone` copies. */
export function encodeStructured(value: unknown): Buffer {
  try {
    return v8().serialize(value);
  } catch (cause) {
    throw new CodecError(`The value cannot be cloned: ${messageOf(cause)}`, { cause });
  }
}

/** V8's reader is not made for bytes that someone may have tampered with. */
export function decodeStructured(
  bytes: Buffer,
  start: number,
  end: number,
  owned: boolean,
): unknown {
  try {
    // Buffers in the value are views into what is read here.
    return v8().deserialize(ownBytes(bytes, start, end, owned));
  } catch (cause) {
    throw new CodecError("The item is flagged as a structured clone, but is not one", { cause });
  }
}
