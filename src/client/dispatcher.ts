import { ConnectionClosedError } from "../errors.js";
import { type Command, type Executor, Operation } from "../operation.js";
import { encodeBinaryKey, encodeKey, encodePrefix, type Key } from "../protocol/key.js";
import type { AdminRequest, Request } from "../protocol/request.js";
import type { Router } from "../routing/router.js";
import type { Codec } from "../value/codec.js";
import { checkDurationMs, checkOptions } from "./check.js";
import { Gathering, type Reject, type Resolve } from "./gathering.js";
import { type AdminOptions, type CallOptions, checkSignal } from "./options.js";

export interface DispatcherOptions {
  readonly router: Router;
  readonly codec: Codec;
  /** In front of every key; in wire form. */
  readonly prefix: string;
  /** Whether writes ask for no reply unless their call says otherwise. */
  readonly noreply: boolean;
  readonly timeoutMs: number;
  /** Larger values are refused before anything is sent; in bytes. */
  readonly maxValueSize: number;
}

/** Turns a call's keys and options into operations, and sends them on their way. */
export class Dispatcher {
  readonly router: Router;
  codec: Codec;
  prefix: string;
  noreply: boolean;
  timeoutMs: number;
  readonly maxValueSize: number;
  closed = false;

  constructor(options: DispatcherOptions) {
    this.router = options.router;
    this.codec = options.codec;
    this.prefix = options.prefix;
    this.noreply = options.noreply;
    this.timeoutMs = options.timeoutMs;
    this.maxValueSize = options.maxValueSize;
  }

  /** The wire form of a key with its prefixes. */
  key(key: Key, options: CallOptions | undefined): string {
    const own = options?.keyPrefix;
    if (own === undefined) return encodeKey(key, this.prefix);
    return encodeKey(key, this.prefix + encodePrefix(own));
  }

  /** The same for a key that is sent in base64, where every byte is allowed. */
  binaryKey(key: Key, options: CallOptions | undefined): string {
    const own = options?.keyPrefix;
    return encodeBinaryKey(key, this.prefix + (own === undefined ? "" : encodePrefix(own)));
  }

  /** What decides a key's server: without the client's own prefix, which placement adds if it counts. */
  route(wireKey: string, options: CallOptions | undefined): string {
    if (options?.groupKey !== undefined) return encodeKey(options.groupKey);
    return this.prefix === "" ? wireKey : wireKey.slice(this.prefix.length);
  }

  deadline(options: AdminOptions | undefined): number {
    const timeoutMs = options?.timeoutMs;
    return (
      performance.now() +
      (timeoutMs === undefined ? this.timeoutMs : checkDurationMs(timeoutMs, "timeoutMs"))
    );
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
      checkOptions(options, known, command.name);
      const wireKey = this.key(key, options);
      this.send(command, request(wireKey), wireKey, options, resolve, reject);
    });
  }

  /** One request about one key. */
  send<Result>(
    command: Command<Result>,
    request: Request,
    wireKey: string,
    options: CallOptions | undefined,
    resolve: Resolve<Result>,
    reject: Reject,
  ): void {
    const operation = new Operation(
      command,
      request,
      this.route(wireKey, options),
      this.codec,
      this.deadline(options),
      resolve,
      reject,
    );
    this.start(operation, this.router, options?.signal);
  }

  start(operation: Operation, executor: Executor, signal: AbortSignal | undefined): void {
    if (this.closed) {
      const command = operation.command.name;
      throw new ConnectionClosedError(`${command}: this client was closed`, { command });
    }
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
  ): Promise<Map<string, Result>> {
    return new Promise((resolve, reject) => {
      const results = new Map<string, Result>();
      const { servers } = this.router;
      const gathering = new Gathering(command.name, servers.length, results, resolve, reject);
      const deadline = this.deadline(options);
      for (const server of servers) {
        const settled = (result: Result) => {
          results.set(server.name, result);
          gathering.done();
        };
        const failed = (error: unknown) => gathering.fail(server.name, error);
        this.start(
          new Operation(command, request, "", this.codec, deadline, settled, failed),
          server,
          options?.signal,
        );
      }
    });
  }
}
