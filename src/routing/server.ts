import { channel } from "node:diagnostics_channel";
import { type Address, isUdp } from "../connection/address.js";
import { Capabilities } from "../connection/capability.js";
import { Connection } from "../connection/connection.js";
import { type ConnectionStats, Counters } from "../connection/counters.js";
import { Datagrams } from "../connection/datagrams.js";
import { Failure } from "../connection/failure.js";
import type { ConnectionOptions } from "../connection/options.js";
import { refusalError, tooLargeError } from "../connection/refusal.js";
import { ConnectionClosedError } from "../errors.js";
import { oneAtATime } from "../hash/jenkins.js";
import { mix32 } from "../hash/murmur.js";
import { type Executor, Operation } from "../operation.js";
import type { RefusedReply, Reply } from "../protocol/reply.js";
import { type Request, VERSION_REQUEST } from "../protocol/request.js";
import { atEndOfTurn } from "../util/turn.js";
import { Health, type HealthEvent, type HealthOptions, type HealthState } from "./health.js";
import { Lanes } from "./lanes.js";
import { Rejoin, type RejoinEvent, type RejoinOptions } from "./rejoin.js";

export interface ServerOptions
  extends Pick<
    ConnectionOptions,
    | "wire"
    | "socket"
    | "tls"
    | "greet"
    | "connecting"
    | "stallTimeoutMs"
    | "limits"
    | "turnstile"
    | "onEvent"
  > {
  /** Whether the wire is the binary protocol's. */
  readonly binary: boolean;
  /** How many connections there are; above 1, large values have theirs. */
  readonly connections: number;
  readonly health: HealthOptions;
  readonly onHealth: (event: HealthEvent) => void;
  /** What is done about old values after an outage; undefined if nothing is. */
  readonly rejoin: RejoinOptions | undefined;
  readonly onRejoin: (event: RejoinEvent) => void;
  /** For requests of the server's own, none of which carries a value. */
  readonly codec: Operation["codec"];
}

/** What one server has done, and what its client did for it. */
export interface ServerStats extends ConnectionStats {
  /** Its health now; the event `health` tells each change. */
  readonly state: HealthState;
  /** Keys whose changes the server missed, and that are to be deleted there. */
  readonly remembered: number;
  /** How often it was flushed since it had missed changes. */
  readonly rejoinFlushes: number;
  /** Keys that were deleted there since it had missed their changes. */
  readonly rejoinDeletions: number;
}

/** What a connection tells its server. */
type Heard = Pick<
  ConnectionOptions,
  "onReply" | "onFailure" | "onFailed" | "onRefused" | "onLarge" | "counters"
>;

/** Changes of health, for whoever watches all clients of the process. */
const states = channel("tslibmc:server");

/** One memcached: its address, its connection, and what a failure there means for an operation. */
export class Server implements Executor {
  /** Another of the same name may take its place, with another weight. */
  address: Address;
  readonly #options: ServerOptions;
  readonly #connection: Connection | Lanes | Datagrams;
  readonly #capabilities: Capabilities;
  readonly #health: Health;
  readonly #rejoin: Rejoin | undefined;
  /** Who has its keys, once it has left the list. */
  #successor: Executor | undefined = undefined;

  constructor(address: Address, options: ServerOptions) {
    this.address = address;
    this.#options = options;
    this.#health = new Health(address.name, options.health, {
      probe: (done) => this.#probe(done),
      prepare: () => this.#rejoin?.prepare(),
      changed: (event) => this.#changed(event),
    });
    this.#rejoin = this.#rejoinOf(options);
    this.#connection = this.#connectionTo(address);
    this.#capabilities = new Capabilities(this.#connection, address.name, options.binary);
  }

  get name(): string {
    return this.address.name;
  }

  /** Whether it failed so often that it counts as gone. */
  get isDead(): boolean {
    return this.#health.state === "dead";
  }

  /** Why a dead server is not asked. */
  get refusal(): Failure {
    return this.#health.refusal;
  }

  /** Whether some of its keys are elsewhere, or all. */
  get isAway(): boolean {
    return this.#health.isAway;
  }

  /**
   * Whether a key of its own is here now. While the server is returning each key comes
   * back once, in an order that has nothing to do with the ring's.
   */
  has(route: string): boolean {
    return mix32(oneAtATime(route)) < this.#health.share * 2 ** 32;
  }

  execute(operation: Operation): void {
    if (!this.#health.accepts) {
      this.#turnAway(operation);
      return;
    }
    const { request } = operation;
    const isPlain = request.verb === "admin" || request.meta === undefined;
    (isPlain ? this.#capabilities.way : this.#capabilities).execute(operation);
  }

  /** An operation about one of its keys goes elsewhere. */
  misses({ request }: Operation): void {
    if (this.isDead) this.#rejoin?.missed(request);
    else void this.#rejoin?.delete(request);
  }

  stats(): ServerStats {
    const { remembered = 0, flushes = 0, deletions = 0 } = this.#rejoin ?? {};
    return {
      state: this.#health.state,
      ...this.#connection.stats(),
      remembered,
      rejoinFlushes: flushes,
      rejoinDeletions: deletions,
    };
  }

  disconnect(): void {
    this.#connection.disconnect();
  }

  /** Resolves when nothing is under way any more; undefined if nothing is. */
  drained(): Promise<unknown> | undefined {
    return this.#health.accepts ? this.#connection.drained() : undefined;
  }

  /** Closes for good; what is under way fails. */
  end(): void {
    this.#health.stop();
    this.#connection.end();
  }

  /** Leaves the list: finishes what is under way, which has its own deadlines, then ends. */
  async retire(successor: Executor): Promise<void> {
    this.#successor = successor;
    this.#health.stop();
    for (let left = this.drained(); left; left = this.drained()) await left;
    this.end();
  }

  /** Not within the call: a program that tries again and again would keep the probe's timer from firing. */
  #turnAway(operation: Operation): void {
    this.#rejoin?.missed(operation.request);
    const error = this.#health.refusal.for(operation);
    atEndOfTurn(() => operation.fail(error));
  }

  #connectionTo(address: Address): Connection | Lanes | Datagrams {
    const options = this.#options;
    const { connections: count, codec } = options;
    if (isUdp(address)) {
      return new Datagrams({ ...options, ...this.#heard, address });
    }
    if (count === 1) return this.#connect(address, this.#heard);
    const counters = new Counters();
    return new Lanes({
      count,
      server: address.name,
      codec,
      connect: (isFirst, onLarge) => {
        const shared = { ...this.#heard, counters, onLarge };
        // A large value that is late, or one connection too many, makes no server dead.
        const onFailure = () => this.#health.doubted();
        return this.#connect(address, isFirst ? shared : { ...shared, onFailure });
      },
    });
  }

  get #heard() {
    return {
      onReply: () => this.#health.succeeded(),
      onFailure: (failure: Failure, retryInMs?: number) => this.#health.failed(failure, retryInMs),
      onFailed: (operation: Operation) => this.#rejoin?.missed(operation.request),
      onRefused: (operation: Operation, refused: RefusedReply) => this.#refuse(operation, refused),
    };
  }

  #connect(address: Address, heard: Heard): Connection {
    const options = this.#options;
    return new Connection({
      ...options,
      ...heard,
      backoff: options.health,
      address,
      onLost: (operation) => this.#retry(operation),
      onUnsent: (operation) => (this.#heirOf(operation) ?? this).execute(operation),
    });
  }

  /** Asks for the version: an answer makes the server count as up. */
  #probe(done: () => void): void {
    this.#ask("probe", VERSION_REQUEST).then(done, done);
  }

  #rejoinOf({ rejoin, onRejoin, limits }: ServerOptions): Rejoin | undefined {
    if (rejoin === undefined) return undefined;
    return new Rejoin(rejoin, limits.maxOperations, {
      ask: (request) => this.#ask("rejoin", request),
      done: (event) => onRejoin({ ...event, server: this.name }),
    });
  }

  /** Asks on the server's own behalf, whatever its health. */
  #ask(name: string, request: Request): Promise<void> {
    const { codec, connecting } = this.#options;
    const command = { name, idempotent: true, read: () => undefined };
    const deadline = performance.now() + connecting.connectTimeoutMs;
    return new Promise((resolve, reject) => {
      this.#connection.execute(
        new Operation(command, request, "", codec, deadline, resolve, reject),
      );
    });
  }

  /**
   * What waits for a server that died need not wait until its deadline; one that is back
   * has its old values deleted ahead of all that it is asked from now on.
   */
  #changed(event: HealthEvent): void {
    if (event.state === "up" || event.state === "returning") {
      this.#rejoin?.catchUp()?.catch(() => {}); // its event tells
    }
    this.#options.onHealth(event);
    states.publish(event);
    if (event.state !== "dead") return;
    const why = `The connection was given up: ${this.#health.refusal.message}`;
    this.#connection.abandon(new Failure(ConnectionClosedError, why, this.name));
  }

  /**
   * A server that closes an idle connection, or restarts, may do so just as a request
   * leaves. What can do no harm goes out once more; for the rest nobody knows whether
   * it was carried out, and the caller is told so.
   */
  #retry(operation: Operation): boolean {
    if (operation.retried || !operation.command.idempotent) return false;
    const heir = this.#heirOf(operation);
    if (heir === undefined) return false;
    operation.retried = true;
    heir.execute(operation);
    return true;
  }

  /** Who carries out what this server lost; what was asked of it alone is no other's to answer. */
  #heirOf({ route }: Operation): Executor | undefined {
    if (this.#successor === undefined) return this;
    return route === "" ? undefined : this.#successor;
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
