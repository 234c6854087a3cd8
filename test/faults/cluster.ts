import {
  type BehaviorOptions,
  Client,
  type ClientOptions,
  type HealthEvent,
  type HealthState,
} from "tslibmc";
import { type Memcached, type MemcachedOptions, startMemcacheds } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";

/** A server is dead at its first failure, and its keys are elsewhere. */
export const EJECTING: BehaviorOptions = {
  ketama: true,
  auto_eject: true,
  failure_limit: 1,
  retry_timeout: 1,
};

/** Real servers, and clients whose servers' health is on record. */
export class Cluster implements AsyncDisposable {
  readonly servers: readonly Memcached[];
  readonly #clients: Client[] = [];

  private constructor(servers: readonly Memcached[]) {
    this.servers = servers;
  }

  static async start(count: number, options: MemcachedOptions = {}): Promise<Cluster> {
    return new Cluster(await startMemcacheds(count, options));
  }

  get addresses(): string[] {
    return this.servers.map(({ address }) => address);
  }

  connect(options: ClientOptions = {}, servers = this.addresses): Witness {
    const client = new Client(servers, { timeoutMs: 5000, ...options });
    this.#clients.push(client);
    return new Witness(client);
  }

  /** What a server itself holds for a key. */
  async held(server: Memcached, key: string): Promise<unknown> {
    await using client = new Client(server.address, { timeoutMs: 5000 });
    return await client.get(key);
  }

  /** Ends the clients, and has all servers empty and running again. */
  async reset(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close({ drainMs: 0 })));
    for (const server of this.servers) server.resume();
    await Promise.all(this.servers.map((server) => server.restart()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close({ drainMs: 0 })));
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

/** A client, and what it told of its servers. */
export class Witness {
  readonly client: Client;
  readonly events: HealthEvent[] = [];

  constructor(client: Client) {
    this.client = client;
    client.on("health", (event) => this.events.push(event));
  }

  /** So many keys that are at home on a server. */
  keysOn(server: Memcached, count = 1, prefix = "key:"): string[] {
    const keys: string[] = [];
    for (let i = 0; keys.length < count; i++) {
      const key = prefix + i;
      if (this.client.serverFor(key).name === server.address) keys.push(key);
    }
    return keys;
  }

  keyOn(server: Memcached): string {
    return this.keysOn(server)[0]!;
  }

  /** The states that a server has had, up at first. */
  statesOf({ address }: Memcached): HealthState[] {
    return this.events.filter(({ server }) => server === address).map(({ state }) => state);
  }

  /**
   * Asks a server that does not answer until it is dead, and not once: a call counts less against it
   * by the time that the machine left this process without a processor.
   */
  async loses(server: Memcached): Promise<void> {
    await until(async () => {
      if (this.statesOf(server).at(-1) === "dead") return true;
      await errorOf(this.client.get(this.keyOn(server), { timeoutMs: 50 }));
      return false;
    });
  }

  /** Resolves when a server has come to a state. */
  async sees(server: Memcached, state: HealthState): Promise<void> {
    await until(() => (this.statesOf(server).at(-1) ?? "up") === state);
  }
}
