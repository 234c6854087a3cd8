import type { Outgoing } from "../outgoing.js";
import type { Data } from "../request.js";

/**
 * The packets of the binary protocol. Numbers are big-endian; requests and replies have
 * the same header:
 *
 * ```
 *    0        1        2        3        4        5        6        7
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 *   | magic  | opcode | key length      | extras | 0      | 0, or a status  |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 *   | extras, key and value together    | opaque: comes back as it was sent |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 *   | cas                                                                   |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 *   | extras, then the key, then the value ...
 * ```
 */
export const HEADER_BYTES = 24;

export const REPLY_MAGIC = 0x81;

const NO_CAS = "\0\0\0\0\0\0\0\0";

/** Appends one request packet; the key and the extras are strings of one byte a character. */
export function writePacket(
  out: Outgoing,
  opcode: number,
  opaque: number,
  key = "",
  extras = "",
  data: Data = "",
  cas?: bigint,
): void {
  const total = extras.length + key.length + data.length;
  const header = String.fromCharCode(
    0x80,
    opcode,
    key.length >>> 8,
    key.length & 0xff,
    extras.length,
    0,
    0,
    0,
    total >>> 24,
    (total >>> 16) & 0xff,
    (total >>> 8) & 0xff,
    total & 0xff,
    opaque >>> 24,
    (opaque >>> 16) & 0xff,
    (opaque >>> 8) & 0xff,
    opaque & 0xff,
  );
  out.append(header + (cas === undefined ? NO_CAS : uint64(cas)) + extras + key);
  if (data.length > 0) out.appendData(data);
}

/** Four bytes. */
export function uint32(value: number): string {
  return String.fromCharCode(
    value >>> 24,
    (value >>> 16) & 0xff,
    (value >>> 8) & 0xff,
    value & 0xff,
  );
}

/** Eight bytes. */
export function uint64(value: bigint | number): string {
  if (typeof value === "number") return uint32(Math.floor(value / 2 ** 32)) + uint32(value);
  return uint32(Number(value >> 32n)) + uint32(Number(value & 0xffffffffn));
}

/** An unsigned number of 64 bits: exact, and a bigint only where it has to be. */
export function readUint64(bytes: Buffer, at: number): bigint | number {
  const high = bytes.readUInt32BE(at);
  return high < 2 ** 21 ? high * 2 ** 32 + bytes.readUInt32BE(at + 4) : bytes.readBigUInt64BE(at);
}
