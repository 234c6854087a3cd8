import { Client, type ClientOptions } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";
import { until } from "../support/until.js";

/** Embedded servers, and clients of them; all end together. */
export class Fleet implements AsyncDisposable {
  readonly servers: readonly MemcachedServer[];
  readonly #clients: Client[] = [];

  private constructor(servers: readonly MemcachedServer[]) {
    this.servers = servers;
  }

  static async start(count: number): Promise<Fleet> {
    return new Fleet(
      await Promise.all(
        Array.from({ length: count }, () => MemcachedServer.start({ log: "requests" })),
      ),
    );
  }

  get addresses(): string[] {
    return this.servers.map(({ address }) => address);
  }

  connect(options: ClientOptions = {}, servers = this.addresses): Client {
    const client = new Client(servers, { timeoutMs: 5000, ...options });
    this.#clients.push(client);
    return client;
  }

  /** A client of one server alone, to see and to change what that holds. */
  alone(server: MemcachedServer): Client {
    return this.connect({}, [server.address]);
  }

  /** What each server holds for a key, in their order. */
  everywhere(key: string): Promise<unknown[]> {
    return Promise.all(this.servers.map((server) => this.alone(server).get(key)));
  }

  /** Ends the clients; the servers are well again, and empty. */
  async reset(): Promise<void> {
    await this.#leave();
    for (const server of this.servers) {
      server.faults.clear();
      server.resume();
    }
    // What is still on its way to them would be the next test's.
    await until(() => this.servers.every(({ connections }) => connections === 0));
    for (const server of this.servers) {
      server.clear();
      server.log.clear();
    }
    await Promise.all(this.servers.map((server) => server.listen()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
    await Promise.all(this.servers.map((server) => server.close()));
  }

  async #leave(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close({ drainMs: 0 })));
  }
}

/** So many keys that are at home on a server. */
export function keysOn(client: Client, server: MemcachedServer, count: number): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    if (client.serverFor(`key:${i}`).name === server.address) keys.push(`key:${i}`);
  }
  return keys;
}

export function keyOn(client: Client, server: MemcachedServer): string {
  return keysOn(client, server, 1)[0]!;
}
