import { CodecError } from "../errors.js";

/** 512 MiB, in the slots of 8 bytes that V8 reckons in. */
const MAX_SLOTS = 64 * 1024 * 1024;

/** What an empty list or object takes, and what is kept of it while it is read. */
export const CONTAINER_SLOTS = 16;

/**
 * The memory that one value may take when it is read. A byte or two of a stored value can
 * stand for two hundred on the heap, and compression makes a thousand such bytes out of one:
 * without this, an item of 16 KB would fill gigabytes.
 */
export class Room {
  #slots = MAX_SLOTS;

  /** @throws CodecError if there is no more */
  take(slots: number): void {
    this.#slots -= slots;
    if (this.#slots < 0) throw noRoom();
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING_BRACE = 0x7b;
/** What sets `[` and `{` apart. */
const BRACKET_BIT = 0x20;

/** A JSON text up to here has too few containers to be worth a look: each has two bytes. */
const ALWAYS_FITS = 2 * (MAX_SLOTS / CONTAINER_SLOTS);

/**
 * Counts what JSON.parse would make of a text, before it does.
 * @throws CodecError if there is no room for it
 */
export function checkJsonRoom(bytes: Buffer, start: number, end: number): void {
  if (end - start <= ALWAYS_FITS) return;
  let containers = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) at = stringEnd(bytes, at + 1, end);
    else if ((byte | BRACKET_BIT) === OPENING_BRACE) containers++;
  }
  if (containers * CONTAINER_SLOTS > MAX_SLOTS) throw noRoom();
}

/** Where the closing quote is. */
function stringEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

function noRoom(): CodecError {
  return new CodecError(
    "The item's value would take more than 512 MiB of memory; store it in parts, or as bytes",
  );
}
