import { getRequest } from "../../commands/retrieval.js";
import type { StorageCommand } from "../../commands/storage.js";
import { ConnectionClosedError } from "../../errors.js";
import { type Command, type Executor, Operation } from "../../operation.js";
import type { Ttl } from "../../protocol/exptime.js";
import {
  type EncodeKey,
  encodeBinaryKey,
  encodeGroupKey,
  encodePrefix,
  isTextual,
  type Key,
} from "../../protocol/key.js";
import type { AdminRequest, GetRequest, Request } from "../../protocol/request.js";
import type { Router } from "../../routing/router.js";
import type { WriteBuffer } from "../../routing/writebuffer.js";
import { checkDurationMs, checkOptions } from "../../util/check.js";
import { ownOptions } from "../../util/names.js";
import { stepMs } from "../../util/sweep.js";
import type { Codec, Decoder, Encoded } from "../../value/codec.js";
import { inBase64 } from "./base64.js";
import { gather, type Reject, type Resolve } from "./gathering.js";
import {
  type AdminOptions,
  type CallOptions,
  checkSignal,
  type StoreOptions,
  type WriteOptions,
} from "./options.js";
import { type Ends, traceCommand, tracesCommands } from "./tracing.js";
import { Turns } from "./turns.js";

export interface DispatcherOptions {
  readonly router: Router;
  readonly codec: Codec;
  /** The rules for keys. */
  readonly encodeKey: EncodeKey;
  /** Whether keys that the text protocol cannot hold are sent in base64. */
  readonly base64Keys: boolean;
  /** In front of every key; in wire form. */
  readonly prefix: string;
  /** Whether writes ask for no reply unless their call says otherwise. */
  readonly noreply: boolean;
  readonly timeoutMs: number;
  /** Larger values are refused before anything is sent; in bytes. */
  readonly maxValueSize: number;
}

/** Values in several items, where a client keeps them so. */
export interface Chunking {
  /** What decodes the reply to a request: it has what is left of the call's time. */
  decoderFor(request: GetRequest, options: CallOptions | undefined, deadline: number): Decoder;
  /** Stores one encoded value, whatever its size, or adds one to an item that is not a manifest. */
  store(
    storing: Storing,
    encoded: Encoded | Promise<Encoded>,
    options: StoreOptions | undefined,
  ): Promise<boolean>;
  /** Gives an item and all that belongs to it a new exptime. */
  touch(name: string, key: Key, ttl: Ttl, options: WriteOptions | undefined): Promise<boolean>;
}

/** A call that stores one value, without the value itself. */
export interface Storing {
  readonly command: StorageCommand;
  readonly wireKey: string;
  readonly compareCas: bigint | undefined;
}

/** Turns a call's keys and options into operations, and sends them on their way. */
export class Dispatcher {
  readonly router: Router;
  /** What carries operations about keys: the router, with its policies around it. */
  executor: Executor;
  codec: Codec;
  readonly encodeKey: EncodeKey;
  readonly #base64Keys: boolean;
  prefix: string;
  noreply: boolean;
  timeoutMs: number;
  readonly maxValueSize: number;
  /** Whether calls are refused; those that began before take their further steps. */
  closed = false;
  chunks: Chunking | undefined = undefined;
  /** What holds changes back, where the client has it so. */
  buffer: WriteBuffer | undefined = undefined;
  readonly turns: Turns = new Turns();

  constructor(options: DispatcherOptions) {
    this.router = options.router;
    this.executor = options.router;
    this.codec = options.codec;
    this.encodeKey = options.encodeKey;
    this.#base64Keys = options.base64Keys;
    this.prefix = options.prefix;
    this.noreply = options.noreply;
    this.timeoutMs = options.timeoutMs;
    this.maxValueSize = options.maxValueSize;
  }

  /** The wire form of a key with its prefixes. */
  key(key: Key, options: CallOptions | undefined): string {
    return this.encodeKey(key, this.#prefix(options));
  }

  /** The same for a key that is sent in base64, where every byte is allowed. */
  binaryKey(key: Key, options: CallOptions | undefined): string {
    return encodeBinaryKey(key, this.#prefix(options));
  }

  /** Whether a key has to be sent in base64. */
  needsBase64(wireKey: string): boolean {
    return this.#base64Keys && !isTextual(wireKey);
  }

  /** A request as it can be sent. */
  sendable(request: Request): Request {
    return this.needsBase64(request.key) ? inBase64(request) : request;
  }

  #prefix(options: CallOptions | undefined): string {
    const own = options?.keyPrefix;
    return own === undefined ? this.prefix : this.prefix + encodePrefix(own, this.encodeKey);
  }

  /** What decides a key's server: without the client's own prefix, which placement adds if it counts. */
  route(wireKey: string, options: CallOptions | undefined): string {
    if (options?.groupKey !== undefined) return encodeGroupKey(options.groupKey, this.encodeKey);
    return this.prefix === "" ? wireKey : wireKey.slice(this.prefix.length);
  }

  /** When the operations of a call have to be settled. */
  deadline(options: AdminOptions | undefined): number {
    return performance.now() + this.#timeoutMs(options);
  }

  /** A call's options for its steps, which share its time. */
  timed<Options extends CallOptions>(options: Options): Options & { readonly timeoutMs: number } {
    const timeoutMs = this.#timeoutMs(options);
    const deadline = performance.now() + timeoutMs;
    return Object.defineProperty(ownOptions(options), "timeoutMs", {
      get: () => stepMs(deadline, timeoutMs),
    }) as Options & { readonly timeoutMs: number };
  }

  #timeoutMs(options: AdminOptions | undefined): number {
    const timeoutMs = options?.timeoutMs;
    return timeoutMs === undefined ? this.timeoutMs : checkDurationMs(timeoutMs, "timeoutMs");
  }

  /** What decodes the reply to a request. */
  decoderFor(request: Request, options: CallOptions | undefined, deadline: number): Decoder {
    if (this.chunks === undefined || request.verb !== "get") return this.codec;
    return this.chunks.decoderFor(request, options, deadline);
  }

  /**
   * Every call begins here.
   * @throws ConnectionClosedError after `close()`, OptionError for an unknown option
   */
  begin(
    options: object | undefined,
    known: ReadonlySet<string>,
    command: string,
    or?: string,
  ): void {
    if (this.closed) {
      throw new ConnectionClosedError(`${command}: this client was closed`, { command });
    }
    checkOptions(options, known, command, or);
  }

  /** A call about one key, from its arguments to its promise; `request` makes the request. */
  one<Result>(
    command: Command<Result>,
    key: Key,
    options: CallOptions | undefined,
    known: ReadonlySet<string>,
    request: (wireKey: string) => Request,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.begin(options, known, command.name);
      const wireKey = this.key(key, options);
      this.send(command, request(wireKey), wireKey, options, resolve, reject);
    });
  }

  /** A step of a call that has begun. */
  step<Result>(
    command: Command<Result>,
    making: Request | Promise<Request>,
    wireKey: string,
    options: CallOptions | undefined,
  ): Promise<Result> {
    return new Promise((resolve, reject) =>
      this.sendWhenMade(command, making, wireKey, options, resolve, reject),
    );
  }

  /** One request about one key, behind those on the same key that came before it. */
  send<Result>(
    command: Command<Result>,
    request: Request,
    wireKey: string,
    options: CallOptions | undefined,
    resolve: Resolve<Result>,
    reject: Reject,
  ): void {
    if (this.turns.isHeld(wireKey)) {
      this.#sendInTurn(command, request, wireKey, options, resolve, reject);
    } else {
      this.#sendNow(command, request, wireKey, options, resolve, reject);
    }
  }

  /** The same with a request that may still be being made, until which its key is held. */
  sendWhenMade<Result>(
    command: Command<Result>,
    making: Request | Promise<Request>,
    wireKey: string,
    options: CallOptions | undefined,
    resolve: Resolve<Result>,
    reject: Reject,
  ): void {
    if (making instanceof Promise || this.turns.isHeld(wireKey)) {
      this.#sendInTurn(command, making, wireKey, options, resolve, reject);
    } else {
      this.#sendNow(command, making, wireKey, options, resolve, reject);
    }
  }

  #sendInTurn<Result>(
    command: Command<Result>,
    making: Request | Promise<Request>,
    wireKey: string,
    options: CallOptions | undefined,
    resolve: Resolve<Result>,
    reject: Reject,
  ): void {
    this.#traced(command.name, wireKey, options, { resolve, reject }, (ends) => {
      const send = (request: Request, own: CallOptions) =>
        this.#sendUntraced(command, request, wireKey, own, ends.resolve, ends.reject);
      this.wait(command.name, [wireKey], making, options, send, ends.reject);
    });
  }

  /**
   * Waits for what is still being made for a call, and for the turns of its keys.
   * @param given - are read now; the program may use its object for the next call
   * @param send - is given options that have what is left of the call's time
   */
  wait<Data>(
    name: string,
    wireKeys: readonly string[],
    making: Data | Promise<Data>,
    given: CallOptions | undefined,
    send: (data: Data, options: CallOptions) => void,
    reject: Reject,
  ): void {
    if (making instanceof Promise) making.catch(() => {}); // it may fail after the call has
    const options = this.timed(given ?? {});
    const request = { ...getRequest(wireKeys[0] ?? ""), keys: wireKeys };
    const deadline = this.deadline(options);
    const signal = options.signal && checkSignal(options.signal);
    const waiting = (fail: Reject) => {
      const wait = new Operation(
        { name, idempotent: true, read() {} },
        request,
        "",
        this.codec,
        deadline,
        () => {},
        fail,
      );
      if (signal !== undefined) wait.follow(signal);
      return wait;
    };
    this.turns.hold(wireKeys, making, waiting, (data) => send(data, options), reject);
  }

  #sendNow<Result>(
    command: Command<Result>,
    request: Request,
    wireKey: string,
    options: CallOptions | undefined,
    resolve: Resolve<Result>,
    reject: Reject,
  ): void {
    if (tracesCommands()) this.#sendTraced(command, request, wireKey, options, resolve, reject);
    else this.#sendUntraced(command, request, wireKey, options, resolve, reject);
  }

  /** By itself, since its closure would cost every call that nobody traces. */
  #sendTraced<Result>(
    command: Command<Result>,
    request: Request,
    wireKey: string,
    options: CallOptions | undefined,
    resolve: Resolve<Result>,
    reject: Reject,
  ): void {
    this.#traced(command.name, wireKey, options, { resolve, reject }, (ends) =>
      this.#sendUntraced(command, request, wireKey, options, ends.resolve, ends.reject),
    );
  }

  #traced<Result>(
    command: string,
    key: string,
    options: CallOptions | undefined,
    ends: Ends<Result>,
    begin: (ends: Ends<Result>) => void,
  ): void {
    if (!tracesCommands()) {
      begin(ends);
      return;
    }
    const server = this.router.serverFor(this.route(key, options)).name;
    traceCommand({ command, key, server }, ends, (told) => {
      try {
        begin(told);
      } catch (error) {
        told.reject(error);
      }
    });
  }

  #sendUntraced<Result>(
    command: Command<Result>,
    request: Request,
    wireKey: string,
    options: CallOptions | undefined,
    resolve: Resolve<Result>,
    reject: Reject,
  ): void {
    const isWhole = this.chunks === undefined; // and needs no moment that its parts share
    const deadline = isWhole ? -this.#timeoutMs(options) : this.deadline(options);
    const operation = new Operation(
      command,
      this.sendable(request),
      this.route(wireKey, options),
      this.decoderFor(request, options, deadline),
      deadline,
      resolve,
      reject,
    );
    this.start(operation, this.executor, options?.signal);
  }

  /** A call's options when all has been sent that waits now. */
  async afterTurns(
    name: string,
    options: AdminOptions | undefined,
  ): Promise<AdminOptions | undefined> {
    const { taken } = this.turns;
    if (taken === undefined) return options && ownOptions(options);
    return new Promise((resolve, reject) => {
      this.wait(name, [], taken, options, (_, own) => resolve(own), reject);
    });
  }

  start(operation: Operation, executor: Executor, signal: AbortSignal | undefined): void {
    if (signal !== undefined) {
      operation.follow(checkSignal(signal));
      if (operation.settled) return;
    }
    executor.execute(operation);
  }

  /** One request to every server; resolves to the answers by the servers' names. */
  everywhere<Result>(
    command: Command<Result>,
    request: AdminRequest,
    options: AdminOptions | undefined,
    deadline?: number,
  ): Promise<Map<string, Result>> {
    const { servers } = this.router;
    const results = new Map<string, Result>();
    return gather(command.name, servers.length, results, (gathering) => {
      this.buffer?.release();
      const end = deadline ?? this.deadline(options);
      for (const server of servers) {
        const settled = (result: Result) => {
          results.set(server.name, result);
          gathering.done();
        };
        const failed = (error: unknown) => gathering.fail(server.name, error);
        this.start(
          new Operation(command, request, "", this.codec, end, settled, failed),
          server,
          options?.signal,
        );
      }
    });
  }
}
