import type { Socket } from "node:net";
import { ArgumentError, type ErrorDetails, NotSupportedError } from "../errors.js";
import { Operation } from "../operation.js";
import { Outgoing } from "../protocol/outgoing.js";
import { OK } from "../protocol/reply.js";
import { type Data, isSilent, VERSION_REQUEST } from "../protocol/request.js";
import type { Wire } from "../protocol/wire.js";
import { microseconds } from "../util/clock.js";
import type { Counters } from "./counters.js";
import type { Dialer, Reader } from "./dial.js";
import { type OnLarge, type OnRefused, Pipeline } from "./pipeline.js";
import type { Queue } from "./queue.js";

/** What a link tells its connection, as long as it is not ended. */
export interface LinkEvents {
  /** Bytes can be sent. */
  connected(): void;
  /** What came could be read. */
  replied(): void;
  /** Replies were read, or the socket has room again. */
  progressed(): void;
  /** The socket ended by itself. */
  lost(cause: Error | undefined): void;
  /** What came cannot be read, and nothing that follows can be trusted. */
  unreadable(cause: unknown): void;
  refused: OnRefused;
  large: OnLarge | undefined;
}

/**
 * Requests are held back while this much waits in the socket, so that they can still expire
 * unsent. No write has more, since it is not seen how the parts of one leave: over a slow
 * line a longer one would look like a server that does not read.
 */
const MAX_BACKLOG_BYTES = 1024 * 1024;

/**
 * memcached reads a TLS record in parts and may forget the rest of it until another one comes,
 * since 1.6.39 more rarely. So over TLS each write is one batch of whole requests, of which all but
 * the last lie in the first record, and the next write waits until it has left. No change is
 * quiet, since the noop behind the last would lie past that.
 */
const TLS_RECORD_BYTES = 16 * 1024;

const VERSION = { name: "version", idempotent: true, read: ignore };

/** How many operations go into one write at most. */
const MAX_BATCH = 4096;

/**
 * One socket from its first moment to its last: requests become bytes, bytes become
 * replies. After `end()` nothing that the socket does is heard any more.
 */
export class Link implements Reader {
  readonly pipeline: Pipeline;
  /** Whether operations may be sent. */
  open = false;
  /** Whether the server has ever said anything. */
  heard = false;
  readonly #wire: Wire;
  readonly #server: string;
  readonly #counters: Counters;
  readonly #events: LinkEvents;
  readonly #socket: Socket;
  readonly #isSecure: boolean;
  readonly #resets: boolean;
  readonly #out = new Outgoing();
  /** What is left of a value that takes several writes, and what follows it. */
  #rest: Data = "";
  /** How long that is; the memory itself is the program's, which may take it away. */
  #left = 0;
  #tail = "";
  #ended = false;
  /** When the last byte came or went, or the first request after an idle time was written. */
  #lastProgress = performance.now();
  /** What waited in the socket when that was last looked at. */
  #lastBacklog = 0;

  constructor(dialer: Dialer, wire: Wire, server: string, counters: Counters, events: LinkEvents) {
    this.#wire = wire;
    this.#server = server;
    this.#counters = counters;
    this.#events = events;
    this.pipeline = new Pipeline(counters, events.refused, events.large);
    this.#isSecure = dialer.isSecure;
    this.#resets = dialer.resets;
    this.#socket = dialer.dial(this, () => this.#ended || events.connected());
    this.#socket
      .on("drain", () => this.#ended || this.#drained())
      .on("error", (cause) => this.#ended || events.lost(cause))
      .once("end", () => this.#ended || events.lost(undefined))
      .once("close", () => this.#ended || events.lost(undefined));
  }

  /** Bytes that the socket could not send yet. */
  get backlog(): number {
    return this.#socket.writableLength + this.#left;
  }

  /** Whether the server owes anything: replies, or room for bytes. */
  get isBusy(): boolean {
    return this.pipeline.length > 0 || this.backlog > 0;
  }

  /** Whether somebody still waits for any of it; what wants no reply wants to leave at least. */
  get isAwaited(): boolean {
    return this.pipeline.isAwaited || this.backlog > 0;
  }

  /** Sends what waits, as far as the socket and the limit of operations under way allow. */
  send(queue: Queue, maxInFlight: number): void {
    while (
      queue.length > 0 &&
      this.#hasRoom &&
      this.pipeline.length < maxInFlight &&
      !this.#ended
    ) {
      this.#fill(queue, Math.min(MAX_BATCH, maxInFlight - this.pipeline.length));
      this.#flush();
    }
  }

  get #hasRoom(): boolean {
    if (this.#left > 0) return false;
    return this.#isSecure ? this.backlog === 0 : this.backlog < MAX_BACKLOG_BYTES;
  }

  /** Sends one operation ahead of all that wait. */
  sendNow(operation: Operation): void {
    this.#write(operation, performance.now());
    this.#wire.finish(this.#out);
    this.#flush();
  }

  /** Whether the server owes something and has let nothing pass for so long, less what was missed of it. */
  isStalled(now: number, missedMs: number, stallTimeoutMs: number): boolean {
    const { backlog } = this;
    this.#lastProgress = Math.min(now, this.#lastProgress + missedMs);
    if (backlog < this.#lastBacklog || !this.isBusy) this.#lastProgress = now;
    this.#lastBacklog = backlog;
    return now - this.#lastProgress > stallTimeoutMs;
  }

  /** Closes the socket and gives back the operations that wait for replies. */
  end(): Operation[] {
    this.#ended = true;
    this.open = false;
    this.#socket.destroy();
    return this.pipeline.drain();
  }

  /**
   * Has what the kernel still holds thrown away. It would go on sending it for minutes, and a
   * server that can be reached again would carry out what was given up long ago. Nothing
   * does that for TLS.
   */
  reset(): void {
    if (this.open && this.#resets) this.#socket.resetAndDestroy();
  }

  /** Turns waiting operations into one batch of bytes, `room` of them at most. */
  #fill(queue: Queue, room: number): void {
    const now = performance.now();
    if (!this.isBusy) this.#lastProgress = now;
    if (!this.heard) this.#introduce(queue.first, now);
    const maxBytes = this.#isSecure ? TLS_RECORD_BYTES : MAX_BACKLOG_BYTES;
    for (let n = 0; n < room && this.#out.pieces.length === 0; n++) {
      if (this.#out.text.length >= maxBytes || this.#ended) break;
      const operation = queue.shift();
      if (operation === undefined) break;
      if (!operation.settled) this.#write(operation, now);
    }
    this.#wire.finish(this.#out);
  }

  /**
   * Has the server say its version ahead of what it may not know. What answers a first line with
   * ERROR is not to be trusted, and a server that lacks a command would lose all that follows.
   */
  #introduce(first: Operation | undefined, now: number): void {
    if (first === undefined || this.pipeline.length > 0) return;
    if (!this.#wire.mayBeUnknown(first.request)) return;
    const { codec, deadline } = first;
    const asked = new Operation(VERSION, VERSION_REQUEST, "", codec, deadline, ignore, ignore);
    asked.cancel(); // nobody wants to know
    this.#write(asked, now);
  }

  #write(operation: Operation, now: number): void {
    const { request, size } = operation;
    if (size > 0 && request.verb === "set" && request.data.length !== size) {
      operation.fail(takenAway(operation.details));
      return;
    }
    if (this.#isSecure) operation.quiet = false;
    const missing = this.#wire.write(operation, this.#out);
    if (missing !== undefined) {
      this.#counters.errors++;
      operation.fail(
        new NotSupportedError(missing, { ...operation.details, server: this.#server }),
      );
      return;
    }
    this.#counters.operations++;
    operation.written(now);
    const isSettled = isSilent(request);
    if (!isSettled || this.#wire.answersSilent(request)) this.pipeline.push(operation);
    if (isSettled) operation.settle(OK); // when it has its place: the program may ask for more here
  }

  #flush(): void {
    const { pieces, text } = this.#out;
    const [before = "", value] = pieces;
    if (value !== undefined) {
      this.#socket.cork();
      this.#put(before);
      this.#rest = value;
      this.#left = value.length;
      this.#tail = text;
      this.#putRest();
      this.#socket.uncork();
    } else if (text !== "") {
      this.#put(text, this.#isSecure ? this.#written : undefined);
    }
    this.#out.clear();
  }

  /**
   * Writes the next part of a value, and with the last what follows it. Always corked: only then
   * is the socket sure to say when that has left.
   */
  #putRest(): void {
    const rest = this.#rest;
    if (rest.length > MAX_BACKLOG_BYTES) {
      this.#rest = part(rest, MAX_BACKLOG_BYTES);
      this.#left -= MAX_BACKLOG_BYTES;
      this.#put(part(rest, 0, MAX_BACKLOG_BYTES));
      return;
    }
    this.#put(rest);
    this.#put(this.#tail, this.#isSecure ? this.#written : undefined);
    this.#rest = "";
    this.#left = 0;
    this.#tail = "";
  }

  #put(bytes: Data, written?: () => void): void {
    this.#counters.bytesWritten += bytes.length;
    if (typeof bytes === "string") this.#socket.write(bytes, "latin1", written);
    else this.#socket.write(bytes, written);
  }

  #drained(): void {
    if (this.#left === 0) {
      this.#events.progressed();
      return;
    }
    if (this.#rest.length !== this.#left) {
      // The server would take what is sent next for the rest of the value, and then values for commands.
      this.#events.lost(takenAway());
      return;
    }
    this.#socket.cork();
    this.#putRest();
    this.#socket.uncork();
  }

  #written = (): void => {
    if (!this.#ended) this.#events.progressed();
  };

  get room(): Buffer | undefined {
    return this.#wire.room;
  }

  receive(chunk: Buffer, length: number): void {
    if (this.#ended) return;
    const now = performance.now();
    this.heard = true;
    this.#lastProgress = now;
    this.#counters.bytesRead += length;
    this.pipeline.now = microseconds(now);
    try {
      this.#wire.push(chunk, length, this.pipeline);
    } catch (error) {
      if (!this.#ended) this.#events.unreadable(error);
      return;
    }
    if (this.#ended) return;
    this.#events.replied();
    this.#events.progressed();
  }
}

function takenAway(details?: ErrorDetails): ArgumentError {
  return new ArgumentError(
    "The value's memory was transferred or made smaller before the call had resolved; give it a copy",
    details,
  );
}

function part(data: Data, start: number, end?: number): Data {
  return typeof data === "string" ? data.slice(start, end) : data.subarray(start, end);
}

function ignore(): void {}
