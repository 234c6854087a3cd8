/** How a release reads numbers; undefined stands for anything else. */
export interface Numerals {
  uint64(text: string): bigint | undefined;
  uint32(text: string): number | undefined;
  int32(text: string): number | undefined;
  /** The number in an item. */
  stored(text: string): bigint | undefined;
}

/** What C's `strtoul` family takes for a number: blanks before, a sign, a blank or NUL after. */
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

function looseUint64(text: string): bigint | undefined {
  const value = small(text);
  return value >= 0 ? BigInt(value) : wideUint64(text, text);
}

function wideUint64(text: string, within?: string): bigint | undefined {
  const match = NUMERAL.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2]!);
  if (magnitude >= UINT64) return undefined;
  const value = match[1] === "-" ? BigInt.asUintN(64, -magnitude) : magnitude;
  // A minus sign is only looked for where the result could be a negative number.
  return value >= INT64 && (within ?? match[0]).includes("-") ? undefined : value;
}

function looseUint32(text: string): number | undefined {
  const value = small(text);
  if (value >= 0) return value;
  const wide = wideUint64(text, text);
  return wide === undefined ? undefined : Number(BigInt.asUintN(32, wide));
}

function looseInt32(text: string): number | undefined {
  const value = small(text);
  if (value >= 0) return value;
  const match = NUMERAL.exec(text);
  if (match === null) return undefined;
  const wide = BigInt(`${match[1] === "-" ? "-" : ""}${match[2]}`);
  if (wide >= INT64 || wide < -INT64) return undefined;
  return Number(BigInt.asIntN(32, wide));
}

/**
 * C's own reading, which releases before 1.6.40 use for all words: it truncates to 32 bits
 * without complaint.
 */
export const LOOSE: Numerals = {
  uint64: looseUint64,
  uint32: looseUint32,
  int32: looseInt32,
  stored: looseUint64,
};

function strictUint64(text: string): bigint | undefined {
  if (!/^[0-9]{0,22}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value < UINT64 ? value : undefined;
}

function strictUint32(text: string): number | undefined {
  const value = /^[0-9]{0,11}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  return value <= 0xffffffff ? value : undefined;
}

function strictInt32(text: string): number | undefined {
  if (text.length > 11 || !/^-?[0-9]*$/.test(text)) return undefined;
  const value = text === "-" ? 0 : Number(text);
  return value === (value | 0) ? value : undefined;
}

/**
 * The reading of 1.6.40 on: digits alone, and within the range. An item's number is read as before,
 * but a minus behind it is none of its own (since 1.6.22).
 */
export const STRICT: Numerals = {
  uint64: strictUint64,
  uint32: strictUint32,
  int32: strictInt32,
  stored: (text) => wideUint64(text),
};

const FRACTION = /^[ \t\n\v\f\r]*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?:[ \t\n\v\f\r\0]|$)/i;

/** A decimal fraction, as C's `strtod` reads it, or undefined. */
export function decimal(text: string): number | undefined {
  const value = Number(FRACTION.exec(text)?.[1] ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}
