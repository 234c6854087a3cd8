/**
 * Decimal digits in a buffer, read without making a string. Only what memcached writes
 * is a number: no sign, no leading zero, no other base.
 */

const ZERO = 0x30;
const NINE = 0x39;

/** Where the digits that start at `start` end. */
export function digitsEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(bytes[at]!)) at++;
  return at;
}

/** The value of the digits in `[start, end)`, or -1 if there are none, too many, or a leading zero. */
export function parseDigits(bytes: Buffer, start: number, end: number): number {
  const count = end - start;
  if (count < 1 || count > 15 || (count > 1 && bytes[start] === ZERO)) return -1;
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (bytes[at]! - ZERO);
  return value;
}

/** An unsigned number of up to 64 bits: exact, and a bigint only where it has to be. */
export function parseUnsigned(digits: string): bigint | number {
  return digits.length <= 15 ? Number(digits) : BigInt(digits);
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
