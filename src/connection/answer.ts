import { ProtocolError } from "../errors.js";
import type { Operation } from "../operation.js";
import { type Hit, MISS, type Reply } from "../protocol/reply.js";
import type { Request } from "../protocol/request.js";
import type { Exchange, Replies, Wire } from "../protocol/wire.js";
import type { Counters } from "./counters.js";
import { Frames } from "./frame.js";
import type { OnRefused } from "./pipeline.js";

/** A key of a many-key get that is asked for alone. */
export interface Part {
  /** Its place in the operation's keys. */
  readonly index: number;
  /** How many of the operation's parts wait for an answer; they share this object. */
  readonly left: { count: number };
}

/** A request that was sent in a datagram, and its reply, in which it stands alone. */
export class Answer implements Replies {
  readonly operation: Operation;
  readonly exchange: Exchange;
  readonly frames: Frames = new Frames();
  /** Its place in the window of requests under way. */
  place = 0;
  readonly #wire: Wire;
  readonly #part: Part | undefined;
  readonly #onRefused: OnRefused;
  readonly #counters: Counters;
  #isHit = false;
  #isSettled = false;

  constructor(
    operation: Operation,
    request: Request,
    wire: Wire,
    part: Part | undefined,
    counters: Counters,
    onRefused: OnRefused,
  ) {
    this.operation = operation;
    this.exchange = { request, endsLine: true, afterSilent: false, quiet: false };
    this.#wire = wire;
    this.#part = part;
    this.#counters = counters;
    this.#onRefused = onRefused;
  }

  /** @throws ProtocolError for anything but a whole reply */
  read(reply: Buffer): void {
    this.#wire.push(reply, reply.length, this);
    if (!this.#isSettled) throw new ProtocolError("it is incomplete");
    if (this.exchange.request.verb !== "get") return;
    if (this.#isHit) this.#counters.hits++;
    else this.#counters.misses++;
  }

  waiting(n: number): Exchange | undefined {
    return n === 0 && !this.#isSettled ? this.exchange : undefined;
  }

  deliver(_n: number, _index: number, hit: Hit): void {
    this.#isHit = true;
    if (this.#part === undefined) this.operation.settle(hit);
    else this.operation.collect(this.#part.index, hit);
  }

  settle(reply: Reply): void {
    this.#isHit ||= reply.kind === "hit";
    this.#isSettled = true;
    if (this.operation.settled) return;
    if (reply.kind === "refused") this.#onRefused(this.operation, reply);
    else if (this.#part === undefined) this.operation.settle(reply);
    else if (--this.#part.left.count === 0) this.operation.settle(MISS);
  }

  settleLine(reply: Reply): void {
    this.settle(reply);
  }
}
