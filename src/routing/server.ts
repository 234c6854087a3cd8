import { type Address, isUdp } from "../connection/address.js";
import type { OnConnectionEvent } from "../connection/announcer.js";
import { Capabilities } from "../connection/capability.js";
import { Connection, type QueueLimits } from "../connection/connection.js";
import type { ConnectionStats } from "../connection/counters.js";
import { Datagrams } from "../connection/datagrams.js";
import type { SocketOptions, TlsOptions } from "../connection/dial.js";
import type { Greet } from "../connection/greeting.js";
import { refusalError, tooLargeError } from "../connection/refusal.js";
import { type Executor, Operation } from "../operation.js";
import type { RefusedReply, Reply } from "../protocol/reply.js";
import type { Wire } from "../protocol/wire.js";

export interface ServerOptions {
  readonly wire: () => Wire;
  readonly socket: SocketOptions;
  readonly tls: TlsOptions | undefined;
  readonly greet: Greet | undefined;
  /** It may change, and then holds for the next attempt to connect. */
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly limits: QueueLimits;
  readonly onEvent: OnConnectionEvent;
}

/** As long as a timer can be. */
const NO_LIMIT_MS = 2 ** 31 - 1;

/** One memcached: its address, its connection, and what a failure there means for an operation. */
export class Server implements Executor {
  /** Another of the same name may take its place, with another weight. */
  address: Address;
  readonly #connection: Connection | Datagrams;
  readonly #capabilities: Capabilities;
  /** Who carries out what this server lost, once it has left the list. */
  #successor: Executor | undefined = undefined;

  constructor(address: Address, options: ServerOptions) {
    this.address = address;
    const onRefused = (operation: Operation, refused: RefusedReply) =>
      this.#refuse(operation, refused);
    this.#connection = isUdp(address)
      ? new Datagrams({ ...options, address, onRefused })
      : new Connection({
          ...options,
          get connectTimeoutMs() {
            return options.connectTimeoutMs;
          },
          address,
          onLost: (operation) => this.#retry(operation),
          onRefused,
        });
    this.#capabilities = new Capabilities(this.#connection, address.name);
  }

  get name(): string {
    return this.address.name;
  }

  execute(operation: Operation): void {
    const { request } = operation;
    const isPlain = request.verb === "admin" || request.meta === undefined;
    (isPlain ? this.#connection : this.#capabilities).execute(operation);
  }

  stats(): ConnectionStats {
    return this.#connection.stats();
  }

  disconnect(): void {
    this.#connection.disconnect();
  }

  close(drainMs: number): Promise<void> {
    return this.#connection.close(drainMs);
  }

  /**
   * Leaves the list: finishes what is under way, which has its own deadlines, then closes
   * for good.
   */
  retire(successor: Executor): Promise<void> {
    this.#successor = successor;
    return this.#connection.close(NO_LIMIT_MS);
  }

  /**
   * A server that closes an idle connection, or restarts, may do so just as a request
   * leaves. What can do no harm goes out once more; for the rest nobody knows whether
   * it was carried out, and the caller is told so.
   */
  #retry(operation: Operation): boolean {
    if (operation.retried || !operation.command.idempotent) return false;
    operation.retried = true;
    (this.#successor ?? this.#connection).execute(operation);
    return true;
  }

  #refuse(operation: Operation, refused: RefusedReply): void {
    const isValue = operation.request.verb === "set";
    if (refused.reason === "tooLarge" && isValue) this.#refuseTooLarge(operation);
    else operation.fail(refusalError(refused, operation, this.name));
  }

  /** memcached does not say its limit when it refuses a value, so it is asked. */
  #refuseTooLarge(operation: Operation): void {
    const fail = (limit: number | undefined) =>
      operation.fail(tooLargeError(operation, this.name, limit));
    this.execute(
      new Operation(
        { name: "stats", idempotent: true, read: itemSizeLimit },
        { verb: "admin", action: "stats", key: "", argument: "settings" },
        "",
        operation.codec,
        operation.deadline,
        fail,
        () => fail(undefined),
      ),
    );
  }
}

function itemSizeLimit(reply: Reply): number | undefined {
  const limit = reply.kind === "stats" ? reply.entries.get("item_size_max") : undefined;
  return limit === undefined ? undefined : Number(limit);
}
