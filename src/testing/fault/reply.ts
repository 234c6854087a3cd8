import { HEADER_BYTES, REPLY_MAGIC, uint32 } from "../../protocol/binary/packet.js";

const BINARY_REPLY = String.fromCharCode(REPLY_MAGIC);

/**
 * The answer with another key. Bytes are strings in which each character is one byte;
 * what an answer does not have, such as a key in `STORED`, stays as it is.
 */
export function withKey(reply: string, key: string): string {
  if (reply.startsWith(BINARY_REPLY)) return binaryWithKey(reply, key);
  if (reply.startsWith("VALUE ")) return reply.replace(/^VALUE \S+/, () => `VALUE ${key}`);
  return inFirstLine(reply, (line) => line.replace(/ k\S+/, () => ` k${key}`));
}

function binaryWithKey(reply: string, key: string): string {
  const keyBytes = reply.charCodeAt(2) * 256 + reply.charCodeAt(3);
  if (keyBytes === 0) return reply;
  const keyAt = HEADER_BYTES + reply.charCodeAt(4);
  const total = readUint32(reply, 8) - keyBytes + key.length;
  const length = String.fromCharCode(key.length >>> 8, key.length & 0xff);
  return (
    reply.slice(0, 2) +
    length +
    reply.slice(4, 8) +
    uint32(total) +
    reply.slice(12, keyAt) +
    key +
    reply.slice(keyAt + keyBytes)
  );
}

/** The answer with another opaque: four bytes on the binary protocol, a token of meta commands. */
export function withOpaque(reply: string, opaque: string): string {
  if (reply.startsWith(BINARY_REPLY)) {
    return reply.slice(0, 12) + opaque.padStart(4, "\0").slice(-4) + reply.slice(16);
  }
  return inFirstLine(reply, (line) => line.replace(/ O\S*/, () => ` O${opaque}`));
}

/** The answer with another length: of the value in text, of the body in binary. */
export function withLength(reply: string, length: string): string {
  if (reply.startsWith(BINARY_REPLY)) {
    return reply.slice(0, 8) + uint32(Number(length) >>> 0) + reply.slice(12);
  }
  return inFirstLine(reply, (line) =>
    line.replace(/^(VALUE \S+ \S+|VA) \S+/, (_, head) => `${head} ${length}`),
  );
}

function inFirstLine(reply: string, change: (line: string) => string): string {
  const end = reply.indexOf("\r\n");
  return end < 0 ? reply : change(reply.slice(0, end)) + reply.slice(end);
}

function readUint32(bytes: string, at: number): number {
  return Buffer.from(bytes.slice(at, at + 4), "latin1").readUInt32BE(0);
}
