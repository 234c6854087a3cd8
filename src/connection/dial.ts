import { connect, type Socket } from "node:net";
import { type Address, isUnix } from "./address.js";

/** A chunk that is over when the function returns: its memory is used for the next one. */
export type Receive = (chunk: Buffer, length: number) => void;

/** One read takes at most this much; larger gains nothing (docs/performance.md). */
const READ_BUFFER_BYTES = 64 * 1024;

/**
 * Opens a socket to a server. It reads into one buffer that is used again for every
 * chunk, and does not keep the process alive.
 */
export function dial(address: Address, receive: Receive): Socket {
  const onread = {
    buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
    callback: (length: number, buffer: Uint8Array): boolean => {
      receive(buffer as Buffer, length);
      return true;
    },
  };
  const socket = isUnix(address)
    ? connect({ path: address.host, onread })
    : connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true, onread });
  return socket.unref();
}
