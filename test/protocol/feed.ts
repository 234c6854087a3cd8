import type { Replies, Wire } from "../../src/protocol/wire.js";

/** An earlier reply, which may have been longer. */
const STALE = Buffer.from("VALUE stale 0 5\r\nstale\r\nEND\r\n");

/** How much of one that was much like this one. */
const ALIKE = 64;

/**
 * Hands bytes to a wire as a socket does: in chunks, each in the wire's own room if it has
 * any, and otherwise in memory that is overwritten afterwards, and has old replies behind them.
 * @param cuts - where chunks end, beside those where a room is full
 * @returns how many chunks were read to the wire's own room
 */
export function feed(wire: Wire, replies: Replies, bytes: Buffer, cuts: readonly number[]): number {
  const inside = cuts.filter((cut) => cut > 0 && cut < bytes.length);
  let rooms = 0;
  let start = 0;
  for (const end of [...inside, bytes.length].sort((a, b) => a - b)) {
    while (start < end) {
      const { room } = wire;
      if (room !== undefined) rooms++;
      const stale = [bytes.subarray(end, end + ALIKE), STALE];
      const chunk = room ?? Buffer.concat([Buffer.alloc(end - start), ...stale]);
      const length = bytes.copy(chunk, 0, start, end);
      wire.push(chunk, length, replies);
      if (room === undefined) chunk.fill("?");
      start += length;
    }
  }
  return rooms;
}
