/**
 * Numbers as memcached reads them: C's `strtoul` family, which skips leading blanks,
 * takes a sign and stops at the next blank or NUL, and which truncates to 32 bits
 * without complaint.
 */
const NUMERAL = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)(?:[ \t\n\v\f\r\0]|$)/;

const UINT64 = 2n ** 64n;
const INT64 = 2n ** 63n;

/** A number of up to 9 decimal digits, the usual case, or -1. */
function small(text: string): number {
  const { length } = text;
  if (length === 0 || length > 9) return -1;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** An unsigned 64-bit number, or undefined if the text is none. */
export function uint64(text: string): bigint | undefined {
  const value = small(text);
  return value >= 0 ? BigInt(value) : wideUint64(text);
}

function wideUint64(text: string): bigint | undefined {
  const match = NUMERAL.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2]!);
  if (magnitude >= UINT64) return undefined;
  const value = match[1] === "-" ? BigInt.asUintN(64, -magnitude) : magnitude;
  // A minus sign is only looked for where the result could be a negative number.
  return value >= INT64 && text.includes("-") ? undefined : value;
}

/** An unsigned 32-bit number, or undefined; one of more bits loses the upper ones. */
export function uint32(text: string): number | undefined {
  const value = small(text);
  if (value >= 0) return value;
  const wide = wideUint64(text);
  return wide === undefined ? undefined : Number(BigInt.asUintN(32, wide));
}

/** A signed 32-bit number, or undefined; one of more bits loses the upper ones. */
export function int32(text: string): number | undefined {
  const value = small(text);
  if (value >= 0) return value;
  const match = NUMERAL.exec(text);
  if (match === null) return undefined;
  const wide = BigInt(`${match[1] === "-" ? "-" : ""}${match[2]}`);
  if (wide >= INT64 || wide < -INT64) return undefined;
  return Number(BigInt.asIntN(32, wide));
}

/** A decimal fraction, as C's `strtod` reads it, or undefined. */
export function decimal(text: string): number | undefined {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
