import type { ClientOptions, Servers as ServerList } from "tslibmc";
import { type Memcached, type MemcachedOptions, startMemcacheds } from "../memcached.js";

/** Which of the servers suffers. */
export const VICTIM = 1;

/** Servers that clients share, and one fault that one of them will suffer. */
export interface Stage extends AsyncDisposable {
  /** As clients are told of them. */
  readonly servers: readonly string[];
  /** One that stands by for others. */
  readonly gutter: string;
  /** How they are reached. */
  readonly options: ClientOptions;
  /** Whom clients ask for the servers, if they do. */
  readonly source?: AsyncIterable<ServerList>;
  /** The fault happens. */
  begin(): Promise<void>;
  /** Things are as they were. */
  end(): Promise<void>;
}

/** A kind of fault. */
export interface Fault {
  readonly name: string;
  readonly stage: () => Promise<Stage>;
  /**
   * What those who call see of it at first: that a server is lost, since its connections
   * break; nothing, since it does not answer any more; or not even a lost server.
   */
  readonly shows: "loss" | "silence" | "nothing";
  /** Whether the server comes back without what it had. */
  readonly empties: boolean;
  /** Whether the server answers now and then while it lasts. */
  readonly flaps?: true;
  /** Whether it is over at once, so that a client may not even notice. */
  readonly isBrief?: true;
  /** The only errors that it may lead to. */
  readonly errors?: readonly string[];
}

/** Four memcacheds: three that share the keys, and one that stands by. */
export class Servers implements AsyncDisposable {
  readonly all: readonly Memcached[];
  readonly victim: Memcached;

  private constructor(all: readonly Memcached[]) {
    this.all = all;
    this.victim = all[VICTIM]!;
  }

  /** @param victim - how the one that will suffer is started, if not like the others */
  static async start(options: MemcachedOptions = {}, victim = options): Promise<Servers> {
    const [others, [suffers]] = await Promise.all([
      startMemcacheds(3, options),
      startMemcacheds(1, victim),
    ]);
    return new Servers(others.toSpliced(VICTIM, 0, suffers!));
  }

  get addresses(): string[] {
    return this.all.slice(0, 3).map(({ address }) => address);
  }

  /** The addresses, with another for the one that suffers. */
  addressesWith(victim: string): string[] {
    return this.addresses.with(VICTIM, victim);
  }

  get gutter(): string {
    return this.all[3]!.address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.victim.resume();
    await Promise.all(this.all.map((server) => server[Symbol.asyncDispose]()));
  }
}

/** A stage of servers, what is done to them, and what is to be closed before they are. */
export function stageOf(
  servers: Servers,
  parts: Partial<Stage>,
  ...closing: readonly AsyncDisposable[]
): Stage {
  return {
    servers: servers.addresses,
    gutter: servers.gutter,
    options: {},
    begin: async () => {},
    end: async () => {},
    ...parts,
    async [Symbol.asyncDispose]() {
      for (const each of closing) await each[Symbol.asyncDispose]();
      await servers[Symbol.asyncDispose]();
    },
  };
}
