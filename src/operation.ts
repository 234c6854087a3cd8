import { concerning, type ErrorDetails, TimeoutError } from "./errors.js";
import { keyText } from "./protocol/key.js";
import type { Hit, Reply } from "./protocol/reply.js";
import type { Request } from "./protocol/request.js";
import type { Exchange } from "./protocol/wire.js";
import { follow, unfollow } from "./util/abort.js";
import { microseconds } from "./util/clock.js";
import type { Decoder } from "./value/codec.js";

/** What memcached can do, as a value: how the reply to a request is read. */
export interface Command<out Result> {
  /** The client's method, for messages. */
  readonly name: string;
  /** Whether repeating it does no harm where the first attempt may have been carried out. */
  readonly idempotent: boolean;
  /** Whether what it reads never changes, so that any copy is as good as the item. */
  readonly immutable?: true;
  /** The result for the reply to an operation; a refusal never comes here. */
  read(reply: Reply, operation: Operation): Result | Promise<Result>;
  /** Takes one item of a many-key request; `index` is its place in the request's keys. */
  collect?(index: number, hit: Hit, operation: Operation): void;
}

/** Everything that carries requests has this one method, so that policies stack. */
export interface Executor {
  /** Sees to it that the operation is settled or fails, once, by its deadline. */
  execute(operation: Operation): void;
}

/** Has a say before an operation fails. */
export interface Rescuer {
  /** Whether it took the operation over, and will see to it that it is settled or fails. */
  rescue(operation: Operation, error: unknown): boolean;
}

/**
 * The keys of an operation, each to be asked for by itself. An object, and no closure: with one
 * in each operation, V8 keeps what should have died young (docs/performance.md).
 */
export interface Parts {
  /** @param moved - whether another server failed them before */
  sendEach(moved: boolean): void;
}

/**
 * One request on its way, and what becomes of it. It settles once; a reply that comes
 * after that is eaten in its place and reaches nobody.
 */
export class Operation implements Exchange {
  readonly command: Command<unknown>;
  readonly request: Request;
  /**
   * What decides the server: the key without the client's prefix, or a group key. Empty for what
   * is asked of one server alone, which is no other's to answer.
   */
  readonly route: string;
  readonly codec: Decoder;
  /** The bytes of a value that it holds until it is answered. */
  readonly size: number;
  /** Whether the server may have seen the request. */
  sent = false;
  /** When it was written, in `microseconds`; before that when it began to wait, if that is known. */
  writtenAt = 0;
  /** Below 0 the milliseconds that it has, negated, as long as they have not begun. */
  #deadline: number;
  /** Whether it was sent a second time after its connection was lost. */
  retried = false;
  /** Whether it came to its server with little time left: another one failed it before, or the program was busy. */
  moved = false;
  settled = false;
  /** Who is asked before it fails. */
  rescuer: Rescuer | undefined = undefined;
  /** Its keys, where it has several; asked for one by one they do its work. */
  parts: Parts | undefined = undefined;
  endsLine = true;
  afterSilent = false;
  quiet = false;
  #resolve: (result: never, operation: Operation) => void;
  #reject: (error: unknown, operation: Operation) => void;
  #signal: AbortSignal | undefined = undefined;

  /**
   * @param deadline - when it has to be settled, on `performance.now()`'s clock in milliseconds;
   * or, negated, how many it has from when it is written, or its deadline is first asked for
   */
  constructor(
    command: Command<unknown>,
    request: Request,
    route: string,
    codec: Decoder,
    deadline: number,
    resolve: (result: never, operation: Operation) => void,
    reject: (error: unknown, operation: Operation) => void,
  ) {
    this.command = command;
    this.request = request;
    this.size = request.verb === "set" ? request.data.length : 0;
    this.route = route;
    this.codec = codec;
    this.#deadline = deadline;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** When it has to be settled, on `performance.now()`'s clock in milliseconds. */
  get deadline(): number {
    if (this.#deadline < 0) {
      const now = performance.now();
      this.writtenAt = microseconds(now);
      this.#deadline = now - this.#deadline;
    }
    return this.#deadline;
  }

  /** What its errors say of it. */
  get details(): ErrorDetails {
    const { command, request, sent } = this;
    const several = request.verb === "get" && (request.keys?.length ?? 1) > 1;
    const key = several || request.key === "" ? undefined : keyText(request.key);
    return { command: command.name, key, sent };
  }

  /**
   * Its request is part of what is written `now`, by the same clock: one look at that for all
   * that is written at once, since it would cost as much as the writing.
   */
  written(now: number): void {
    this.sent = true;
    this.writtenAt = microseconds(now);
    if (this.#deadline < 0) this.#deadline = now - this.#deadline;
  }

  /** Fails with the signal's reason as soon as it is aborted. */
  follow(signal: AbortSignal): void {
    this.#signal = signal;
    follow(signal, this);
  }

  /** One item of a many-key reply. */
  collect(index: number, hit: Hit): void {
    if (!this.settled) this.command.collect?.(index, hit, this);
  }

  settle(reply: Reply): void {
    if (this.settled) return;
    this.#end();
    let result: unknown;
    try {
      result = this.command.read(reply, this);
    } catch (error) {
      this.#reject(concerning(error, this.details), this);
      return;
    }
    this.#resolve(result as never, this);
  }

  /** Rejects, unless it is rescued: with a MemcachedError, or with an abort signal's reason. */
  fail(error: unknown): void {
    if (this.settled || this.rescuer?.rescue(this, error)) return;
    this.#end();
    this.#reject(error, this);
  }

  /** What is still read when the reply has come: it has the rest of the time, and ends with the signal. */
  reading<Result>(work: Promise<Result>): Promise<Result> {
    const { codec, command, deadline } = this;
    const message = `${command.name} timed out while a value was decoded`;
    const late = () => new TimeoutError(message, { ...this.details, sent: true });
    return codec.slow?.add(work, { deadline, signal: this.#signal, late }) ?? work;
  }

  /** Nobody waits for it any more: it never is sent if it was not yet, and a reply is eaten. */
  cancel(): void {
    if (!this.settled) this.#end();
  }

  /** Is over without a result, if it has parts, which are sent in its place. */
  split(): boolean {
    if (this.parts === undefined) return false;
    this.#end();
    this.parts.sendEach(this.moved);
    return true;
  }

  #end(): void {
    this.settled = true;
    if (this.#signal !== undefined) unfollow(this.#signal, this);
  }
}
