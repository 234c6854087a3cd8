import type { Socket, SocketOptions as UdpOptions } from "node:dgram";
import { isIP, isIPv6, type LookupFunction } from "node:net";
import {
  ConnectError,
  ConnectionClosedError,
  type MemcachedError,
  messageOf,
  NotSupportedError,
  ProtocolError,
} from "../errors.js";
import type { Executor, Operation } from "../operation.js";
import { Outgoing } from "../protocol/outgoing.js";
import { OK } from "../protocol/reply.js";
import { isSilent, type Request } from "../protocol/request.js";
import type { Wire } from "../protocol/wire.js";
import { builtin } from "../util/builtin.js";
import { elapsed, microseconds } from "../util/clock.js";
import { Fifo } from "../util/fifo.js";
import { Sweep } from "../util/sweep.js";
import { Announcer } from "./announcer.js";
import { Answer, type Part } from "./answer.js";
import { type ConnectionStats, Counters } from "./counters.js";
import { Drain } from "./drain.js";
import { type ErrorClass, Failure } from "./failure.js";
import { FRAME_BYTES, framed, frameId } from "./frame.js";
import type { ConnectionOptions } from "./options.js";
import type { OnRefused } from "./pipeline.js";
import { queueFull } from "./queue.js";
import { Reaper } from "./reaper.js";
import { Window } from "./window.js";

const crypto = builtin("node:crypto");
const dgram = builtin("node:dgram");

/** A reply may be one that came late. */
export type DatagramsOptions = Pick<
  ConnectionOptions,
  | "address"
  | "wire"
  | "socket"
  | "limits"
  | "connecting"
  | "onEvent"
  | "onReply"
  | "onFailure"
  | "onFailed"
  | "onRefused"
>;

/** memcached's own datagrams have no more; of larger ones IP makes pieces, and loses some. */
const MAX_DATAGRAM_BYTES = 1400;

/** As many requests as there are ids for them. */
const MAX_IN_FLIGHT = 0x1_0000;

/** How many requests leave together; a buffer of Linux holds some 200 small datagrams. */
const WINDOW = 64;

/** A request that is not answered within one to two of these was lost or is late. */
const WINDOW_ROUND_MS = 100;

/** What a server's machine, or one on the way to it, says where nobody is. */
const GONE = /E(?:CONNREFUSED|(?:HOST|NET)(?:UNREACH|DOWN))/;

/** A request that waits to leave: an operation's own, or the part of it that is about one key. */
interface Waiting {
  readonly operation: Operation;
  readonly request: Request;
  readonly part: Part | undefined;
}

/**
 * One server over UDP: a datagram for each request, and a reply in as many as it takes.
 * What is lost is a timeout, since nobody can tell which way it was lost, and what is
 * sent together may be carried out in any order.
 */
export class Datagrams implements Executor {
  readonly #options: DatagramsOptions;
  readonly #name: string;
  readonly #announcer: Announcer;
  readonly #counters = new Counters();
  readonly #reaper: Reaper;
  readonly #answers = new Map<number, Answer>();
  readonly #sweep: Sweep;
  /** What waits for the socket, or for its turn. */
  readonly #waiting = new Fifo<Waiting>();
  readonly #window = new Window(WINDOW, WINDOW_ROUND_MS);
  #socket: Socket | undefined = undefined;
  /**
   * Hears what became of a datagram. That nobody is there is told once, to whatever asks first: the
   * next datagram as well as who listens for replies.
   */
  #onSent: ((cause: Error | null) => void) | undefined = undefined;
  #isOpen = false;
  /** When the present attempt to open the socket is given up. */
  #openDeadline = 0;
  #ended = false;
  /** The first is at random: who forges a reply must not know its number. */
  #lastId = crypto().randomInt(MAX_IN_FLIGHT);
  readonly #drain = new Drain(() => this.#isBusy);

  constructor(options: DatagramsOptions) {
    this.#options = options;
    this.#name = options.address.name;
    this.#announcer = new Announcer(this.#name, options.onEvent);
    this.#reaper = new Reaper(this.#name, this.#counters, options.onFailed);
    this.#sweep = new Sweep((now, missedMs) => this.#check(now, missedMs));
  }

  execute(operation: Operation): void {
    if (this.#ended) {
      this.#reaper.fail(operation, this.#closed("The client is closed"));
      return;
    }
    const { maxOperations, waits } = this.#options.limits;
    if (!waits && this.#waiting.length + this.#answers.size >= maxOperations) {
      this.#reaper.refuse(operation, this.#full());
      return;
    }
    this.#sweep.start();
    this.#enqueue(operation);
    if (this.#isOpen) this.#send();
    else if (this.#socket === undefined) this.#open();
  }

  disconnect(): void {
    this.#close(this.#closed("The connection was closed by disconnectAll()"));
  }

  /** Closes the socket to a server that is not to be waited for; what is under way fails. */
  abandon(failure: Failure): void {
    this.#close(failure, failure.error);
  }

  /** Resolves when nothing is under way any more; undefined if nothing is. */
  drained(): Promise<void> | undefined {
    return this.#drain.wait();
  }

  /** Closes for good; what is under way fails. */
  end(): void {
    this.#ended = true;
    this.#close(this.#closed("The client was closed"));
    this.#sweep.stop();
  }

  stats(): ConnectionStats {
    return this.#counters.snapshot({
      connected: this.#isOpen,
      waiting: this.#waiting.length,
      inFlight: this.#answers.size,
    });
  }

  /** How many sockets were opened so far. */
  get sockets(): number {
    return this.#counters.connects;
  }

  get #isBusy(): boolean {
    return this.#waiting.length > 0 || this.#answers.size > 0;
  }

  get #isOpening(): boolean {
    return this.#socket !== undefined && !this.#isOpen;
  }

  #open(): void {
    this.#openDeadline = performance.now() + this.#options.connecting.connectTimeoutMs;
    this.#announcer.connecting();
    try {
      this.#dial();
    } catch (cause) {
      this.#lost(messageOf(cause), cause); // a resolver of the program's own may throw
    }
  }

  #dial(): void {
    const { address, socket: options } = this.#options;
    const { localAddress, recvBufferSize, sendBufferSize, lookup } = options;
    const socket = dgram().createSocket({
      type: options.family === 6 || isIPv6(address.host) ? "udp6" : "udp4",
      recvBufferSize,
      sendBufferSize,
      lookup: lookup && oneAddress(lookup),
    });
    const onError = (cause: Error) => {
      if (socket === this.#socket) this.#lost(messageOf(cause), cause);
    };
    this.#socket = socket;
    this.#onSent = (cause) => {
      if (cause && GONE.test(cause.message)) onError(cause);
    };
    socket
      .on("message", (datagram) => this.#receive(datagram))
      .on("connect", () => {
        if (socket === this.#socket) this.#opened();
      })
      .on("error", onError)
      .unref();
    if (localAddress === undefined) socket.connect(address.port, address.host);
    else socket.bind(0, localAddress, () => socket.connect(address.port, address.host));
  }

  #opened(): void {
    this.#isOpen = true;
    this.#counters.connects++;
    this.#send();
    this.#announcer.connected();
  }

  /** A many-key get waits as one request for each key, as UDP needs it. */
  #enqueue(operation: Operation): void {
    const { request } = operation;
    if (request.verb !== "get" || request.keys === undefined) {
      this.#waiting.push({ operation, request, part: undefined });
      return;
    }
    const left = { count: request.keys.length };
    for (const [index, key] of request.keys.entries()) {
      const own = { ...request, key, keys: undefined };
      this.#waiting.push({ operation, request: own, part: { index, left } });
    }
  }

  /** Sends what waits, as far as the window and the request ids allow. */
  #send(): void {
    while (this.#isOpen && !this.#window.isFull && this.#answers.size < MAX_IN_FLIGHT) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (!next.operation.settled) this.#sendOne(next);
    }
  }

  #sendOne({ operation, request, part }: Waiting): void {
    const out = new Outgoing();
    const wire = this.#options.wire();
    const answer = new Answer(operation, request, wire, part, this.#counters, this.#onRefused);
    const missing = wire.write(answer.exchange, out) ?? tooLong(out, wire);
    if (missing !== undefined) {
      this.#reaper.fail(operation, this.#failure(NotSupportedError, missing));
      return;
    }
    const id = this.#nextId();
    const datagram = framed(id, out.text);
    this.#counters.operations++;
    this.#counters.bytesWritten += datagram.length;
    operation.written(performance.now());
    if (!isSilent(request)) this.#answers.set(id, answer);
    answer.place = this.#window.take();
    this.#socket!.send(datagram, this.#onSent);
    if (isSilent(request)) operation.settle(OK);
  }

  #onRefused: OnRefused = (operation, refusal) => {
    this.#counters.errors++;
    this.#options.onRefused(operation, refusal);
  };

  #nextId(): number {
    do {
      this.#lastId = (this.#lastId + 1) % MAX_IN_FLIGHT;
    } while (this.#answers.has(this.#lastId));
    return this.#lastId;
  }

  #receive(datagram: Buffer): void {
    this.#counters.bytesRead += datagram.length;
    this.#options.onReply();
    const id = frameId(datagram);
    const answer = this.#answers.get(id);
    const reply = answer?.frames.add(datagram);
    if (answer === undefined || reply === undefined) return;
    const { operation } = answer;
    this.#answers.delete(id);
    this.#window.giveBack(answer.place);
    this.#counters.latency.add(elapsed(operation.writtenAt, microseconds(performance.now())));
    try {
      answer.read(reply);
    } catch (cause) {
      const message = `The reply of ${this.#name} was dropped: ${messageOf(cause)}`;
      this.#reaper.fail(operation, this.#failure(ProtocolError, message, cause));
    }
    this.#send();
    this.#drain.check();
  }

  /** The socket could not be made, or the server's machine says that nobody is there. */
  #lost(why: string, cause?: unknown): void {
    const wasOpen = this.#isOpen;
    const failure = this.#failure(ConnectError, `Cannot reach ${this.#name}: ${why}`, cause);
    this.#isOpen = false;
    this.#options.onFailure(failure);
    this.#abandon(failure);
    if (wasOpen) {
      this.#announcer.disconnected(failure.error);
    } else {
      this.#counters.connectErrors++;
      this.#announcer.failed(failure.error, 0);
    }
  }

  /** The socket is closed from here: everything under way fails. */
  #close(failure: Failure, error?: MemcachedError): void {
    const wasOpen = this.#isOpen;
    this.#abandon(failure);
    if (wasOpen) this.#announcer.disconnected(error);
  }

  #abandon(failure: Failure): void {
    const left = [...this.#answers.values(), ...this.#waiting.drain()];
    this.#answers.clear();
    this.#window.clear();
    this.#isOpen = false;
    this.#socket?.close();
    this.#socket = undefined;
    for (const operation of new Set(left.map((one) => one.operation))) {
      this.#reaper.fail(operation, failure);
    }
    this.#drain.check();
  }

  #check(now: number, missedMs: number): boolean {
    const { connectTimeoutMs } = this.#options.connecting;
    this.#openDeadline = Math.min(this.#openDeadline + missedMs, now + connectTimeoutMs);
    if (this.#isOpening && now >= this.#openDeadline) {
      this.#lost(`nothing came of it within ${connectTimeoutMs} ms`);
    }
    let overdue: Failure | undefined;
    for (const [id, { operation }] of this.#answers) {
      overdue = this.#reaper.expire(operation, now, missedMs, lateness) ?? overdue;
      if (operation.settled) this.#answers.delete(id);
    }
    for (const operation of this.#takeOverdue(now)) {
      overdue = this.#reaper.expire(operation, now, missedMs, lateness) ?? overdue;
    }
    this.#window.turn(now);
    if (overdue !== undefined) this.#options.onFailure(overdue);
    this.#send();
    this.#drain.check();
    if (!this.#isBusy) this.#window.clear();
    return this.#isBusy || this.#isOpening;
  }

  /** Failing them may run the program's own code, which may ask for more: so only afterwards. */
  #takeOverdue(now: number): Operation[] {
    const overdue: Operation[] = [];
    this.#waiting.retain(({ operation }) => {
      if (!operation.settled && now < operation.deadline) return true;
      overdue.push(operation);
      return false;
    });
    return overdue;
  }

  #full(): Failure {
    const { maxOperations } = this.#options.limits;
    return queueFull(this.#name, `${maxOperations} requests`, "maxQueueLength");
  }

  #closed(message: string): Failure {
    return this.#failure(ConnectionClosedError, message);
  }

  #failure(Class: ErrorClass, message: string, cause?: unknown): Failure {
    return new Failure(Class, message, this.#name, cause);
  }
}

/** Why an operation is late. */
function lateness({ sent }: Operation, within: string): string {
  return sent
    ? `its reply did not come${within}, or not all of it`
    : `it could not be sent${within}`;
}

/** A resolver as `dgram` wants it, which tells it nothing but the family, 4 or 6. */
function oneAddress(lookup: LookupFunction): NonNullable<UdpOptions["lookup"]> {
  return (name, family, done) => {
    // dgram asks for the address that it binds to as well.
    if (isIP(name) > 0) done(null, name, Number(family));
    else
      lookup(name, { family: Number(family), all: false }, (error, address) => {
        const found = typeof address === "string" ? address : address?.[0]?.address;
        done(error, found ?? "", Number(family));
      });
  };
}

/** What speaks against a request as one datagram, once the wire has ended it. */
function tooLong(out: Outgoing, wire: Wire): string | undefined {
  wire.finish(out);
  const bytes = out.pieces.reduce((sum, piece) => sum + piece.length, out.text.length);
  if (bytes + FRAME_BYTES <= MAX_DATAGRAM_BYTES) return undefined;
  return `The request is ${bytes} bytes; over UDP it may have ${MAX_DATAGRAM_BYTES - FRAME_BYTES}`;
}
