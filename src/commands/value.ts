import { CacheMiss, concerning } from "../errors.js";
import { keyText } from "../protocol/key.js";
import type { Hit } from "../protocol/reply.js";
import type { Codec } from "../value/codec.js";

/**
 * The value of a hit, or undefined where its deserializer counts it as a miss. A codec
 * that works asynchronously makes this a promise.
 */
export function decodeHit(hit: Hit, codec: Codec, key: string): unknown {
  try {
    const value = codec.decode(hit.bytes!, hit.start, hit.end, hit.flags, hit.owned, key);
    return value instanceof Promise ? value.catch((error) => missOrThrow(error, key)) : value;
  } catch (error) {
    return missOrThrow(error, key);
  }
}

function missOrThrow(error: unknown, key: string): undefined {
  if (error instanceof CacheMiss) return undefined;
  throw concerning(error, { key: keyText(key) });
}
