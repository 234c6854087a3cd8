import type { Executor, Operation } from "../operation.js";
import type { Placement } from "../ring/placement.js";
import { allSettled } from "../util/ready.js";
import type { Server } from "./server.js";

/** Many servers as one: every operation goes to the server of its key. */
export class Router implements Executor {
  #servers: readonly Server[];
  #placement: Placement;
  /** Where keys go while some servers are away; undefined until somebody asks. */
  #survivors: Placement | undefined = undefined;
  /** Servers that left and still have operations under way. */
  readonly #leaving = new Set<Server>();
  #ended = false;

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
    return this.#servers[this.locate(route)]!;
  }

  /**
   * The server of a key among those that have all of theirs: its own, or who has its keys
   * meanwhile. If there are none, among those that are not dead.
   */
  survivorFor(route: string): Server {
    this.#survivors ??= this.#placement.withLive(this.#live);
    return this.#servers[this.#survivors.locate(route)]!;
  }

  /** The servers of a key and of its copies, its own first. */
  replicasFor(route: string, replicas: number): Server[] {
    return this.#placement
      .locateReplicas(route, replicas)
      .map((position) => this.#servers[position]!);
  }

  get #live(): boolean[] {
    const present = this.#servers.map(({ isAway }) => !isAway);
    return present.includes(true) ? present : this.#servers.map(({ isDead }) => !isDead);
  }

  /** A server died or is back. */
  healthChanged(): void {
    this.#survivors = undefined;
  }

  /**
   * From the next operation on, keys go to these servers. Those that stay keep their
   * connections, and those that go finish what they have.
   */
  change(servers: readonly Server[], placement: Placement): void {
    const gone = this.#servers.filter((server) => !servers.includes(server));
    this.#servers = servers;
    this.#placement = placement;
    this.#survivors = undefined;
    for (const server of gone) {
      this.#leaving.add(server);
      void server.retire(this).then(() => this.#leaving.delete(server));
    }
    if (this.#ended) this.end();
  }

  disconnect(): void {
    for (const server of this.#servers) server.disconnect();
  }

  /** The same for all servers: what one of them loses another may still be asked for. */
  drained(): Promise<unknown> | undefined {
    return allSettled(this.#all.map((server) => server.drained()));
  }

  end(): void {
    this.#ended = true;
    for (const server of this.#all) server.end();
  }

  get #all(): Server[] {
    return [...this.#servers, ...this.#leaving];
  }
}
