import { ProtocolError } from "../../errors.js";
import { latin1 } from "../../util/bytes.js";
import { describeKey } from "../key.js";
import type { GetRequest } from "../request.js";
import type { Replies } from "../wire.js";

const BLANK = 0x20;

/**
 * Finds out whose the items are that come. A line of gets asked for several keys, either
 * for one exchange or for neighbours that share it; items come in the order of the keys,
 * so that the next one is nearly always it. A proxy may mix them within a line.
 */
export class AskedKeys {
  /** Which exchange of the line the last item is for, and which of its keys. */
  place = 0;
  index = 0;
  /** Where in the line the next item is expected, and how many came elsewhere. */
  #cursor = 0;
  #strays = 0;

  /** Where the key of an item ends if it is the one that is expected next, else -1. */
  nextEnd(
    bytes: Buffer,
    start: number,
    end: number,
    { keys }: GetRequest,
    replies: Replies,
  ): number {
    const key = keys === undefined ? keyAt(replies, this.#cursor) : keys[this.#cursor];
    if (key === undefined || start + key.length >= end) return -1;
    return keyEnds(bytes, start, key) ? start + key.length : -1;
  }

  /** The item is the one that was expected. */
  advance({ keys }: GetRequest): void {
    this.#found(this.#cursor, keys !== undefined);
  }

  /**
   * Returns where the key of an item ends.
   * @throws ProtocolError for a key that was not asked for
   */
  locate(bytes: Buffer, start: number, end: number, request: GetRequest, replies: Replies): number {
    const next = this.nextEnd(bytes, start, end, request, replies);
    if (next >= 0) {
      this.advance(request);
      return next;
    }
    const { keys } = request;
    const many = keys !== undefined;
    const blank = bytes.indexOf(BLANK, start);
    const key = latin1(bytes, start, blank < 0 || blank > end ? end : blank);
    const found = many ? indexOf(keys, key, this.#cursor) : placeOf(key, this.#cursor, replies);
    if (found < 0) {
      throw new ProtocolError(`The server sent an item ${describeKey(key)} that nobody asked for`);
    }
    if (++this.#strays > (many ? keys.length : lineLength(replies))) {
      throw new ProtocolError("The server sends more items than were asked for");
    }
    this.#found(found, many);
    return start + key.length;
  }

  /** The line is over. */
  reset(): void {
    this.#cursor = 0;
    this.#strays = 0;
  }

  #found(n: number, many: boolean): void {
    this.place = many ? 0 : n;
    this.index = many ? n : 0;
    this.#cursor = n + 1;
  }
}

/** Whether the bytes at `start` are this key and a blank. */
function keyEnds(bytes: Buffer, start: number, key: string): boolean {
  const { length } = key;
  if (bytes[start + length] !== BLANK) return false;
  for (let i = 0; i < length; i++) {
    if (bytes[start + i] !== key.charCodeAt(i)) return false;
  }
  return true;
}

/** The key of the n-th exchange if it stands in the same line as the oldest one. */
function keyAt(replies: Replies, n: number): string | undefined {
  if (n > 0 && replies.waiting(n - 1)?.endsLine !== false) return undefined;
  const request = replies.waiting(n)?.request;
  return request?.verb === "get" ? request.key : undefined;
}

/** Where a key stands among others, or -1: nearly always close behind the cursor, after misses. */
function indexOf(keys: readonly string[], key: string, cursor: number): number {
  const ahead = keys.indexOf(key, cursor);
  return ahead < 0 ? keys.indexOf(key) : ahead;
}

/** How many exchanges stand in the same line as the oldest one. */
function lineLength(replies: Replies): number {
  let n = 1;
  while (keyAt(replies, n) !== undefined) n++;
  return n;
}

/**
 * Which exchange of the oldest line asked for a key, or -1. Several may have: the search
 * goes on from the last item and around, so that each gets one.
 */
function placeOf(key: string, cursor: number, replies: Replies): number {
  const length = lineLength(replies);
  for (let i = 0; i < length; i++) {
    const n = (cursor + i) % length;
    if (keyAt(replies, n) === key) return n;
  }
  return -1;
}
