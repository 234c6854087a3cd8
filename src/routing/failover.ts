import type { Executor, Operation, Rescuer } from "../operation.js";
import { mayMove } from "./moving.js";
import type { Router } from "./router.js";

/**
 * Operations go to their own server as long as it is not dead, and elsewhere when it is.
 * Those that were under way when it died follow, if that can do no harm: they have not
 * been sent, or may be sent twice, and their deadline has not passed.
 *
 * A server that merely fails keeps its keys: whoever moved them at the first failure
 * would find old values when it answers again.
 */
export class Failover implements Executor, Rescuer {
  readonly #router: Router;
  readonly #elsewhere: Executor;
  readonly #next: Rescuer | undefined;

  /** @param next - who is asked about operations that fail all the same */
  constructor(router: Router, elsewhere: Executor, next: Rescuer | undefined) {
    this.#router = router;
    this.#elsewhere = elsewhere;
    this.#next = next;
  }

  execute(operation: Operation): void {
    const server = this.#router.serverFor(operation.route);
    if (server.isDead) {
      this.#move(operation);
    } else {
      operation.rescuer = this;
      server.execute(operation);
    }
  }

  rescue(operation: Operation, error: unknown): boolean {
    operation.rescuer = this.#next;
    if (!mayMove(operation, error) || !this.#router.serverFor(operation.route).isDead) {
      return this.#next?.rescue(operation, error) ?? false;
    }
    operation.moved = true;
    this.#move(operation);
    return true;
  }

  /** Keys that share a server may be apart elsewhere. */
  #move(operation: Operation): void {
    operation.rescuer = this.#next;
    if (!operation.split()) this.#elsewhere.execute(operation);
  }
}
