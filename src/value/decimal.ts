/** No two parts of it can share the same digits, so that one look decides about any length. */
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** Whether a text is a decimal number as Python and PHP write floats: `1`, `-1.5e3`, `1.`, `.5`. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}
