import { MemcachedError, messageOf, NoServerError, TimeoutError } from "../errors.js";
import { follow, unfollow } from "../util/abort.js";
import { checkDurationMs, checkOptions } from "../util/check.js";
import type { Events } from "../util/events.js";
import { namesOf } from "../util/names.js";
import { within } from "../util/ready.js";
import { checkSignal } from "./calls/options.js";
import type { ClientEvents, ServerInfo } from "./events.js";
import { keptOptions } from "./servers/kept.js";
import { parseServers, type Servers } from "./servers/servers.js";
import { Subscription } from "./servers/subscription.js";
import { CLIENT_OPTIONS, type ClientOptions, checkClientOptions } from "./settings/configure.js";

/** How a client is made from a source of servers. */
export interface DiscoverOptions<Value = unknown> extends ClientOptions<Value> {
  /**
   * Milliseconds in which the source has to give its first list.
   * @defaultValue 5000
   */
  readonly discoverTimeoutMs?: number | undefined;
}

/** How a client follows a source of servers. */
export interface FollowOptions {
  /** Ends the following; the servers stay as they are then. */
  readonly signal?: AbortSignal | undefined;
}

/** What the servers of a source are given to. */
export interface ServerList {
  readonly servers: readonly ServerInfo[];
  setServers(servers: Servers): void;
}

export const FOLLOW_OPTIONS: ReadonlySet<string> = namesOf<FollowOptions>({ signal: true });

const DISCOVER_OPTIONS: ReadonlySet<string> = new Set([...CLIENT_OPTIONS, "discoverTimeoutMs"]);

const DEFAULT_DISCOVER_TIMEOUT_MS = 5000;

/**
 * Gives a client the servers of a source: each list that differs from the client's own
 * goes through `setServers`, and one that cannot be used changes nothing.
 */
export class Membership {
  readonly #client: ServerList;
  readonly #events: Events<ClientEvents>;
  readonly #lists: Subscription;
  readonly #signal: AbortSignal | undefined;

  /** @throws OptionError for a signal that is not an AbortSignal */
  constructor(
    client: ServerList,
    events: Events<ClientEvents>,
    lists: Subscription,
    options: FollowOptions = {},
  ) {
    this.#client = client;
    this.#events = events;
    this.#lists = lists;
    this.#signal = options.signal && checkSignal(options.signal);
    lists.onError = (error) => events.emit("membershipError", { error });
    if (this.#signal !== undefined) follow(this.#signal, this);
    void this.#follow();
  }

  /** Leaves the servers as they are from now on. */
  end(): void {
    if (this.#signal !== undefined) unfollow(this.#signal, this);
    this.#lists.end();
  }

  /** The signal was aborted. */
  fail(): void {
    this.end();
  }

  async #follow(): Promise<void> {
    for await (const list of this.#lists) this.#take(list);
    this.end();
  }

  #take(list: Servers): void {
    const before = this.#client.servers;
    try {
      if (!differs(before, parseServers(list))) return;
      this.#client.setServers(list);
    } catch (cause) {
      this.#lists.onError(unusable(cause));
      return;
    }
    const { servers } = this.#client;
    this.#events.emit("membership", {
      servers,
      added: namesMissingIn(before, servers),
      removed: namesMissingIn(servers, before),
    });
  }
}

/**
 * Makes a client as soon as a source has given a list that it can be made with; the client
 * goes on with the same iteration.
 * @throws TimeoutError if that takes too long, NoServerError if the source ends before
 */
export async function discover<C, Value>(
  source: AsyncIterable<Servers>,
  given: DiscoverOptions<Value>,
  make: (servers: Servers, options: ClientOptions<Value>, lists: Subscription) => C,
): Promise<C> {
  checkOptions(given, DISCOVER_OPTIONS, "discover");
  const { discoverTimeoutMs = DEFAULT_DISCOVER_TIMEOUT_MS, ...options } = keptOptions(given);
  const withinMs = checkDurationMs(discoverTimeoutMs, "discoverTimeoutMs");
  checkClientOptions(options);
  const lists = new Subscription(source);
  try {
    return make(await firstList(lists, withinMs), options, lists);
  } catch (error) {
    lists.end();
    throw error;
  }
}

async function firstList(lists: Subscription, withinMs: number): Promise<Servers> {
  let failure: MemcachedError | undefined;
  lists.onError = (error) => {
    failure = error;
  };
  const list = await within(withinMs, usableList(lists));
  if (list !== undefined) return list;
  const why = failure === undefined ? "it gave none" : failure.message;
  const message = `The source of servers gave no list within ${withinMs} ms: ${why}`;
  throw new TimeoutError(message, { cause: failure });
}

async function usableList(lists: Subscription): Promise<Servers> {
  let failure: MemcachedError | undefined;
  for await (const list of lists) {
    try {
      parseServers(list);
      return list;
    } catch (cause) {
      failure = unusable(cause);
      lists.onError(failure);
    }
  }
  throw new NoServerError("The source of servers ended before it gave a list that can be used", {
    cause: failure,
  });
}

function unusable(cause: unknown): MemcachedError {
  return new MemcachedError(`A list of servers was left out: ${messageOf(cause)}`, { cause });
}

type Listed = Pick<ServerInfo, "name" | "weight">;

function differs(before: readonly Listed[], after: readonly Listed[]): boolean {
  return (
    before.length !== after.length ||
    before.some(({ name, weight }, i) => name !== after[i]?.name || weight !== after[i]?.weight)
  );
}

function namesMissingIn(before: readonly Listed[], after: readonly Listed[]): string[] {
  const names = new Set(before.map(({ name }) => name));
  return after.map(({ name }) => name).filter((name) => !names.has(name));
}
