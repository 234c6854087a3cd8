import { Client, type ClientOptions } from "tslibmc";
import { Migration, type MigrationOptions } from "tslibmc/migration";
import { type Memcached, startMemcacheds } from "../support/memcached.js";

/** An old and a new cluster of real servers, and migrations between them. */
export class Clusters implements AsyncDisposable {
  readonly old: readonly Memcached[];
  readonly new: readonly Memcached[];
  readonly #open: { close(): Promise<void> }[] = [];

  private constructor(old: readonly Memcached[], fresh: readonly Memcached[]) {
    this.old = old;
    this.new = fresh;
  }

  static async start(count = 2): Promise<Clusters> {
    const servers = await startMemcacheds(2 * count);
    return new Clusters(servers.slice(0, count), servers.slice(count));
  }

  /** One that sees the old cluster as an application has done so far, and no migration. */
  plainOld(options: ClientOptions = {}): Client {
    return this.#opened(new Client(addresses(this.old), { timeoutMs: 5000, ...options }));
  }

  /** The same for the new cluster, after the migration. */
  plainNew(options: ClientOptions = {}): Client {
    const behaviors = { ketama_weighted: true };
    return this.#opened(
      new Client(addresses(this.new), { timeoutMs: 5000, behaviors, ...options }),
    );
  }

  /** A process of the application, from one distribution to another. */
  migrate(
    options: MigrationOptions = {},
    from: ClientOptions = {},
    to: ClientOptions = {},
  ): Migration {
    return this.#opened(
      new Migration(
        {
          from: new Client(addresses(this.old), { timeoutMs: 5000, ...from }),
          to: new Client(addresses(this.new), {
            timeoutMs: 5000,
            behaviors: { ketama_weighted: true },
            ...to,
          }),
        },
        { otherTimeoutMs: 5000, ...options },
      ),
    );
  }

  /** Ends the clients, and has all servers empty and running again. */
  async reset(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((each) => each.close()));
    const servers = [...this.old, ...this.new];
    for (const server of servers) server.resume();
    await Promise.all(servers.map((server) => server.restart()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.splice(0).map((each) => each.close()));
    await Promise.all([...this.old, ...this.new].map((server) => server[Symbol.asyncDispose]()));
  }

  #opened<C extends { close(): Promise<void> }>(client: C): C {
    this.#open.push(client);
    return client;
  }
}

function addresses(servers: readonly Memcached[]): string[] {
  return servers.map(({ address }) => address);
}
