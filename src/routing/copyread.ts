import type { Operation } from "../operation.js";
import type { Reply } from "../protocol/reply.js";
import type { GetRequest } from "../protocol/request.js";
import { isServersFault } from "./fault.js";
import { Relays } from "./relay.js";
import type { Server } from "./server.js";

/** What is asked, and of whom. */
export interface Question {
  readonly operation: Operation;
  readonly request: GetRequest;
  /** In the order in which they are asked. */
  readonly servers: readonly Server[];
  /** The key's own server, whose word on a miss counts. */
  readonly home: Server;
  /** Whether a miss is looked for among the copies even so. */
  readonly readOnMiss: boolean;
}

/** What a read reports on its way. */
export interface ReadEvents {
  /** A server answered after `ms` milliseconds; others may have been faster. */
  readonly answered?: (ms: number) => void;
  /** It is over. `isSecond`: the server that was asked beside a slow one had the answer. */
  readonly ended?: (read: CopyRead, isSecond: boolean) => void;
  /** A server had what those that were asked before it had not. */
  readonly found?: (question: Question, source: Server, missed: readonly Server[]) => void;
}

/** What a server has at least of its share, where no time was lost that is not its own. */
const USUAL_PART = 0.75;

/**
 * One read of an item that is on several servers. They are asked one after the other, each
 * for its share of the time, until one has it:
 *
 * ```
 *   home    ── get ──▶ ✗ failed             home    ── get ─────────────────▶ (late)
 *   copy 1  ·············└─ get ──▶ hit      copy 1  ······└─ get ──▶ hit
 *            one after the other                    beside(): the first is slow
 * ```
 *
 * A copy may lack what its original has, so that its word on a miss counts only where the
 * key's own server could not say anything.
 */
export class CopyRead {
  readonly startedAt: number = performance.now();
  readonly #question: Question;
  readonly #events: ReadEvents;
  readonly #relays: Relays;
  #asked = 0;
  #pending = 0;
  /** Who was asked beside a slow server. */
  #second: Server | undefined = undefined;
  readonly #missed: Server[] = [];
  #miss: Reply | undefined = undefined;

  constructor(question: Question, events: ReadEvents) {
    this.#question = question;
    this.#events = events;
    this.#relays = new Relays(question.operation, "each");
    this.#ask();
  }

  /** Whether its first server is still to answer, and another one could be asked beside it. */
  get isWaiting(): boolean {
    const { operation, servers } = this.#question;
    const isFirst = this.#asked === 1 && this.#pending === 1;
    return isFirst && !operation.settled && servers[1]?.isDead === false;
  }

  /** Asks the next server without giving up on the first; the first answer counts. */
  beside(): void {
    this.#second = this.#question.servers[this.#asked];
    this.#ask();
  }

  #ask(): void {
    const { operation, servers } = this.#question;
    const server = servers[this.#asked++]!;
    const askedAt = performance.now();
    const { deadline } = operation;
    const share = (deadline - askedAt) / (1 + servers.length - this.#asked);
    const usual = ((deadline - this.startedAt) / servers.length) * USUAL_PART;
    let items = 0;
    this.#pending++;
    this.#relays.send(server, {
      deadline: askedAt + share,
      moved: operation.moved || share < usual,
      collected: () => items++,
      settle: (reply) => {
        this.#pending--;
        this.#events.answered?.(performance.now() - askedAt);
        if (!operation.settled) this.#answered(server, reply, items);
      },
      fail: (error) => {
        this.#pending--;
        if (!operation.settled) this.#failed(error);
      },
    });
  }

  /** Items of a many-key reply have come before it, and its end alone says nothing of them. */
  #answered(server: Server, reply: Reply, items: number): void {
    const { request, home, readOnMiss } = this.#question;
    const isWhole = items > 0 && items === request.keys?.length;
    if (reply.kind !== "miss" || isWhole) {
      this.#settle(reply, server);
      if (this.#missed.length > 0) this.#events.found?.(this.#question, server, this.#missed);
      return;
    }
    this.#missed.push(server);
    if (server === home || this.#miss === undefined) this.#miss = reply;
    if (server === home && !readOnMiss) this.#settle(reply, server);
    else this.#goOn(undefined);
  }

  #failed(error: unknown): void {
    if (isServersFault(error)) this.#goOn(error);
    else this.#fail(error);
  }

  /** Waits for servers that were asked already, or asks the next; after the last, settles with the miss or fails. */
  #goOn(error: unknown): void {
    if (this.#pending > 0) return;
    if (this.#asked < this.#question.servers.length) this.#ask();
    else if (this.#miss !== undefined) this.#settle(this.#miss, undefined);
    else this.#fail(error);
  }

  #settle(reply: Reply, server: Server | undefined): void {
    this.#question.operation.settle(reply);
    this.#relays.recall();
    this.#events.ended?.(this, server !== undefined && server === this.#second);
  }

  #fail(error: unknown): void {
    this.#question.operation.fail(error);
    this.#events.ended?.(this, false);
  }
}
