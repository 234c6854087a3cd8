import * as admin from "../commands/admin.js";
import { ArgumentError, OptionError } from "../errors.js";
import { MAX_RELATIVE_SECONDS } from "../protocol/exptime.js";
import type { Key } from "../protocol/key.js";
import { VERSION_REQUEST } from "../protocol/request.js";
import type { ServerStats } from "../routing/server.js";
import { checkBoolean, checkInteger, checkOptions } from "../util/check.js";
import { MAX_TIMER_MS } from "../util/clock.js";
import { namesOf } from "../util/names.js";
import type { BehaviorOptions, Behaviors } from "./behaviors/behaviors.js";
import { checkBehaviors } from "./behaviors/rules.js";
import { checkStatsArgument } from "./calls/check.js";
import {
  ADMIN_OPTIONS,
  type AdminOptions,
  type CallOptions,
  FLUSH_OPTIONS,
  type FlushOptions,
} from "./calls/options.js";
import type { ConfigurationSources } from "./configuration/configuration.js";
import { configured } from "./configuration/configured.js";
import type { ClientEvents, ServerInfo } from "./events.js";
import { type ExplainOptions, explain, type KeyExplanation, serverFor } from "./explaining.js";
import {
  type DiscoverOptions,
  discover,
  FOLLOW_OPTIONS,
  type FollowOptions,
  Membership,
} from "./membership.js";
import {
  parseServer,
  parseServers,
  type ServerOptions,
  type Servers,
  serverOptions,
} from "./servers/servers.js";
import { Subscription } from "./servers/subscription.js";
import { checkUrl, withUrl } from "./servers/url.js";
import { type ClientOptions, checkClientOptions, withBehaviors } from "./settings/configure.js";
import { type CopyReadStats, copyReadStats } from "./settings/copyreading.js";
import { Settings } from "./settings/settings.js";
import { behaviorView } from "./settings/view.js";

/** How `close()` ends a client. */
export interface CloseOptions {
  /** Milliseconds to wait for the calls that are under way. @defaultValue the client's `timeoutMs` */
  readonly drainMs?: number | undefined;
}

export const CLOSE_OPTIONS: ReadonlySet<string> = namesOf<CloseOptions>({ drainMs: true });

/**
 * How many milliseconds `close()` waits.
 * @throws OptionError
 */
export function drainTime(options: CloseOptions | undefined, timeoutMs: number): number {
  checkOptions(options, CLOSE_OPTIONS, "close");
  return checkInteger(options?.drainMs ?? Math.ceil(timeoutMs), "drainMs", 0, MAX_TIMER_MS);
}

/** The settings of a client, for those of this folder that share its work. */
export let settingsOf: (cluster: Cluster) => Settings;

/** The servers of a client, how they share the keys, and the client's life. */
export abstract class Cluster implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #options: ClientOptions;
  #behaviors: Behaviors | undefined = undefined;
  #membership: Membership | undefined = undefined;

  static {
    settingsOf = (cluster) => cluster.#settings;
  }

  constructor(servers: Servers, options: ClientOptions) {
    checkClientOptions(options);
    this.#options = withUrl(servers, options);
    this.#settings = new Settings(parseServers(servers), this.#options);
  }

  /**
   * A client from libmemcached's configuration language, for example
   * `--SERVER=10.0.0.1 --SERVER=10.0.0.2:11212/?2 --DISTRIBUTION=consistent`.
   * @param options - what the text cannot say; its behaviors go before the text's
   * @param sources - where files and the environment come from, if the text may use them
   * @throws OptionError that names the token, its line and column
   */
  static fromConfiguration<C, Value = unknown>(
    this: new (
      servers: Servers,
      options: ClientOptions<Value>,
    ) => C,
    text: string,
    options: ClientOptions<Value> = {},
    sources?: ConfigurationSources,
  ): C {
    return new this(...configured(text, options, sources));
  }

  /**
   * A client with the servers of a source, which it follows as {@link Cluster.follow} does.
   * Resolves when the source has given its first list.
   * @param source - `elasticache(…)`, `dnsAddresses(…)`, `dnsService(…)` or `serverFile(…)` of
   * `tslibmc/discovery`, or any async iterable of server lists
   * @throws TimeoutError if there is no list within `discoverTimeoutMs`; its `cause` is what the
   * source failed with. NoServerError if the source ends without one
   */
  static discover<C extends Cluster, Value = unknown>(
    this: new (
      servers: Servers,
      options: ClientOptions<Value>,
    ) => C,
    source: AsyncIterable<Servers>,
    options: DiscoverOptions<Value> = {},
  ): Promise<C> {
    return discover(source, options, (servers, clientOptions, lists) => {
      const client = new this(servers, clientOptions);
      client.#membership = new Membership(client, client.#settings.events, lists);
      return client;
    });
  }

  /**
   * pylibmc's behaviors as they stand. Setting one takes effect with the next call; setting the
   * whole object sets those that it has and leaves the others.
   * @throws OptionError on setting an unknown behavior, or one to a wrong value
   */
  get behaviors(): Behaviors {
    this.#behaviors ??= behaviorView(this.#settings);
    return this.#behaviors;
  }

  set behaviors(behaviors: BehaviorOptions) {
    this.#settings.assign(checkBehaviors(behaviors));
  }

  /** The servers in the order in which they were given. */
  get servers(): readonly ServerInfo[] {
    return this.#settings.servers;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#settings.dispatcher.closed;
  }

  /**
   * Calls `listener` at each event of a type; {@link ClientEvents} says what they tell. Nobody
   * has to listen: what fails also rejects the calls that it concerns.
   */
  on<Type extends keyof ClientEvents>(
    type: Type,
    listener: (event: ClientEvents[Type]) => void,
  ): this {
    this.#settings.events.on(type, listener);
    return this;
  }

  /** Calls `listener` no longer. */
  off<Type extends keyof ClientEvents>(
    type: Type,
    listener: (event: ClientEvents[Type]) => void,
  ): this {
    this.#settings.events.off(type, listener);
    return this;
  }

  /**
   * What this client has counted, by its servers' names. Nobody is asked;
   * {@link Cluster.getStats} asks the servers for theirs.
   */
  stats(): Map<string, ServerStats> {
    const { servers } = this.#settings.dispatcher.router;
    return new Map(servers.map((server) => [server.name, server.stats()]));
  }

  /** How many calls failed and were made a miss, as `onError: "miss"` has it. */
  get masked(): number {
    return this.#settings.masked;
  }

  /** What reading copies has come to, where the behavior `num_replicas` makes some. */
  get copyReads(): CopyReadStats {
    return copyReadStats(this.#settings.reading);
  }

  /** The server that a key is on; nobody is asked. */
  serverFor(key: Key, options?: CallOptions): ServerInfo {
    return serverFor(this.#settings, key, options);
  }

  /**
   * Why a key is where it is: its hash, its place on the ring and its server. With
   * `look: true` the server is asked about the item too, which needs memcached 1.6 and
   * does not count as a use of the item.
   */
  explain(key: Key, options?: ExplainOptions): Promise<KeyExplanation> {
    return explain(this.#settings, key, options);
  }

  /**
   * Adds a server at the end of the list. The next call already finds the keys that are
   * now its own there.
   * @throws OptionError for something that is not a server, or one that the list has
   */
  addServer(server: string | ServerOptions): void {
    const address = parseServer(server);
    const { servers } = this.#settings;
    if (servers.some(({ name }) => name === address.name)) {
      throw new OptionError(
        `The server ${address.name} is in the list already; setServers changes its weight`,
      );
    }
    this.setServers([...servers, address].map(serverOptions));
  }

  /**
   * Takes a server off the list. The next call looks for its keys elsewhere; what is under
   * way there finishes, and then its connection is closed.
   * @throws OptionError for a server that the list does not have, and for the last one
   */
  removeServer(server: string | ServerOptions): void {
    const { name } = parseServer(server);
    const { servers } = this.#settings;
    const others = servers.filter((each) => each.name !== name);
    const names = servers.map((each) => each.name).join(", ");
    if (others.length === servers.length) {
      throw new OptionError(`The server ${name} is not in the list, which has ${names}`);
    }
    if (others.length === 0) {
      throw new OptionError(
        `${name} is the only server, and a client needs one; use setServers to change it, or close()`,
      );
    }
    this.setServers(others.map(serverOptions));
  }

  /**
   * Gives the client another list of servers. Those that are in both lists keep their
   * connections; what is under way at others finishes. A URL may only say where servers
   * are, or what the client was made with.
   * @throws OptionError for an empty list, or a server that cannot be read; then nothing changes
   */
  setServers(servers: Servers): void {
    checkUrl(servers, this.#options);
    this.#settings.setServers(parseServers(servers));
  }

  /**
   * Follows a source of servers, from its next list on, until `close()` or another source: each
   * list that differs is given to {@link Cluster.setServers}. A list that cannot be used, and a
   * source that fails, change nothing; after a failure the source is iterated anew.
   * @throws OptionError for anything but an async iterable, or an unknown option;
   * ConnectionClosedError if the client is closed
   */
  follow(source: AsyncIterable<Servers>, options?: FollowOptions): void {
    this.#settings.dispatcher.begin(options, FOLLOW_OPTIONS, "follow");
    const lists = new Subscription(source);
    const membership = new Membership(this, this.#settings.events, lists, options);
    this.#membership?.end();
    this.#membership = membership;
  }

  /**
   * Empties every server, now or after a delay.
   * @returns true
   * @throws PartialError if a server failed; with `noreply`, if one could not be told
   */
  async flushAll(options?: FlushOptions): Promise<boolean> {
    const { dispatcher } = this.#settings;
    dispatcher.begin(options, FLUSH_OPTIONS, "flushAll");
    const delay = checkInteger(options?.delay ?? 0, "delay", 0, MAX_RELATIVE_SECONDS);
    const noreply = checkBoolean(options?.noreply ?? dispatcher.noreply, "noreply");
    await dispatcher.everywhere(admin.flushAll, admin.flushAllRequest(delay, noreply), options);
    return true;
  }

  /**
   * The statistics of every server (protocol.txt, "Statistics"): numbers are numbers,
   * bigints past 2^53.
   * @param argument - for example `"settings"`, `"items"`, `"slabs"`
   * @returns a Map by the servers' names
   * @throws PartialError if a server failed
   */
  async getStats(argument?: string, options?: AdminOptions): Promise<Map<string, admin.Stats>> {
    const { dispatcher } = this.#settings;
    dispatcher.begin(options, ADMIN_OPTIONS, "getStats");
    const request = admin.statsRequest(checkStatsArgument(argument));
    return dispatcher.everywhere(admin.getStats, request, options);
  }

  /**
   * The version of every server.
   * @returns a Map by the servers' names
   * @throws PartialError if a server failed
   */
  async version(options?: AdminOptions): Promise<Map<string, string>> {
    const { dispatcher } = this.#settings;
    dispatcher.begin(options, ADMIN_OPTIONS, "version");
    return dispatcher.everywhere(admin.version, VERSION_REQUEST, options);
  }

  /**
   * Sets how much every server writes to its own log.
   * @param level - 0 for errors, 1 for warnings, 2 for every command
   * @returns true
   * @throws PartialError if a server failed
   */
  async verbosity(level: number, options?: AdminOptions): Promise<boolean> {
    const { dispatcher } = this.#settings;
    dispatcher.begin(options, ADMIN_OPTIONS, "verbosity");
    const request = admin.verbosityRequest(
      checkInteger(level, "level", 0, 2 ** 31 - 1, ArgumentError),
    );
    await dispatcher.everywhere(admin.verbosity, request, options);
    return true;
  }

  /**
   * Waits until every server has carried out what was asked of it before, silent calls
   * (`noreply`) and those that `buffer_requests` holds back included.
   * @returns true
   * @throws PartialError if a server failed, or its connection was lost meanwhile; or if
   * changes that were held back are lost, which it tells once
   */
  async flush(options?: AdminOptions): Promise<boolean> {
    const settings = this.#settings;
    const { dispatcher } = settings;
    dispatcher.begin(options, ADMIN_OPTIONS, "flush");
    const own = await dispatcher.afterTurns("flush", options);
    const deadline = dispatcher.deadline(own);
    const ask = () => dispatcher.everywhere(admin.flush, admin.flushRequest, own, deadline);
    await ask();
    if (settings.read("num_replicas") > 0) await ask(); // copies follow when their originals are done
    settings.losses.tell();
    return true;
  }

  /**
   * Closes every connection; what is under way fails, and the next call connects again. What
   * `buffer_requests` holds back stays held.
   */
  disconnectAll(): void {
    this.#settings.disconnect();
  }

  /**
   * A new client with connections of its own, and the servers and behaviors that this one
   * has now: it places every key as this one does.
   */
  clone(): this {
    const Class = this.constructor as new (servers: Servers, options: ClientOptions) => this;
    const { servers, given } = this.#settings;
    return new Class(servers.map(serverOptions), withBehaviors(this.#options, given));
  }

  /**
   * Ends the client: refuses further calls, waits for those that were made before, all of their
   * steps and what `buffer_requests` holds back, then closes every connection.
   */
  async close(options?: CloseOptions): Promise<void> {
    const { dispatcher } = this.#settings;
    const drainMs = drainTime(options, dispatcher.timeoutMs);
    dispatcher.closed = true;
    this.#membership?.end();
    await this.#settings.close(drainMs);
  }

  /** The same as {@link Cluster.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
