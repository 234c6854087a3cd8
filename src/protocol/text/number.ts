/**
 * Decimal digits. Only what memcached writes is a number: no sign, no leading zero, no
 * other base, and no more than its 64 bits.
 */

const ZERO = 0x30;
const NINE = 0x39;

/** Client flags are 32 bits without a sign. */
export const MAX_FLAGS = 0xffffffff;

const MAX_UINT64 = 2n ** 64n - 1n;

/** This many digits always fit into a number. */
const SAFE_DIGITS = 15;

/** Where the digits that start at `start` end. */
export function digitsEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(bytes[at]!)) at++;
  return at;
}

/** The value of the digits in `[start, end)`, or -1 if there are none, too many, or a leading zero. */
export function parseDigits(bytes: Buffer, start: number, end: number): number {
  const count = end - start;
  if (count < 1 || count > SAFE_DIGITS || (count > 1 && bytes[start] === ZERO)) return -1;
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (bytes[at]! - ZERO);
  return value;
}

/** A number without a sign: exact, and a bigint only past 2^53. Undefined for anything else. */
export function parseUnsigned(digits: string): bigint | number | undefined {
  if (!/^(?:0|[1-9]\d{0,19})$/.test(digits)) return undefined;
  const value = Number(digits);
  if (Number.isSafeInteger(value)) return value;
  const exact = BigInt(digits);
  return exact <= MAX_UINT64 ? exact : undefined;
}

/** A cas token, which is always a bigint. Undefined for anything else. */
export function parseCas(digits: string): bigint | undefined {
  const value = parseUnsigned(digits);
  return value === undefined ? undefined : BigInt(value);
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
