import { CodecError } from "../../errors.js";

/** Farther back than the thirteen bits of a short distance reach. */
const FAR = 8191;

/**
 * FastLZ (fastlz.c, levels 1 and 2): runs of literals, and matches of what was put out
 * before, each begun by a control byte.
 *
 * ```
 *   000LLLLL                        L + 1 literals
 *   LLLDDDDD [more L] DDDDDDDD      L + 2 bytes from D + 1 back
 * ```
 */
export function inflateFastlz(input: Uint8Array, length: number): Buffer {
  const output = Buffer.allocUnsafe(length);
  const isLevel2 = input[0] !== undefined && input[0] >> 5 === 1;
  let at = 0;
  let to = 0;

  const next = (): number => {
    const byte = input[at++];
    if (byte === undefined) throw broken();
    return byte;
  };

  while (at < input.length) {
    // The first byte has the level where a match would have its length.
    const control = at === 0 ? next() & 0x1f : next();
    let count = control >> 5;
    if (count === 0) {
      count = control + 1;
      if (at + count > input.length || to + count > length) throw broken();
      output.set(input.subarray(at, at + count), to);
      at += count;
    } else {
      if (count === 7) {
        let more = next();
        count += more;
        while (isLevel2 && more === 255) count += more = next();
      }
      count += 2;
      let distance = ((control & 0x1f) << 8) | next();
      if (isLevel2 && distance === FAR) distance = FAR + ((next() << 8) | next());
      const from = to - distance - 1;
      if (from < 0 || to + count > length) throw broken();
      // A match may run into what it is itself putting out.
      for (let i = 0; i < count; i++) output[to + i] = output[from + i]!;
    }
    to += count;
  }
  if (to !== length) throw broken();
  return output;
}

function broken(): CodecError {
  return new CodecError("The item is flagged as compressed, but is not a whole FastLZ block");
}
