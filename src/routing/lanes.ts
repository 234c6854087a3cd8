import type { Connection } from "../connection/connection.js";
import type { ConnectionStats } from "../connection/counters.js";
import { Failure } from "../connection/failure.js";
import { LARGE_BYTES } from "../connection/pipeline.js";
import { ConnectError } from "../errors.js";
import { type Command, type Executor, Operation, type Rescuer } from "../operation.js";
import { MISS, type Reply } from "../protocol/reply.js";
import { type GetRequest, VERSION_REQUEST } from "../protocol/request.js";
import { allSettled } from "../util/ready.js";
import { type Home, LargeKeys } from "./largekeys.js";
import { mayMove, passOn } from "./moving.js";
import { Relays, relay } from "./relay.js";

export interface LanesOptions {
  /** How many connections there are. */
  readonly count: number;
  /** The server, for messages. */
  readonly server: string;
  /** For requests of its own, none of which carries a value. */
  readonly codec: Operation["codec"];
  /**
   * Makes a connection.
   * @param isFirst - whether it is the one that tells what becomes of the server
   * @param onLarge - hears of keys whose values were read and are large
   */
  readonly connect: (isFirst: boolean, onLarge: (key: string) => void) => Connection;
}

/** Keys that are remembered as large for each server. */
const MAX_LARGE_KEYS = 4096;

/** Milliseconds for a question of its own, which nobody waits for. */
const PATIENCE_MS = 10_000;

/**
 * Several connections to one server, so that nothing small waits behind a large value:
 * the first carries what is small, the others the keys whose values were large before.
 *
 * What is done to a key is done in the order of its calls, so its operations share a
 * connection. A key that turns out to be large moves to another one, but not before the
 * server has answered a `version` that was sent behind all that is under way on the first:
 *
 * ```
 *     first    get k │ set j │ version │ get j …
 *     second                           └─▶ set k <1 MB> │ get k
 * ```
 */
export class Lanes implements Executor {
  readonly #options: LanesOptions;
  readonly #first: Connection;
  readonly #others: readonly Connection[];
  readonly #large: LargeKeys;
  /** Operations that wait for their keys to move. */
  #moving = 0;
  /** Counts the keys that moved, to give each connection its share. */
  #moved = 0;

  constructor(options: LanesOptions) {
    const onLarge = (key: string) => {
      if (this.#large.get(key) === undefined) this.#moveOut(key);
    };
    this.#options = options;
    this.#large = new LargeKeys(MAX_LARGE_KEYS, (done) => this.#whenAtRest(done));
    this.#first = options.connect(true, onLarge);
    this.#others = Array.from({ length: options.count - 1 }, () => options.connect(false, onLarge));
  }

  /** How many sockets were opened so far, on any of them. */
  get sockets(): number {
    return this.#first.sockets;
  }

  execute(operation: Operation): void {
    const { request } = operation;
    if (request.verb === "get" && request.keys !== undefined && this.#large.size > 0) {
      this.#split(operation, request, request.keys);
    } else if (request.verb === "admin" && request.everywhere) {
      this.#everywhere(operation);
    } else {
      this.#send(operation, this.#homeOf(operation));
    }
  }

  disconnect(): void {
    for (const lane of this.#all) lane.disconnect();
  }

  abandon(failure: Failure): void {
    for (const lane of this.#all) lane.abandon(failure);
  }

  drained(): Promise<unknown> | undefined {
    return allSettled(this.#all.map((lane) => lane.drained()));
  }

  end(): void {
    for (const lane of this.#all) lane.end();
  }

  /** They share their counters; only what is under way is each one's own. */
  stats(): ConnectionStats {
    const all = this.#all.map((lane) => lane.stats());
    const sum = (of: "waiting" | "inFlight") => all.reduce((total, one) => total + one[of], 0);
    const connected = all.some((one) => one.connected);
    return { ...all[0]!, connected, waiting: sum("waiting"), inFlight: sum("inFlight") };
  }

  get #all(): readonly Connection[] {
    return [this.#first, ...this.#others];
  }

  #homeOf({ request: { key }, size }: Operation): Home | undefined {
    if (size < LARGE_BYTES && this.#large.size === 0) return undefined; // without hashing the key
    return this.#large.get(key) ?? (size < LARGE_BYTES ? undefined : this.#moveOut(key));
  }

  #moveOut(key: string): Home {
    const lane = this.#others[this.#moved++ % this.#others.length]!;
    const home = { lane, isReady: false, returns: 0, waiting: 0 };
    this.#large.add(key, home);
    return home;
  }

  #send(operation: Operation, home: Home | undefined): void {
    if (home === undefined) this.#first.execute(operation);
    else if (home.isReady) this.#sendHome(operation, home);
    else this.#move(operation, home);
  }

  /** Each has a `version` of its own, so that it keeps its own deadline. */
  #move(operation: Operation, home: Home): void {
    const { returns } = home;
    home.waiting++;
    this.#behindFirst(operation, (isAnswered) => {
      home.waiting--;
      if (!isAnswered || operation.settled) return;
      if (home.returns === returns) {
        home.isReady ||= home.waiting === 0;
        this.#sendHome(operation, home);
      } else this.#move(operation, home); // behind those that went back meanwhile
    });
  }

  #sendHome(operation: Operation, home: Home): void {
    operation.rescuer = new WayBack(home, this.#first, operation.rescuer);
    home.lane.execute(operation);
  }

  /** Asks for the keys of each connection there. */
  #split(operation: Operation, request: GetRequest, keys: readonly string[]): void {
    const groups = new Map<Executor | Home, number[]>();
    for (const [place, key] of keys.entries()) {
      const home = this.#large.get(key);
      const way = home === undefined ? this.#first : home.isReady ? home.lane : home;
      const group = groups.get(way);
      if (group === undefined) groups.set(way, [place]);
      else group.push(place);
    }
    if (groups.size === 1 && groups.has(this.#first)) {
      this.#first.execute(operation);
      return;
    }
    let left = groups.size;
    const settle = () => {
      if (--left === 0) operation.settle(MISS);
    };
    const relays = new Relays(operation, "each");
    for (const places of groups.values()) {
      const own = places.map((place) => keys[place]!);
      const part = { ...request, key: own[0]!, keys: own };
      const execute = (one: Operation) => this.#send(one, this.#large.get(part.key));
      relays.send({ execute }, { request: part, places, settle });
    }
  }

  #everywhere(operation: Operation): void {
    if (this.#moving === 0) this.#sendToAll(operation);
    else {
      this.#behindFirst(operation, (isAnswered) => {
        if (isAnswered) this.#sendToAll(operation);
      });
    }
  }

  #sendToAll(operation: Operation): void {
    const lanes = [this.#first, ...this.#others.filter(isUsed)];
    const relays = new Relays(operation, "each");
    let left = lanes.length;
    const settle = (reply: Reply) => {
      if (--left === 0) operation.settle(reply);
    };
    for (const lane of lanes) relays.send(lane, { settle });
  }

  /** Calls `next` when all that was sent on the first is carried out; otherwise the operation fails. */
  #behindFirst(operation: Operation, next: (isAnswered: boolean) => void): void {
    this.#moving++;
    const { name } = operation.command;
    const answered = () => {
      this.#moving--;
      next(true);
    };
    const failed = (error: unknown) => {
      this.#moving--;
      next(false);
      operation.fail(Failure.of(error, this.#options.server).for(operation));
    };
    const { codec, deadline } = operation;
    this.#first.execute(
      new Operation(asking(name), VERSION_REQUEST, "", codec, deadline, answered, failed),
    );
  }

  #whenAtRest(done: (isAtRest: boolean) => void): void {
    const asked = new Operation(
      asking("version"),
      VERSION_REQUEST,
      "",
      this.#options.codec,
      performance.now() + PATIENCE_MS,
      () => done(true),
      () => done(false),
    );
    let left = this.#others.length;
    for (const lane of this.#others) {
      const settle = () => {
        if (--left === 0) asked.settle(MISS);
      };
      lane.execute(relay(asked, { settle }));
    }
  }
}

/**
 * Brings back to the first connection what its own cannot be made for: a server may have
 * room for no other one, and whether it is there at all the first one tells.
 */
class WayBack implements Rescuer {
  readonly #home: Home;
  readonly #first: Executor;
  readonly #next: Rescuer | undefined;

  constructor(home: Home, first: Executor, next: Rescuer | undefined) {
    this.#home = home;
    this.#first = first;
    this.#next = next;
  }

  rescue(operation: Operation, error: unknown): boolean {
    if (!(error instanceof ConnectError && mayMove(operation, error))) {
      return passOn(operation, error, this.#next);
    }
    operation.rescuer = this.#next;
    this.#home.isReady = false;
    this.#home.returns++;
    this.#first.execute(operation);
    return true;
  }
}

function asking(name: string): Command<void> {
  return { name, idempotent: true, read: () => undefined };
}

function isUsed(lane: Connection): boolean {
  const { connected, waiting } = lane.stats();
  return connected || waiting > 0;
}
