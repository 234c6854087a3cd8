import { CacheMiss, CodecError, concerning } from "../errors.js";
import type { Operation } from "../operation.js";
import { describeKey, keyText } from "../protocol/key.js";
import type { Hit } from "../protocol/reply.js";
import type { Codec, Encoded, EncodeOptions } from "../value/codec.js";

/** Values on their way through a codec, which knows neither the call nor always the key. */

/**
 * The value of a hit, or undefined where its deserializer counts it as a miss. A codec
 * that works asynchronously makes this a promise.
 */
export function decodeHit(hit: Hit, operation: Operation, key: string): unknown {
  const command = operation.command.name;
  try {
    const value = operation.codec.decode(hit.bytes!, hit.start, hit.end, hit.flags, hit.owned, key);
    if (!(value instanceof Promise)) return value;
    return operation.reading(value).catch((error) => missOrThrow(error, key, command));
  } catch (error) {
    return missOrThrow(error, key, command);
  }
}

/** A call's value as it is stored. */
export function encodeValue(
  codec: Codec,
  value: unknown,
  options: EncodeOptions | undefined,
  key: string,
  command: string,
): Encoded | Promise<Encoded> {
  try {
    const encoded = codec.encode(value, options, key);
    if (!(encoded instanceof Promise)) return encoded;
    return encoded.catch((error) => {
      throw placed(error, "encode", key, command);
    });
  } catch (error) {
    throw placed(error, "encode", key, command);
  }
}

function missOrThrow(error: unknown, key: string, command: string): undefined {
  if (error instanceof CacheMiss) return undefined;
  throw placed(error, "decode", key, command);
}

/** A codec's own error, with what it could not know: whose value it was. */
function placed(error: unknown, what: "encode" | "decode", key: string, command: string): unknown {
  const details = { command, key: keyText(key) };
  if (!(error instanceof CodecError) || error.constructor !== CodecError) {
    return concerning(error, details);
  }
  const { message, cause = error } = error;
  const text = `${command} cannot ${what} the value of ${describeKey(key)}: ${message}`;
  return new CodecError(text, { ...details, sent: what === "decode", cause });
}
