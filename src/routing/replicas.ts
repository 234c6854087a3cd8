import type { Executor, Operation } from "../operation.js";
import { type GetRequest, winsRights } from "../protocol/request.js";
import { CopyRead, type ReadEvents } from "./copyread.js";
import {
  type ChangeRequest,
  copyOf,
  isUnconditional,
  writeInTurn,
  writeToAll,
} from "./copywrite.js";
import { Decisions } from "./decisions.js";
import type { Hedging } from "./hedging.js";
import { Relays } from "./relay.js";
import type { Repairs } from "./repair.js";
import type { Router } from "./router.js";
import type { Server } from "./server.js";

/** How items are read that are on several servers. */
export interface Reading {
  /** Whether a miss is looked for among the copies, or only what a failed server holds. */
  readonly onMiss: boolean;
  /** Whether reads begin at any of the servers. */
  readonly atRandom: boolean;
  readonly hedging: Hedging | undefined;
  readonly repairs: Repairs | undefined;
}

/**
 * Each item on several servers: its own, and those that follow in libmemcached's order.
 *
 * ```
 *     set, touch, delete     all servers at once, and every answer is waited for
 *     add, replace, cas      its own; if that did it, the copies are set to the same
 *     append, incr, ...      its own; if that did it, the copies are deleted
 *     get                    its own; from the next where that failed
 *     gets                   its own alone, since a token is one server's
 * ```
 */
export class Replicas implements Executor {
  readonly #router: Router;
  readonly #copies: number;
  readonly #reading: Reading;
  readonly #events: ReadEvents;
  readonly #decisions = new Decisions();

  /** @param copies - how many servers beside its own hold a copy of an item */
  constructor(router: Router, copies: number, reading: Reading) {
    this.#router = router;
    this.#copies = copies;
    this.#reading = reading;
    this.#events = eventsOf(reading);
  }

  execute(operation: Operation): void {
    const { request } = operation;
    const servers = this.#router.replicasFor(operation.route, this.#copies);
    if (request.verb === "admin") servers[0]!.execute(operation);
    else if (request.verb === "get") this.#get(operation, request, servers);
    else this.#change(operation, request, servers);
  }

  #change(operation: Operation, request: ChangeRequest, servers: readonly Server[]): void {
    if (isUnconditional(request)) {
      this.#decisions.overwrite(request.key);
      writeToAll(operation, copyOf(request), servers);
    } else {
      writeInTurn(operation, request, servers, this.#decisions.begin(request.key));
    }
  }

  #get(operation: Operation, request: GetRequest, servers: readonly Server[]): void {
    const { onMiss } = this.#reading;
    if (request.cas || winsRights(request.meta)) servers[0]!.execute(operation);
    else if (request.touch !== undefined && !request.value) {
      writeToAll(operation, request, servers);
    } else if (!onMiss || !operation.split()) this.#read(operation, request, servers);
  }

  #read(operation: Operation, request: GetRequest, servers: readonly Server[]): void {
    const { atRandom, hedging, onMiss } = this.#reading;
    const readOnMiss = onMiss || operation.command.immutable === true;
    const home = servers[0]!;
    const inTurn = atRandom ? anyFirst(servers) : servers;
    if (request.touch !== undefined) touchCopies(operation, request, inTurn);
    const question = { operation, request, servers: inTurn, home, readOnMiss };
    const read = new CopyRead(question, this.#events);
    hedging?.watch(read);
  }
}

function eventsOf({ hedging, repairs }: Reading): ReadEvents {
  return {
    ...(hedging && {
      answered: (ms) => hedging.answered(ms),
      ended: (read, isSecond) => hedging.ended(read, isSecond),
    }),
    ...(repairs && {
      found: (question, source, missed) => repairs.start(question, source, missed),
    }),
  };
}

/** One of the servers that live, then the others as they were. */
function anyFirst(servers: readonly Server[]): readonly Server[] {
  const alive = servers.filter(({ isDead }) => !isDead);
  const first = alive[Math.floor(Math.random() * alive.length)];
  return first === undefined ? servers : [first, ...servers.filter((other) => other !== first)];
}

/** The answer that is waited for is the read's own. */
function touchCopies(
  operation: Operation,
  request: GetRequest,
  [, ...others]: readonly Server[],
): void {
  const touch = { ...request, value: false };
  const touches = new Relays(operation, "each");
  for (const server of others) {
    touches.send(server, { request: touch, settle: ignore, fail: ignore });
  }
}

function ignore(): void {}
