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
  const datagram = Buffer.allocUnsafe(FRAME_BYTES + request.length);
  datagram.writeUInt16BE(id, 0);
  datagram.writeUInt16BE(0, 2);
  datagram.writeUInt16BE(1, 4);
  datagram.writeUInt16BE(0, 6);
  datagram.write(request, FRAME_BYTES, "latin1");
  return datagram;
}

/** The request that a datagram answers, or -1 for anything but a frame. */
export function frameId(datagram: Buffer): number {
  return datagram.length < FRAME_BYTES ? -1 : datagram.readUInt16BE(0);
}

/** A reply that comes in datagrams, in any order, some of them twice. */
export class Frames {
  #parts: (Buffer | undefined)[] = [];
  #missing = 0;

  /** Takes a datagram; returns the whole reply with the last that was missing. */
  add(datagram: Buffer): Buffer | undefined {
    const [place, count] = [datagram.readUInt16BE(2), datagram.readUInt16BE(4)];
    if (place >= count) return undefined;
    if (this.#parts.length === 0) {
      this.#parts = new Array<Buffer | undefined>(count).fill(undefined);
      this.#missing = count;
    }
    if (count !== this.#parts.length || this.#parts[place] !== undefined) return undefined;
    this.#parts[place] = datagram.subarray(FRAME_BYTES);
    if (--this.#missing > 0) return undefined;
    return Buffer.concat(this.#parts as Buffer[]);
  }
}
