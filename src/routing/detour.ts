import { type MemcachedError, NoServerError } from "../errors.js";
import type { Executor, Operation, Rescuer } from "../operation.js";
import { mayMove } from "./moving.js";
import type { Router } from "./router.js";
import type { Server } from "./server.js";

/** The server for the keys of a dead one; undefined if there is none. */
export type Choice = (route: string) => Server | undefined;

/**
 * The ring as it is without its dead servers: on a consistent one only their keys move.
 * A distribution that moves no keys, such as modula, has no server for them.
 */
export function survivor(router: Router): Choice {
  return (route) => alive(router.survivorFor(route));
}

/** The first server after a key's own that is not dead, whatever the distribution. */
export function nextAlive(router: Router): Choice {
  return (route) => router.replicasFor(route, router.servers.length - 1).find(alive);
}

function alive(server: Server): Server | undefined {
  return server.isDead ? undefined : server;
}

/** The way of operations whose own server is dead; if the one on it dies too, they go on to the next. */
export class Detour implements Executor, Rescuer {
  readonly #choose: Choice;
  readonly #next: Rescuer | undefined;

  constructor(choose: Choice, next: Rescuer | undefined) {
    this.#choose = choose;
    this.#next = next;
  }

  execute(operation: Operation): void {
    const server = this.#choose(operation.route);
    if (server === undefined) {
      operation.rescuer = this.#next;
      operation.fail(noServer(operation));
    } else {
      operation.rescuer = this;
      server.execute(operation);
    }
  }

  rescue(operation: Operation, error: unknown): boolean {
    if (mayMove(operation, error)) {
      const server = this.#choose(operation.route);
      if (server !== undefined && server.name !== (error as MemcachedError).server) {
        operation.moved = true;
        server.execute(operation);
        return true;
      }
    }
    operation.rescuer = this.#next;
    return this.#next?.rescue(operation, error) ?? false;
  }
}

function noServer({ command: { name }, sent }: Operation): NoServerError {
  return new NoServerError(
    `${name}: the key's server is dead, and no other may take its place now`,
    { command: name, sent },
  );
}
