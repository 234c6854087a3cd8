import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import {
  ConnectError,
  ConnectionClosedError,
  type MemcachedError,
  NotSupportedError,
  ProtocolError,
  TimeoutError,
} from "../errors.js";
import type { Executor, Operation } from "../operation.js";
import { Outgoing } from "../protocol/outgoing.js";
import { OK, type RefusedReply } from "../protocol/reply.js";
import { isSilent, type Request } from "../protocol/request.js";
import type { Wire } from "../protocol/wire.js";
import { Sweep } from "../util/sweep.js";
import type { Address } from "./address.js";
import { Answer, type Part } from "./answer.js";
import type { SocketOptions } from "./dial.js";
import { FRAME_BYTES, framed, frameId } from "./frame.js";

export interface DatagramsOptions {
  readonly address: Address;
  readonly wire: () => Wire;
  readonly socket: SocketOptions;
  /** Takes an operation that the server refused, with the refusal. */
  readonly onRefused: (operation: Operation, refused: RefusedReply) => void;
}

/** memcached's own datagrams have no more; of larger ones IP makes pieces, and loses some. */
const MAX_DATAGRAM_BYTES = 1400;

const MAX_ID = 0xffff;

/**
 * One server over UDP: a datagram for each request, and a reply in as many as it takes.
 * What is lost is a timeout, since nobody can tell which way it was lost, and what is
 * sent together may be carried out in any order.
 */
export class Datagrams implements Executor {
  readonly #options: DatagramsOptions;
  readonly #answers = new Map<number, Answer>();
  readonly #sweep: Sweep;
  /** What waits for the socket. */
  #waiting: Operation[] = [];
  #socket: Socket | undefined = undefined;
  #isOpen = false;
  #ended = false;
  #lastId = 0;
  #whenIdle: (() => void)[] = [];
  /** How many sockets were opened so far. */
  sockets = 0;

  constructor(options: DatagramsOptions) {
    this.#options = options;
    this.#sweep = new Sweep((now) => this.#expire(now));
  }

  execute(operation: Operation): void {
    if (this.#ended) {
      operation.fail(new ConnectionClosedError("The client is closed", this.#details(operation)));
      return;
    }
    this.#sweep.start();
    if (this.#isOpen) {
      this.#send(operation);
      return;
    }
    this.#waiting.push(operation);
    if (this.#socket === undefined) this.#open();
  }

  disconnect(): void {
    const { name } = this.#options.address;
    this.#fail(new ConnectionClosedError("The connection was closed", { server: name }));
  }

  /** Waits for what is under way, up to `drainMs` milliseconds, then closes for good. */
  async close(drainMs: number): Promise<void> {
    this.#ended = true;
    if (this.#isBusy) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, drainMs);
        this.#whenIdle.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    this.disconnect();
    this.#sweep.stop();
  }

  get #isBusy(): boolean {
    return this.#waiting.length > 0 || this.#answers.size > 0;
  }

  #open(): void {
    const { address, socket: options } = this.#options;
    const { localAddress } = options;
    const type = options.family === 6 || isIPv6(address.host) ? "udp6" : "udp4";
    const socket = createSocket(type);
    this.#socket = socket;
    socket
      .on("message", (datagram) => this.#receive(datagram))
      .on("connect", () => {
        if (socket === this.#socket) this.#opened();
      })
      .on("error", (cause) => {
        if (socket === this.#socket) this.#failed(cause);
      });
    if (localAddress === undefined) socket.connect(address.port, address.host);
    else socket.bind(0, localAddress, () => socket.connect(address.port, address.host));
    socket.unref();
  }

  #opened(): void {
    this.#isOpen = true;
    this.sockets++;
    for (const operation of this.#waiting.splice(0)) this.#send(operation);
  }

  /** Sends an operation; a many-key get as one request for each key, as UDP needs it. */
  #send(operation: Operation): void {
    const { request } = operation;
    if (operation.settled) return;
    if (request.verb !== "get" || request.keys === undefined) {
      this.#sendOne(operation, request, undefined);
      return;
    }
    const left = { count: request.keys.length };
    for (const [index, key] of request.keys.entries()) {
      this.#sendOne(operation, { ...request, key, keys: undefined }, { index, left });
    }
  }

  #sendOne(operation: Operation, request: Request, part: Part | undefined): void {
    const out = new Outgoing();
    const wire = this.#options.wire();
    const answer = new Answer(operation, request, wire, part, this.#options.onRefused);
    const missing = wire.write(answer.exchange, out) ?? this.#tooLong(out, wire);
    if (missing !== undefined) {
      operation.fail(new NotSupportedError(missing, this.#details(operation)));
      return;
    }
    const id = this.#nextId();
    operation.sent = true;
    if (isSilent(request)) operation.settle(OK);
    else this.#answers.set(id, answer);
    this.#socket!.send(framed(id, out.text));
  }

  #tooLong(out: Outgoing, wire: Wire): string | undefined {
    wire.finish(out);
    const bytes = out.pieces.reduce((sum, piece) => sum + piece.length, out.text.length);
    if (bytes + FRAME_BYTES <= MAX_DATAGRAM_BYTES) return undefined;
    return `The request is ${bytes} bytes; over UDP it may have ${MAX_DATAGRAM_BYTES - FRAME_BYTES}`;
  }

  #nextId(): number {
    do {
      this.#lastId = (this.#lastId + 1) & MAX_ID;
    } while (this.#answers.has(this.#lastId) && this.#answers.size <= MAX_ID);
    return this.#lastId;
  }

  #receive(datagram: Buffer): void {
    const id = frameId(datagram);
    const answer = this.#answers.get(id);
    const reply = answer?.frames.add(datagram);
    if (answer === undefined || reply === undefined) return;
    this.#answers.delete(id);
    try {
      answer.read(reply);
    } catch (cause) {
      const { name } = this.#options.address;
      const why = cause instanceof Error ? cause.message : String(cause);
      const details = { ...this.#details(answer.operation), cause };
      answer.operation.fail(new ProtocolError(`The reply of ${name} was dropped: ${why}`, details));
    }
    this.#settled();
  }

  /** The socket could not be made, or the server's machine says that nobody is there. */
  #failed(cause: Error): void {
    const { name } = this.#options.address;
    this.#fail(new ConnectError(`Cannot reach ${name}: ${cause.message}`, { server: name, cause }));
  }

  #fail(error: MemcachedError): void {
    const operations = [...this.#answers.values()].map((answer) => answer.operation);
    operations.push(...this.#waiting.splice(0));
    this.#answers.clear();
    this.#isOpen = false;
    this.#socket?.close();
    this.#socket = undefined;
    const Class = error.constructor as new (message: string, details: object) => MemcachedError;
    for (const operation of operations) {
      const details = { ...this.#details(operation), cause: error.cause };
      operation.fail(new Class(error.message, details));
    }
    this.#settled();
  }

  #expire(now: number): boolean {
    for (const [id, { operation }] of this.#answers) {
      this.#expireOne(operation, now);
      if (operation.settled) this.#answers.delete(id);
    }
    for (const operation of this.#waiting) this.#expireOne(operation, now);
    this.#settled();
    return this.#isBusy;
  }

  #expireOne(operation: Operation, now: number): void {
    if (operation.settled || now < operation.deadline) return;
    const { name } = this.#options.address;
    const why = operation.sent ? "its datagrams were lost" : "it could not be sent";
    operation.fail(
      new TimeoutError(
        `${operation.command.name} timed out at ${name}: ${why}`,
        this.#details(operation),
      ),
    );
  }

  #settled(): void {
    if (this.#whenIdle.length === 0 || this.#isBusy) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #details(operation: Operation) {
    const { name } = this.#options.address;
    return { server: name, command: operation.command.name, sent: operation.sent };
  }
}
