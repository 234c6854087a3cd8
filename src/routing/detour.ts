import { NoServerError } from "../errors.js";
import type { Operation, Rescuer } from "../operation.js";
import { atEndOfTurn } from "../util/turn.js";
import type { Elsewhere } from "./failover.js";
import { mayMove, passOn } from "./moving.js";
import type { Router } from "./router.js";
import type { Server } from "./server.js";

/** The server for the keys of one that does not have them; undefined if there is none. */
export type Choice = (route: string) => Server | undefined;

/**
 * The ring as it is without its dead servers: on a consistent one only their keys move.
 * A distribution that moves no keys, such as modula, has no server for them.
 */
export function survivor(router: Router): Choice {
  return (route) => alive(router.survivorFor(route));
}

/**
 * The first server after a key's own that has all of its keys, whatever the distribution;
 * if there is none, the first that is not dead.
 */
export function nextAlive(router: Router): Choice {
  return (route) => {
    const servers = router.replicasFor(route, router.servers.length - 1);
    return servers.find(({ isAway }) => !isAway) ?? servers.find(alive);
  };
}

function alive(server: Server): Server | undefined {
  return server.isDead ? undefined : server;
}

/** The way of operations whose own server does not have their keys; if the one on it dies too, they go on to the next. */
export class Detour implements Elsewhere, Rescuer {
  readonly #router: Router;
  readonly #choose: Choice;
  readonly #next: Rescuer | undefined;

  /** @param choose - where on the router's servers */
  constructor(router: Router, choose: Choice, next: Rescuer | undefined) {
    this.#router = router;
    this.#choose = choose;
    this.#next = next;
  }

  takes(route: string, own: Server): boolean {
    const server = this.#choose(route);
    return server !== undefined && server !== own;
  }

  execute(operation: Operation): void {
    const server = this.#choose(operation.route);
    if (server === undefined) {
      operation.rescuer = this.#next;
      this.#turnAway(operation);
    } else {
      operation.rescuer = this;
      server.execute(operation);
    }
  }

  rescue(operation: Operation, error: unknown): boolean {
    if (mayMove(operation, error)) {
      const server = this.#choose(operation.route);
      if (server !== undefined && server.name !== error.server) {
        operation.moved = true;
        server.execute(operation);
        return true;
      }
    }
    return passOn(operation, error, this.#next);
  }

  /** Not within the call: a program that tries again at once would keep the probes' timers from firing. */
  #turnAway(operation: Operation): void {
    const { refusal } = this.#router.serverFor(operation.route);
    const why = this.#router.servers.some(alive)
      ? 'failover moves no keys on modula or virtual bucket; set the behavior ketama, or failover: "next"'
      : "no other server may take its place now";
    const message = `${refusal.message}; ${why}`;
    const { server, cause } = refusal.error;
    const error = new NoServerError(message, { ...operation.details, server, cause });
    atEndOfTurn(() => operation.fail(error));
  }
}
