import { NoServerError } from "../errors.js";
import type { Executor, Operation } from "../operation.js";
import type { Server } from "./server.js";

/** Which of n servers has a key. */
export interface Placement {
  /** The position of the server of a key in wire form. */
  locate(route: string): number;
}

/** Many servers as one: every operation goes to the server of its key. */
export class Router implements Executor {
  readonly servers: readonly Server[];
  readonly #placement: Placement;

  constructor(servers: readonly Server[], placement: Placement) {
    this.servers = servers;
    this.#placement = placement;
  }

  execute(operation: Operation): void {
    this.serverFor(operation.route).execute(operation);
  }

  /** The position of a key's server. One server needs no hash. */
  locate(route: string): number {
    return this.servers.length === 1 ? 0 : this.#placement.locate(route);
  }

  serverFor(route: string): Server {
    const server = this.servers[this.locate(route)];
    if (server === undefined) throw new NoServerError("There is no server to ask");
    return server;
  }

  async close(drainMs: number): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close(drainMs)));
  }
}
