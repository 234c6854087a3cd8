import { HEADER_BYTES, REPLY_MAGIC, uint32, uint64 } from "../../protocol/binary/packet.js";
import { STATUS } from "../../protocol/binary/status.js";
import { latin1 } from "../../util/bytes.js";

export const REQUEST_MAGIC = 0x80;

/** The status for an item that there is no memory for. */
export const NO_MEMORY = 0x82;

/** What memcached says in the body of a reply with an error status. */
const WORDS: Readonly<Record<number, string>> = {
  [STATUS.notFound]: "Not found",
  [STATUS.exists]: "Data exists for key.",
  [STATUS.tooLarge]: "Too large.",
  [STATUS.invalidArguments]: "Invalid arguments",
  [STATUS.notStored]: "Not stored.",
  [STATUS.notNumeric]: "Non-numeric server-side value for incr or decr",
  [STATUS.authFailed]: "Auth failure.",
  [STATUS.unknownCommand]: "Unknown command",
  [NO_MEMORY]: "Out of memory",
};

/** A request without its value. */
export interface Packet {
  /** The opcode as it came. */
  readonly opcode: number;
  /** The command, which a quiet opcode is another form of. */
  readonly command: number;
  /** Whether success goes without a reply. */
  readonly quiet: boolean;
  readonly opaque: number;
  readonly cas: bigint;
  readonly extras: Buffer;
  readonly key: string;
  /** What the header says that extras, key and value come to. */
  readonly bodyBytes: number;
  readonly valueBytes: number;
}

/** Reads a request from its header, extras and key. */
export function readPacket(bytes: Buffer, at: number, loud: number | undefined): Packet {
  const opcode = bytes[at + 1]!;
  const keyBytes = bytes.readUInt16BE(at + 2);
  const extraBytes = bytes[at + 4]!;
  const bodyBytes = bytes.readUInt32BE(at + 8);
  const keyAt = at + HEADER_BYTES + extraBytes;
  return {
    opcode,
    command: loud ?? opcode,
    quiet: loud !== undefined,
    opaque: bytes.readUInt32BE(at + 12),
    cas: bytes.readBigUInt64BE(at + 16),
    extras: bytes.subarray(at + HEADER_BYTES, keyAt),
    key: latin1(bytes, keyAt, keyAt + keyBytes),
    bodyBytes,
    valueBytes: bodyBytes - keyBytes - extraBytes,
  };
}

/** What a reply carries beside its status. */
export interface ReplyParts {
  readonly extras?: string;
  readonly key?: string;
  readonly value?: string;
  readonly cas?: bigint;
}

/** A reply packet, in which each character is one byte. */
export function replyPacket(packet: Packet, status: number, parts: ReplyParts = {}): string {
  const { extras = "", key = "", value = "", cas = 0n } = parts;
  const total = extras.length + key.length + value.length;
  const header = String.fromCharCode(
    REPLY_MAGIC,
    packet.opcode,
    key.length >>> 8,
    key.length & 0xff,
    extras.length,
    0,
    status >>> 8,
    status & 0xff,
  );
  return `${header}${uint32(total)}${uint32(packet.opaque)}${uint64(cas)}${extras}${key}${value}`;
}

/** A reply with an error status and memcached's words for it. */
export function errorPacket(
  packet: Packet,
  status: number,
  words: string = WORDS[status] ?? "",
): string {
  return replyPacket(packet, status, { value: words });
}
