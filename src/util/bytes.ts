import { builtin } from "./builtin.js";

const buffer = builtin("node:buffer");
const util = builtin("node:util");

/**
 * Node's direct decoders. They skip the argument handling of `toString`, which costs
 * as much as the decoding itself for a value of 100 bytes; every supported Node has them.
 */
interface DirectDecoders {
  latin1Slice(start?: number, end?: number): string;
  utf8Slice(start?: number, end?: number): string;
}

/** Bytes as a string in which each character is one byte. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as Buffer & DirectDecoders).latin1Slice(start, end);
}

/** All of some bytes in the same form. */
export function latin1All(bytes: Uint8Array): string {
  return latin1(asBuffer(bytes), 0, bytes.length);
}

/** UTF-8 bytes as text; broken sequences become U+FFFD. */
export function utf8(bytes: Buffer, start: number, end: number): string {
  return (bytes as Buffer & DirectDecoders).utf8Slice(start, end);
}

/** UTF-8 bytes as text, or undefined if they are not UTF-8. */
export function strictUtf8(bytes: Buffer, start: number, end: number): string | undefined {
  const text = utf8(bytes, start, end);
  // The search is free on ASCII, where it cannot match.
  return text.includes("\ufffd") && !buffer().isUtf8(bytes.subarray(start, end)) ? undefined : text;
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether something is a Uint8Array, even one of another realm, and not only a proxy of one. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return util().types.isUint8Array(value);
}

/** `bytes[start, end)` as bytes that outlive the read buffer. */
export function ownBytes(bytes: Buffer, start: number, end: number, owned: boolean): Buffer {
  if (owned) return bytes.subarray(start, end);
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
