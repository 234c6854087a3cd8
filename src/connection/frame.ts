/**
 * memcached's frame (protocol.txt, "UDP protocol"): a header of four numbers of 16 bits
 * before the text of each datagram.
 *
 * ```
 *   request id | place of this datagram | number of datagrams | 0
 * ```
 */
export const FRAME_BYTES = 8;

/** A request in a datagram of its own. */
export function framed(id: number, request: string): Buffer {
  const datagram = Buffer.alloc(FRAME_BYTES + request.length);
  datagram.writeUInt16BE(id, 0);
  datagram.writeUInt16BE(1, 4); // the first of one
  datagram.write(request, FRAME_BYTES, "latin1");
  return datagram;
}

/** The request that a datagram answers, or -1 for anything but a frame. */
export function frameId(datagram: Buffer): number {
  return datagram.length < FRAME_BYTES ? -1 : datagram.readUInt16BE(0);
}

/** A reply that comes in datagrams, in any order, some of them twice. */
export class Frames {
  /** By place, and not in an array: how many there are is a datagram's claim, and may be forged. */
  readonly #parts = new Map<number, Buffer>();
  #count = 0;

  /** Takes a datagram; returns the whole reply with the last that was missing. */
  add(datagram: Buffer): Buffer | undefined {
    const [place, count] = [datagram.readUInt16BE(2), datagram.readUInt16BE(4)];
    if (place >= count) return undefined;
    if (this.#count === 0) this.#count = count;
    if (count !== this.#count || this.#parts.has(place)) return undefined;
    this.#parts.set(place, datagram.subarray(FRAME_BYTES));
    if (this.#parts.size < count) return undefined;
    return Buffer.concat(Array.from({ length: count }, (_, n) => this.#parts.get(n)!));
  }
}
