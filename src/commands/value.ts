import { CacheMiss } from "../errors.js";
import type { Hit } from "../protocol/reply.js";
import type { Codec } from "../value/codec.js";

/**
 * The value of a hit, or undefined where its deserializer counts it as a miss. A codec
 * that works asynchronously makes this a promise.
 */
export function decodeHit(hit: Hit, codec: Codec, key: string): unknown {
  try {
    const value = codec.decode(hit.bytes!, hit.start, hit.end, hit.flags, hit.owned, key);
    return value instanceof Promise ? value.catch(missOrThrow) : value;
  } catch (error) {
    return missOrThrow(error);
  }
}

function missOrThrow(error: unknown): undefined {
  if (error instanceof CacheMiss) return undefined;
  throw error;
}
