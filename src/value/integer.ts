import { CodecError } from "../errors.js";
import { latin1 } from "../util/bytes.js";

/** Python neither reads nor writes longer integers, to bound what one costs. */
const MAX_DIGITS = 4300;
/** This many digits always fit a number. */
const SAFE_DIGITS = 15;

/** What Python's `int()` accepts in base 10. */
const INTEGER = /^[ \t\n\v\f\r]*([+-]?)([0-9]+(?:_[0-9]+)*)[ \t\n\v\f\r]*$/;

/**
 * A bigint in decimal.
 * @throws CodecError past the 4,300 digits that Python reads
 */
export function encodeBigint(value: bigint): string {
  const text = value.toString();
  if (text.length > MAX_DIGITS + (value < 0n ? 1 : 0)) {
    throw new CodecError(`A bigint of ${text.length} digits is over the limit of ${MAX_DIGITS}`);
  }
  return text;
}

/** A decimal as a number where that is exact, else as a bigint. */
export function decodeInteger(bytes: Buffer, start: number, end: number): number | bigint {
  const negative = bytes[start] === 0x2d;
  const first = negative ? start + 1 : start;
  if (end > first && end - first <= SAFE_DIGITS) {
    let value = 0;
    let at = first;
    for (; at < end; at++) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === end) return negative && value !== 0 ? -value : value;
  }
  return parseInteger(latin1(bytes, start, Math.min(end, start + 2 * MAX_DIGITS)));
}

/** Blanks, a sign, underscores between digits, and nothing after a NUL, as pylibmc reads. */
function parseInteger(text: string): number | bigint {
  const nul = text.indexOf("\0");
  const match = INTEGER.exec(nul < 0 ? text : text.slice(0, nul));
  if (match === null) {
    throw new CodecError(
      "The item is flagged as an integer, but holds none; another client's values need its codec",
    );
  }
  const digits = match[2]!.replaceAll("_", "");
  if (digits.length > MAX_DIGITS) {
    throw new CodecError(`A stored integer is over the limit of ${MAX_DIGITS} digits`);
  }
  return exactInteger(BigInt(match[1] === "-" ? `-${digits}` : digits));
}

/** The same integer as a number, unless that would round it. */
export function exactInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
