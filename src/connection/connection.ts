import type { Socket } from "node:net";
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
import { OK, type RefusedReply, type Reply } from "../protocol/reply.js";
import { isSilent, type Request } from "../protocol/request.js";
import type { Wire } from "../protocol/wire.js";
import { Fifo } from "../util/fifo.js";
import { Sweep } from "../util/sweep.js";
import type { Address } from "./address.js";
import { backoffMs } from "./backoff.js";
import { Dialer, type SocketOptions, type TlsOptions } from "./dial.js";
import { type Greet, greeting } from "./greeting.js";
import { Pipeline } from "./pipeline.js";

export interface ConnectionOptions {
  readonly address: Address;
  /** Makes the wire of one socket's life. */
  readonly wire: () => Wire;
  readonly socket: SocketOptions;
  /** How TLS is spoken, or undefined where it is not. */
  readonly tls: TlsOptions | undefined;
  /** What every new socket begins with; operations wait until it is over. */
  readonly greet: Greet | undefined;
  /** Milliseconds for one attempt to connect, its greeting included. */
  readonly connectTimeoutMs: number;
  /** Milliseconds without a byte, while replies are owed, after which the socket is given up. */
  readonly stallTimeoutMs: number;
  /** Takes the unsettled operations that a lost socket leaves, each of which it may send again. */
  readonly onLost: (operation: Operation, error: MemcachedError) => void;
  /** Takes an operation that the server refused, with the refusal. */
  readonly onRefused: (operation: Operation, refused: RefusedReply) => void;
}

/** Requests are held back while this much waits in the socket, so that they can still expire unsent. */
const MAX_SOCKET_BACKLOG_BYTES = 1024 * 1024;

/**
 * memcached before 1.6.39 reads a TLS record in parts and may forget the rest of it until
 * another one comes. So over TLS each write is one batch of whole requests, of which all but
 * the last lie in the first record, and the next write waits until it has left.
 */
const TLS_RECORD_BYTES = 16 * 1024;

/** How many operations go into one write at most. */
const MAX_BATCH = 4096;

/**
 * One socket to one server, opened when it is first needed and again when it was lost.
 *
 * ```
 *               execute                    connect event
 *     closed ───────────▶ connecting ───────────────────▶ open
 *       ▲                     │ error, timeout              │ end, error, stall,
 *       └─────────────────────┴─────────────────────────────┘ unreadable reply
 * ```
 *
 * An operation is in exactly one place: `#waiting` until its bytes are written, then the
 * pipeline until its reply has come.
 */
export class Connection implements Executor {
  readonly #options: ConnectionOptions;
  readonly #waiting = new Fifo<Operation>();
  readonly #out = new Outgoing();
  readonly #sweep: Sweep;
  readonly #pipeline: Pipeline;
  readonly #dialer: Dialer;
  #wire: Wire;
  #socket: Socket | undefined = undefined;
  #open = false;
  #flushing = false;
  #ended = false;
  #failures = 0;
  #notBefore = 0;
  #lastFailure: MemcachedError | undefined = undefined;
  /** When the present attempt to connect is given up. */
  #connectDeadline = 0;
  /** When the last byte came, or the first request after an idle time went out. */
  #lastProgress = 0;
  /** How many sockets were opened so far; each may lead to another server. */
  sockets = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#dialer = new Dialer(options.address, options.socket, options.tls);
    this.#pipeline = new Pipeline(options.onRefused);
    this.#wire = options.wire();
    this.#sweep = new Sweep((now) => this.#expire(now));
  }

  execute(operation: Operation): void {
    if (this.#ended) {
      operation.fail(this.#closedError("The client is closed"));
      return;
    }
    if (this.#socket === undefined && !this.#connect(operation)) return;
    this.#waiting.push(operation);
    this.#sweep.start();
    if (this.#flushing || !this.#open) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  /** Closes the socket; what waits on it fails, and the next operation opens it again. */
  disconnect(): void {
    if (this.#socket !== undefined)
      this.#lose(this.#closedError("The connection was closed by disconnectAll()"), false);
  }

  /** Waits for what is under way, up to `drainMs` milliseconds, then closes for good. */
  async close(drainMs: number): Promise<void> {
    this.#ended = true;
    if (this.#isBusy) await this.#idle(drainMs);
    this.#lose(this.#closedError("The client was closed"), false);
    this.#sweep.stop();
  }

  get #isBusy(): boolean {
    return this.#waiting.length > 0 || this.#pipeline.length > 0;
  }

  #idle(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#whenIdle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Begins to connect, or fails the operation where it is too early for another attempt. */
  #connect(operation: Operation): boolean {
    const now = performance.now();
    if (now < this.#notBefore) {
      const failure = this.#lastFailure!;
      const wait = Math.ceil(this.#notBefore - now);
      const message = `${failure.message}; the next attempt is due in ${wait} ms`;
      operation.fail(this.#forOperation(operation, failure, message));
      return false;
    }
    this.#connectDeadline = now + this.#options.connectTimeoutMs;
    const socket = this.#dialer.dial(
      (chunk, length) => {
        if (socket === this.#socket) this.#receive(chunk, length);
      },
      () => {
        if (socket === this.#socket) this.#connected(socket, operation.codec);
      },
    );
    this.#socket = socket;
    this.#wire = this.#options.wire();
    socket
      .on("drain", () => {
        if (socket === this.#socket) this.#flush();
      })
      .on("error", (cause) => {
        if (socket === this.#socket) this.#failed(cause);
      })
      .once("end", () => {
        if (socket === this.#socket) this.#failed(undefined);
      })
      .once("close", () => {
        if (socket === this.#socket) this.#failed(undefined);
      });
    return true;
  }

  #connected(socket: Socket, codec: Operation["codec"]): void {
    const { greet, address } = this.#options;
    if (greet === undefined) {
      this.#opened();
      return;
    }
    const ask = (request: Request) =>
      new Promise<Reply>((resolve, reject) => {
        this.#write(greeting(request, codec, resolve, reject));
        this.#wire.finish(this.#out);
        this.#send(socket);
      });
    this.#lastProgress = performance.now();
    greet(ask, address.name).then(
      () => {
        if (socket === this.#socket) this.#opened();
      },
      (error) => {
        if (socket === this.#socket) this.#giveUp(error);
      },
    );
  }

  #opened(): void {
    this.#open = true;
    this.sockets++;
    this.#failures = 0;
    this.#lastProgress = performance.now();
    this.#flush();
  }

  #flush = (): void => {
    this.#flushing = false;
    const socket = this.#socket;
    if (!this.#open || socket === undefined) return;
    while (this.#waiting.length > 0 && this.#hasRoom(socket)) {
      this.#fill();
      if (this.#out.isEmpty) continue;
      this.#send(socket);
    }
    this.#settled();
  };

  #hasRoom({ writableLength }: Socket): boolean {
    return this.#isSecure ? writableLength === 0 : writableLength < MAX_SOCKET_BACKLOG_BYTES;
  }

  get #isSecure(): boolean {
    return this.#options.tls !== undefined;
  }

  /** Turns waiting operations into one batch of bytes. */
  #fill(): void {
    if (this.#pipeline.length === 0) this.#lastProgress = performance.now();
    const maxBytes = this.#isSecure ? TLS_RECORD_BYTES : Infinity;
    for (let n = 0; n < MAX_BATCH && this.#out.pieces.length === 0; n++) {
      if (this.#out.text.length >= maxBytes) break;
      const operation = this.#waiting.shift();
      if (operation === undefined) break;
      if (!operation.settled) this.#write(operation);
    }
    this.#wire.finish(this.#out);
  }

  #write(operation: Operation): void {
    const missing = this.#wire.write(operation, this.#out);
    if (missing !== undefined) {
      operation.fail(new NotSupportedError(missing, this.#details(operation)));
      return;
    }
    operation.sent = true;
    if (isSilent(operation.request)) operation.settle(OK);
    else this.#pipeline.push(operation);
  }

  #send(socket: Socket): void {
    const { pieces, text } = this.#out;
    const sent = this.#isSecure ? this.#flush : undefined;
    if (pieces.length > 0) {
      socket.cork();
      for (const piece of pieces) {
        if (typeof piece === "string") socket.write(piece, "latin1");
        else socket.write(piece);
      }
      socket.write(text, "latin1", sent);
      socket.uncork();
    } else {
      socket.write(text, "latin1", sent);
    }
    this.#out.clear();
  }

  #receive(chunk: Buffer, length: number): void {
    this.#lastProgress = performance.now();
    try {
      this.#wire.push(chunk, length, this.#pipeline);
    } catch (error) {
      if (this.#open) this.#lose(this.#unreadable(error), false);
      else this.#giveUp(this.#unreadable(error));
      return;
    }
    this.#settled();
  }

  /** The socket failed by itself: while connecting, or in the middle of its life. */
  #failed(cause: Error | undefined): void {
    const { name } = this.#options.address;
    if (this.#open) {
      const why = cause === undefined ? "the server ended it" : cause.message;
      this.#lose(this.#closedError(`The connection to ${name} was lost: ${why}`, cause), true);
      return;
    }
    const why = cause === undefined ? "the server ended it" : describe(cause);
    this.#giveUp(new ConnectError(`Cannot connect to ${name}: ${why}`, { server: name, cause }));
  }

  /** No connection could be made: everything that waits for it fails, and new attempts pause. */
  #giveUp(error: MemcachedError): void {
    this.#failures++;
    this.#lastFailure = error;
    this.#notBefore = performance.now() + backoffMs(this.#failures, Math.random);
    this.#release();
    for (const operation of this.#pipeline.drain()) this.#failWith(operation, error);
    for (const operation of this.#waiting.drain()) this.#failWith(operation, error);
    this.#settled();
  }

  /**
   * The connection is over. What was sent is handed to `onLost` if it may be sent again,
   * and otherwise fails; what was not sent goes out on the next connection.
   */
  #lose(error: MemcachedError, mayRetry: boolean): void {
    this.#release();
    const sent = this.#pipeline.drain();
    const unsent = this.#waiting.drain();
    for (const operation of sent) {
      if (operation.settled) continue;
      if (mayRetry) this.#options.onLost(operation, this.#forOperation(operation, error));
      else this.#failWith(operation, error);
    }
    for (const operation of unsent) {
      if (operation.settled) continue;
      if (this.#ended) this.#failWith(operation, error);
      else this.execute(operation);
    }
    this.#settled();
  }

  #release(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#open = false;
    this.#out.clear();
    socket?.destroy();
  }

  /** The one timer of this connection: deadlines, the attempt to connect, and a server that fell silent. */
  #expire(now: number): boolean {
    const { address, stallTimeoutMs } = this.#options;
    if (this.#socket !== undefined && !this.#open && now >= this.#connectDeadline) {
      const { connectTimeoutMs } = this.#options;
      this.#giveUp(
        new ConnectError(`Cannot connect to ${address.name} within ${connectTimeoutMs} ms`, {
          server: address.name,
        }),
      );
    }
    for (let n = 0; n < this.#pipeline.length; n++)
      this.#expireOne(this.#pipeline.waiting(n)!, now);
    for (let n = 0; n < this.#waiting.length; n++) this.#expireOne(this.#waiting.at(n)!, now);
    if (this.#pipeline.length > 0 && now - this.#lastProgress > stallTimeoutMs) {
      this.#lose(
        this.#closedError(`${address.name} owes replies and sent nothing for ${stallTimeoutMs} ms`),
        false,
      );
    }
    return this.#isBusy;
  }

  #expireOne(operation: Operation, now: number): void {
    if (operation.settled || now < operation.deadline) return;
    const where = operation.sent
      ? "its reply did not come"
      : this.#open
        ? "it could not be sent"
        : "there was no connection";
    const { name } = this.#options.address;
    operation.fail(
      new TimeoutError(
        `${operation.command.name} timed out at ${name}: ${where}`,
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

  /** The bytes cannot be read: whatever went wrong, no later byte can be trusted. */
  #unreadable(cause: unknown): ProtocolError {
    const { name } = this.#options.address;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new ProtocolError(`The connection to ${name} was dropped: ${why}`, { cause });
  }

  #closedError(message: string, cause?: Error): ConnectionClosedError {
    return new ConnectionClosedError(message, { server: this.#options.address.name, cause });
  }

  #failWith(operation: Operation, error: MemcachedError): void {
    operation.fail(this.#forOperation(operation, error));
  }

  /** The same error as one operation sees it: with its command, and whether it was sent. */
  #forOperation(
    operation: Operation,
    error: MemcachedError,
    message: string = error.message,
  ): MemcachedError {
    const Class = error.constructor as new (message: string, details: object) => MemcachedError;
    const { cause } = error;
    return new Class(message, { ...this.#details(operation), cause });
  }
}

/** Node's words for a failed connect; an error of several addresses has none of its own. */
function describe(cause: Error): string {
  if (cause.message !== "") return cause.message;
  const errors = cause instanceof AggregateError ? (cause.errors as Error[]) : [];
  return errors.map((error) => error.message).join("; ");
}
