import type { Executor, Operation, Rescuer } from "../operation.js";
import { mayMove, passOn } from "./moving.js";
import type { Router } from "./router.js";
import type { Server } from "./server.js";

/** Where operations go whose own server does not have their keys. */
export interface Elsewhere extends Executor {
  /** Whether there is another place for a key than its own server. */
  takes(route: string, own: Server): boolean;
}

/**
 * Operations go to their own server as long as it is not dead, and elsewhere when it is.
 * Those that were under way when it died follow, if that can do no harm: they have not
 * been sent, or may be sent twice, and their deadline has not passed. A server that
 * returns gets its keys back one after the other.
 *
 * A server that merely fails keeps its keys: a client that moved them at the first failure
 * would find old values when it answers again.
 */
export class Failover implements Executor, Rescuer {
  readonly #router: Router;
  readonly #elsewhere: Elsewhere;
  readonly #next: Rescuer | undefined;

  /** @param next - who is asked about operations that fail all the same */
  constructor(router: Router, elsewhere: Elsewhere, next: Rescuer | undefined) {
    this.#router = router;
    this.#elsewhere = elsewhere;
    this.#next = next;
  }

  execute(operation: Operation): void {
    const server = this.#router.serverFor(operation.route);
    if (server.isAway && this.#isElsewhere(operation, server)) {
      this.#move(operation, server);
    } else {
      operation.rescuer = this;
      server.execute(operation);
    }
  }

  rescue(operation: Operation, error: unknown): boolean {
    const server = this.#router.serverFor(operation.route);
    if (!mayMove(operation, error) || !server.isDead) return passOn(operation, error, this.#next);
    operation.moved = true;
    this.#move(operation, server);
    return true;
  }

  /** Of the keys of a returning server each is looked at by itself. */
  #isElsewhere({ route, parts }: Operation, own: Server): boolean {
    if (own.isDead || parts !== undefined) return true;
    return !own.has(route) && this.#elsewhere.takes(route, own);
  }

  /** Keys that share a server may be apart elsewhere. */
  #move(operation: Operation, own: Server): void {
    operation.rescuer = this.#next;
    if (operation.split()) return;
    own.misses(operation);
    this.#elsewhere.execute(operation);
  }
}
