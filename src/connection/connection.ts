import {
  AuthError,
  ConnectError,
  ConnectionClosedError,
  type MemcachedError,
  messageOf,
  ProtocolError,
} from "../errors.js";
import type { Executor, Operation } from "../operation.js";
import type { Reply } from "../protocol/reply.js";
import type { Request } from "../protocol/request.js";
import { microseconds } from "../util/clock.js";
import { Sweep } from "../util/sweep.js";
import { afterThis } from "../util/turn.js";
import { Announcer } from "./announcer.js";
import { Attempts } from "./attempts.js";
import { type ConnectionStats, Counters } from "./counters.js";
import { Dialer } from "./dial.js";
import { Drain } from "./drain.js";
import { Failure, handshakeWordsOf, wordsOf } from "./failure.js";
import { greeting } from "./greeting.js";
import { Link } from "./link.js";
import type { ConnectionOptions } from "./options.js";
import { Pace } from "./pace.js";
import { Queue, queueFull } from "./queue.js";
import { Reaper } from "./reaper.js";
import type { Entrant } from "./turnstile.js";

/**
 * The way to one server: a socket that is opened when it is first needed, and again when
 * it was lost.
 *
 * ```
 *               execute                  connected, greeted
 *     closed ───────────▶ connecting ───────────────────▶ open
 *       ▲                     │ error, timeout              │ end, error, stall,
 *       └─────────────────────┴─────────────────────────────┘ unreadable reply
 * ```
 *
 * An operation is in exactly one place: in the queue until its bytes are written, then in
 * the link's pipeline until its reply has come.
 */
export class Connection implements Executor {
  readonly #options: ConnectionOptions;
  readonly #name: string;
  readonly #dialer: Dialer;
  readonly #announcer: Announcer;
  /** Past these operations fail; infinite where they wait instead. */
  readonly #maxOperations: number;
  readonly #maxBytes: number;
  readonly #counters: Counters;
  readonly #reaper: Reaper;
  readonly #queue = new Queue();
  readonly #pace: Pace;
  readonly #sweep: Sweep;
  #link: Link | undefined = undefined;
  #ended = false;
  /** When the present attempt to connect is given up. */
  #connectDeadline = 0;
  /** When time had last passed in which nobody could look. */
  #missedAt = 0;
  readonly #attempts = new Attempts();
  /** Its place among those that connect, or wait for their turn to. */
  #entrant: Entrant | undefined = undefined;
  readonly #drain = new Drain(() => this.#isAwaited);

  constructor(options: ConnectionOptions) {
    const { address, limits } = options;
    this.#options = options;
    this.#counters = options.counters ?? new Counters();
    this.#maxOperations = limits.waits ? Infinity : limits.maxOperations;
    this.#maxBytes = limits.waits ? Infinity : limits.maxBytes;
    this.#name = address.name;
    this.#reaper = new Reaper(this.#name, this.#counters, options.onFailed);
    this.#dialer = new Dialer(address, options.socket, options.tls);
    this.#announcer = new Announcer(address.name, options.onEvent);
    this.#pace = new Pace(this.#queue, () => this.#flush());
    this.#sweep = new Sweep((now, missedMs) => this.#check(now, missedMs));
  }

  execute(operation: Operation): void {
    if (this.#ended) {
      this.#reaper.fail(operation, this.#closed("The client is closed"));
      return;
    }
    if (this.#isFull(operation)) {
      this.#reaper.refuse(operation, this.#full());
      return;
    }
    if (this.#link === undefined && !this.#connect(operation)) return;
    this.#queue.push(operation);
    this.#sweep.start();
    if (this.#link?.open) this.#pace.asked(this.#link);
    else if (!operation.sent) operation.writtenAt = microseconds(performance.now());
  }

  /** Closes the socket; what is under way fails, and the next operation opens it again. */
  disconnect(): void {
    this.#close(this.#closed("The connection was closed by disconnectAll()"));
  }

  /** Closes the socket of a server that is not to be waited for; what is under way fails. */
  abandon(failure: Failure): void {
    this.#link?.reset();
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
      connected: this.#link?.open ?? false,
      waiting: this.#queue.length,
      inFlight: this.#link?.pipeline.length ?? 0,
    });
  }

  /** How many sockets were opened so far; each may lead to another server. */
  get sockets(): number {
    return this.#counters.connects;
  }

  /** Whether somebody still waits for what the connection has to do. */
  get #isAwaited(): boolean {
    return this.#queue.length > 0 || (this.#link?.isAwaited ?? false);
  }

  get #isBusy(): boolean {
    return this.#queue.length > 0 || (this.#link?.isBusy ?? false);
  }

  #isFull({ size }: Operation): boolean {
    const pipeline = this.#link?.pipeline;
    const operations = this.#queue.length + (pipeline?.length ?? 0);
    if (operations >= this.#maxOperations) return true;
    if (size === 0 || operations === 0) return false;
    return this.#queue.bytes + (pipeline?.bytes ?? 0) + size > this.#maxBytes;
  }

  #full(): Failure {
    const { maxOperations, maxBytes } = this.#options.limits;
    const waiting = `${maxOperations} operations or ${maxBytes} bytes`;
    return queueFull(this.#name, waiting, "maxQueueLength or maxQueueBytes");
  }

  /** Begins to connect when it is its turn, or fails the operation where it is too early for that. */
  #connect(operation: Operation): boolean {
    if (this.#entrant !== undefined) return true;
    const refusal = this.#attempts.refusal(performance.now());
    if (refusal !== undefined) {
      this.#reaper.refuse(operation, refusal);
      return false;
    }
    this.#entrant = { begin: () => this.#begin() };
    this.#options.turnstile.enter(this.#entrant);
    return true;
  }

  #begin(): void {
    this.#connectDeadline = performance.now() + this.#options.connecting.connectTimeoutMs;
    this.#announcer.connecting();
    this.#sweep.start();
    this.#open();
  }

  #open(): void {
    try {
      this.#link = this.#dial();
    } catch (cause) {
      const failure = this.#unconnected(messageOf(cause), cause);
      afterThis(() => this.#giveUp(failure)); // after the operation is in the queue
    }
  }

  /** @throws Error for options that Node refuses, such as a certificate that is none */
  #dial(): Link {
    return new Link(this.#dialer, this.#options.wire(), this.#name, this.#counters, {
      connected: () => this.#greet(),
      replied: () => {
        if (this.#link?.open) this.#options.onReply();
      },
      progressed: () => this.#progressed(),
      lost: (cause) => {
        if (this.#dialer.isInDoubt) this.#openAnew();
        else this.#lost(cause);
      },
      unreadable: (cause) => this.#unreadable(cause),
      large: this.#options.onLarge,
      refused: (operation, refusal) => {
        this.#counters.errors++;
        this.#options.onRefused(operation, refusal);
      },
    });
  }

  /** Instead of giving up a server that may only have refused to take up a session of TLS, or was not heard. */
  #openAnew(): void {
    this.#link?.end();
    this.#open();
  }

  #greet(): void {
    const { greet } = this.#options;
    const link = this.#link!;
    if (greet === undefined) {
      this.#opened(link);
      return;
    }
    const ask = (request: Request) =>
      new Promise<Reply>((resolve, reject) => {
        link.sendNow(greeting(request, resolve, reject));
      });
    greet(ask, this.#name).then(
      () => {
        if (link === this.#link) this.#opened(link);
      },
      (error) => {
        if (link === this.#link) this.#giveUp(Failure.of(error, this.#name));
      },
    );
  }

  #opened(link: Link): void {
    link.open = true;
    this.#leave();
    this.#counters.connects++;
    this.#flush();
    this.#announcer.connected();
  }

  #flush(): void {
    if (this.#link?.open) this.#link.send(this.#queue, this.#options.limits.maxOperations);
    this.#drain.check();
  }

  #progressed(): void {
    if (this.#queue.length > 0) this.#flush();
    else this.#drain.check();
  }

  /** The socket ended by itself: while connecting, or in the middle of its life. */
  #lost(cause: Error | undefined): void {
    if (this.#link?.open) {
      const why = wordsOf(cause) + this.#doubt;
      this.#abandon(this.#closed(`The connection to ${this.#name} was lost: ${why}`, cause), true);
    } else {
      this.#giveUp(this.#unconnected(handshakeWordsOf(cause) + this.#doubt, cause));
    }
  }

  /** What may be wrong with a server that was asked something and never said anything. */
  get #doubt(): string {
    const link = this.#link;
    if (link === undefined || link.heard || link.pipeline.length === 0) return "";
    if (this.#dialer.isSecure) return "";
    return " before it answered anything, as servers do that expect TLS or another protocol, and load balancers without a server";
  }

  /** Whatever was wrong with the bytes, no later one can be trusted. */
  #unreadable(cause: unknown): void {
    if (cause instanceof ConnectionClosedError) {
      this.#lost(cause); // in doubt: what can be asked again is
      return;
    }
    const why = messageOf(cause);
    if (cause instanceof ConnectError) {
      this.#giveUp(this.#unconnected(why, cause));
      return;
    }
    const message = `The connection to ${this.#name} was dropped: ${why}`;
    const Class = cause instanceof AuthError ? AuthError : ProtocolError;
    const failure = new Failure(Class, message, this.#name, cause);
    if (this.#link?.open) this.#abandon(failure, false);
    else this.#giveUp(failure);
  }

  /** There was no connection after all: everything that waits for it fails, and new attempts pause. */
  #giveUp(failure: Failure): void {
    this.#counters.connectErrors++;
    const retryInMs = this.#attempts.failed(failure, this.#options.backoff.retryTimeoutMs);
    const sent = this.#release();
    const unsent = this.#queue.drain();
    this.#announcer.failed(failure.error, retryInMs);
    this.#options.onFailure(failure, retryInMs);
    for (const operation of sent) {
      operation.sent = operation.retried;
      this.#reaper.fail(operation, failure);
    }
    for (const operation of unsent) this.#reaper.fail(operation, failure);
    this.#drain.check();
  }

  /**
   * The connection is over. What was sent is handed to `onLost` if it may be sent again,
   * and otherwise fails; what was not sent goes out on the next connection.
   */
  #abandon(failure: Failure, mayRetry: boolean): void {
    this.#attempts.lost(failure, this.#link?.heard ?? false, this.#options.backoff.retryTimeoutMs);
    const sent = this.#release();
    const unsent = this.#queue.drain();
    this.#announcer.disconnected(failure.error);
    const lost = sent.filter(
      (operation) => !operation.settled && !(mayRetry && this.#options.onLost(operation)),
    );
    if (lost.length > 0) this.#options.onFailure(failure);
    for (const operation of lost) this.#reaper.fail(operation, failure);
    for (const operation of unsent) {
      if (!operation.settled) this.#options.onUnsent(operation);
    }
    this.#drain.check();
  }

  /** The connection is ended from here: everything under way fails. */
  #close(failure: Failure, error?: MemcachedError): void {
    const wasOpen = this.#link?.open;
    const left = [...this.#release(), ...this.#queue.drain()];
    if (wasOpen) this.#announcer.disconnected(error);
    else if (wasOpen === false) this.#announcer.failed(failure.error, 0);
    for (const operation of left) this.#reaper.fail(operation, failure);
    this.#drain.check();
  }

  /** Lets the socket go, and returns what it had sent. */
  #release(): Operation[] {
    const link = this.#link;
    this.#link = undefined;
    this.#leave();
    return link === undefined ? [] : link.end();
  }

  /** Lets others connect. */
  #leave(): void {
    const entrant = this.#entrant;
    if (entrant === undefined) return;
    this.#entrant = undefined;
    this.#options.turnstile.leave(entrant);
  }

  /** The one timer of this connection: deadlines, the attempt to connect, a server that fell silent. */
  #check(now: number, missedMs: number): boolean {
    const { connecting, stallTimeoutMs } = this.#options;
    const { connectTimeoutMs } = connecting;
    if (missedMs > 0) this.#missedAt = now;
    this.#connectDeadline = Math.min(this.#connectDeadline + missedMs, now + connectTimeoutMs);
    if (this.#link?.open === false && now >= this.#connectDeadline) {
      this.#giveUp(this.#unconnected(`nothing came of it within ${connectTimeoutMs} ms`));
    }
    const overdue = this.#expireAll(now, missedMs);
    const waits = this.#link === undefined; // for its turn, which is no fault of the server's
    if (overdue !== undefined && !waits) this.#options.onFailure(overdue);
    const link = this.#link;
    if (
      link?.open &&
      (link.isStalled(now, missedMs, stallTimeoutMs) || this.#isOverdue(link, now))
    ) {
      link.reset();
      const why = `${this.#name} let nothing pass for ${stallTimeoutMs} ms`;
      this.#abandon(this.#closed(why), false);
    }
    this.#drain.check();
    return this.#isBusy || this.#link?.open === false;
  }

  /** Whether nobody has waited for the oldest reply for so long that none behind it can come in time. */
  #isOverdue({ pipeline }: Link, now: number): boolean {
    const oldest = pipeline.waiting(0);
    const { stallTimeoutMs } = this.#options;
    return oldest !== undefined && now - Math.max(oldest.deadline, this.#missedAt) > stallTimeoutMs;
  }

  /** Fails what is overdue, and returns the last of these failures. */
  #expireAll(now: number, missedMs: number): Failure | undefined {
    let last: Failure | undefined;
    const expire = (operation: Operation) => {
      last = this.#reaper.expire(operation, now, missedMs, this.#lateness) ?? last;
    };
    this.#link?.pipeline.forEachAwaited(expire);
    for (const operation of this.#queue.takeOverdue(now)) expire(operation);
    return last;
  }

  /** Why an operation is late. */
  #lateness = ({ sent }: Operation, within: string): string => {
    const link = this.#link;
    if (!link?.open) return `there was no ${sent ? "second " : ""}connection${within}`;
    if (!sent) return `it could not be sent${within}`;
    const why = `its reply did not come${within}`;
    if (!link.heard) {
      return `${why}, and none ever did on this connection: the server is stopped, or expects another protocol`;
    }
    const { length } = link.pipeline;
    return length > 1 ? `${why}, one of ${length} that the server owes` : why;
  };

  #closed(message: string, cause?: Error): Failure {
    return new Failure(ConnectionClosedError, message, this.#name, cause);
  }

  #unconnected(why: string, cause?: unknown): Failure {
    const message = `Cannot connect to ${this.#name}: ${why}`;
    return new Failure(ConnectError, message, this.#name, cause);
  }
}
