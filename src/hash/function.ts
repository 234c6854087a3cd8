/**
 * A key to a number of 32 bits, 0 to 2^32 - 1.
 *
 * `key` is in wire form: a string in which each character is one byte (0 to 255), so
 * that a plain ASCII key is hashed as it is, without a copy.
 */
export type HashFunction = (key: string) => number;
