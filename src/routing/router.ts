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
  #servers: readonly Server[];
  #placement: Placement;
  /** Servers that left and still have operations under way. */
  readonly #leaving = new Set<Server>();

  constructor(servers: readonly Server[], placement: Placement) {
    this.#servers = servers;
    this.#placement = placement;
  }

  get servers(): readonly Server[] {
    return this.#servers;
  }

  execute(operation: Operation): void {
    this.serverFor(operation.route).execute(operation);
  }

  /** The position of a key's server. One server needs no hash. */
  locate(route: string): number {
    return this.#servers.length === 1 ? 0 : this.#placement.locate(route);
  }

  serverFor(route: string): Server {
    const server = this.#servers[this.locate(route)];
    if (server === undefined) throw new NoServerError("There is no server to ask");
    return server;
  }

  /**
   * From the next operation on, keys go to these servers. Those that stay keep their
   * connections, and those that go finish what they have.
   */
  change(servers: readonly Server[], placement: Placement): void {
    const gone = this.#servers.filter((server) => !servers.includes(server));
    this.#servers = servers;
    this.#placement = placement;
    for (const server of gone) {
      this.#leaving.add(server);
      void server.retire(this).then(() => this.#leaving.delete(server));
    }
  }

  async close(drainMs: number): Promise<void> {
    const all = [...this.#servers, ...this.#leaving];
    await Promise.all(all.map((server) => server.close(drainMs)));
  }
}
