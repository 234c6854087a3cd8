import type { Operation } from "../operation.js";
import type { Hit, RefusedReply, Reply } from "../protocol/reply.js";
import type { Replies } from "../protocol/wire.js";
import { elapsed } from "../util/clock.js";
import { Fifo } from "../util/fifo.js";
import type { Counters } from "./counters.js";

/** A value that takes more than one read, so that what comes behind it waits. */
export const LARGE_BYTES: number = 64 * 1024;

/** Takes the key of a value that was read and is large. */
export type OnLarge = (key: string) => void;

/** Takes an operation that the server refused, with the refusal. */
export type OnRefused = (operation: Operation, refused: RefusedReply) => void;

/**
 * The operations that one socket has sent and that wait for replies, in that order. One
 * that was settled meanwhile, by its deadline or an abort, keeps its place, and its reply
 * is eaten there: that is what keeps every later answer with its own caller.
 *
 * Reading a reply may run the program's own code, and that may end the socket: then the
 * pipeline is empty from one moment to the next, and what follows reaches nobody.
 */
export class Pipeline implements Replies {
  /** When the replies that are being read came, in microseconds. */
  now = 0;
  /** The bytes of values that its operations hold. */
  bytes = 0;
  readonly #sent = new Fifo<Operation>();
  readonly #counters: Counters;
  readonly #onRefused: OnRefused;
  readonly #onLarge: OnLarge | undefined;
  /** Items that came for the many-key request at the front. */
  #items = 0;
  /** So many at the front are known to be settled, and need not be looked at again. */
  #settledAhead = 0;

  constructor(counters: Counters, onRefused: OnRefused, onLarge: OnLarge | undefined) {
    this.#counters = counters;
    this.#onRefused = onRefused;
    this.#onLarge = onLarge;
  }

  get length(): number {
    return this.#sent.length;
  }

  /** Whether a reply is owed to anybody. */
  get isAwaited(): boolean {
    this.#skipSettled();
    return this.#settledAhead < this.#sent.length;
  }

  /** Shows all that are awaited, and settled ones between them, to `visit`, which may settle them. */
  forEachAwaited(visit: (operation: Operation) => void): void {
    this.#skipSettled();
    for (let n = this.#settledAhead; n < this.#sent.length; n++) visit(this.#sent.at(n)!);
  }

  push(operation: Operation): void {
    this.bytes += operation.size;
    this.#sent.push(operation);
  }

  waiting(n: number): Operation | undefined {
    return this.#sent.at(n);
  }

  deliver(n: number, index: number, hit: Hit): void {
    const operation = this.#sent.at(n);
    if (operation === undefined) return;
    this.#counters.hits++;
    if (hit.owned) this.#noteSize(operation, index, hit);
    if (operation.command.collect === undefined) {
      operation.settle(hit);
    } else {
      this.#items++;
      operation.collect(index, hit);
    }
  }

  settle(reply: Reply): void {
    const operation = this.#shift();
    if (operation === undefined) return;
    this.#counters.latency.add(elapsed(operation.writtenAt, this.now));
    this.#answer(operation, reply);
  }

  /** All of a line were written at once, and so their latency is the same. */
  settleLine(reply: Reply): void {
    const writtenAt = this.#sent.at(0)?.writtenAt ?? 0;
    let count = 0;
    for (let isLast = false; !isLast; count++) {
      const operation = this.#shift();
      if (operation === undefined) break;
      isLast = operation.endsLine;
      this.#answer(operation, reply);
    }
    this.#counters.latency.add(elapsed(writtenAt, this.now), count);
  }

  #shift(): Operation | undefined {
    const operation = this.#sent.shift();
    if (operation === undefined) return undefined;
    this.bytes -= operation.size;
    if (this.#settledAhead > 0) this.#settledAhead--;
    return operation;
  }

  #answer(operation: Operation, reply: Reply): void {
    if (reply.kind === "miss" || reply.kind === "hit") this.#count(operation, reply);
    if (reply.kind === "hit" && reply.owned) this.#noteSize(operation, 0, reply);
    if (reply.kind !== "refused") {
      operation.settle(reply);
      return;
    }
    this.#items = 0; // some may have come before
    if (!operation.settled) this.#onRefused(operation, reply);
  }

  /** Takes everything out, oldest first, when the socket is over; nothing is pushed after that. */
  drain(): Operation[] {
    return this.#sent.drain();
  }

  #skipSettled(): void {
    while (this.#sent.at(this.#settledAhead)?.settled) this.#settledAhead++;
  }

  #noteSize({ request }: Operation, index: number, { start, end }: Hit): void {
    if (this.#onLarge === undefined || end - start < LARGE_BYTES) return;
    this.#onLarge((request.verb === "get" && request.keys?.[index]) || request.key);
  }

  /** One key alone that had an item was counted and settled when the item came. */
  #count({ request, settled }: Operation, { kind }: Reply): void {
    if (request.verb !== "get") return;
    if (request.keys !== undefined) {
      this.#counters.misses += request.keys.length - this.#items;
      this.#items = 0;
    } else if (kind === "hit") {
      this.#counters.hits++;
    } else if (!settled) {
      this.#counters.misses++;
    }
  }
}
