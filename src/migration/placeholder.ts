import { CacheMiss } from "../errors.js";
import type { Codec } from "../value/codec.js";
import { FLAG_PLACEHOLDER } from "../value/flags.js";

/** What a placeholder holds; something may have been put before or behind it meanwhile. */
export const PLACEHOLDER = "tslibmc:migration";

const MARK: Buffer = Buffer.from(PLACEHOLDER, "latin1");

/** Whether an item is not a value, but the place that is kept for one while it is fetched. */
export function isPlaceholder(bytes: Buffer, start: number, end: number, flags: number): boolean {
  if (flags !== FLAG_PLACEHOLDER || end - start < MARK.length) return false;
  return (
    MARK.compare(bytes, start, start + MARK.length) === 0 ||
    MARK.compare(bytes, end - MARK.length, end) === 0
  );
}

/** A client's codec, to which placeholders are misses. */
export function placeholderCodec(codec: Codec): Codec {
  return {
    encode: codec.encode.bind(codec),
    decode(bytes, start, end, flags, owned, key) {
      if (!isPlaceholder(bytes, start, end, flags)) {
        return codec.decode(bytes, start, end, flags, owned, key);
      }
      throw new CacheMiss("The value is being fetched");
    },
  };
}
