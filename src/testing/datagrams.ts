import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { readerFor } from "./conversation.js";
import type { Instance } from "./instance.js";
import { listening } from "./listener.js";
import { Session } from "./session.js";

const HEADER_BYTES = 8;
/** What memcached sends in one datagram, its header included. */
const DATAGRAM_BYTES = 1400;
const PAYLOAD_BYTES = DATAGRAM_BYTES - HEADER_BYTES;
/** A longer reply is lost: its datagrams have no numbers. */
const MAX_REPLY = 0xffff * PAYLOAD_BYTES;

/** Where a process is stopped, the kernel keeps some hundred for it. */
const MAX_HELD = 256;

/**
 * Requests in datagrams (protocol.txt, "UDP protocol"): each begins with a request's
 * number, a sequence number and the count of datagrams, all in 16 bits, and 16 unused ones.
 */
export class Datagrams {
  readonly #socket: Socket;
  readonly #instance: Instance;
  /** What came while the server was stopped; undefined while it runs. */
  #held: (readonly [message: Buffer, from: RemoteInfo])[] | undefined;

  constructor(instance: Instance, host: string) {
    this.#instance = instance;
    this.#socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    this.#socket.on("message", (message, from) => this.#receive(message, from));
  }

  /** @throws MemcachedError if the address cannot be had */
  async open(host: string, port: number): Promise<number> {
    this.#socket.bind(port, host);
    await listening(this.#socket);
    return this.#socket.address().port;
  }

  /** Neither reads nor answers until {@link resume}. */
  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const [message, from] of held) this.#receive(message, from);
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, "close");
    this.#socket.close();
    await closed;
  }

  #receive(message: Buffer, from: RemoteInfo): void {
    if (this.#held !== undefined) {
      if (this.#held.length < MAX_HELD) this.#held.push([message, from]);
      return;
    }
    if (message.length <= HEADER_BYTES || message.readUInt16BE(4) !== 1) return;
    const session = new Session(this.#instance, 0, `udp:${from.address}:${from.port}`);
    const parts: string[] = [];
    let length = 0;
    session.deliver = (bytes) => {
      length += bytes.length;
      if (length <= MAX_REPLY) parts.push(bytes);
    };
    readerFor(session).push(message.subarray(HEADER_BYTES));
    session.deliver(session.reply);
    // A watcher has nobody to tell: the session ends with its datagram.
    session.onEnd?.();
    if (length > MAX_REPLY) return;
    this.#send(Buffer.from(parts.join(""), "latin1"), message.readUInt16BE(0), from);
  }

  #send(reply: Buffer, request: number, { address, port }: RemoteInfo): void {
    const total = Math.ceil(reply.length / PAYLOAD_BYTES);
    for (let sequence = 0; sequence < total; sequence++) {
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUInt16BE(request, 0);
      header.writeUInt16BE(sequence, 2);
      header.writeUInt16BE(total, 4);
      const payload = reply.subarray(sequence * PAYLOAD_BYTES, (sequence + 1) * PAYLOAD_BYTES);
      this.#socket.send(Buffer.concat([header, payload]), port, address);
    }
  }
}
