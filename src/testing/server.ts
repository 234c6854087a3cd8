import type { Socket } from "node:net";
import { OptionError } from "../errors.js";
import { checkInteger, checkOptions } from "../util/check.js";
import { namesOf } from "../util/names.js";
import { show } from "../util/show.js";
import { timers } from "../util/timers.js";
import type { Clock } from "./clock.js";
import { Connection, type Host } from "./connection.js";
import { Datagrams } from "./datagrams.js";
import type { Fault } from "./fault/fault.js";
import { FaultScript } from "./fault/script.js";
import { Instance } from "./instance.js";
import { Listener } from "./listener.js";
import { Log, type LogLevel } from "./log.js";
import { Session } from "./session.js";
import { SERVER_OPTIONS, type ServerOptions, type ServerTls } from "./settings.js";

/** Where an embedded server listens, how it behaves, and how it misbehaves. */
export interface MemcachedServerOptions extends ServerOptions {
  /** The address to listen on. @defaultValue "127.0.0.1" */
  readonly host?: string | undefined;
  /** The TCP port; 0 takes a free one. @defaultValue 0 */
  readonly port?: number | undefined;
  /** The path of a unix socket to listen on, instead of TCP. */
  readonly path?: string | undefined;
  /** A UDP port to listen on too; 0 takes a free one. */
  readonly udpPort?: number | undefined;
  /** Faults from the start. */
  readonly faults?: readonly Fault[] | undefined;
  /** What `log` records. @defaultValue "bytes" */
  readonly log?: LogLevel | undefined;
}

const OPTIONS = namesOf<MemcachedServerOptions>({
  ...SERVER_OPTIONS,
  host: true,
  port: true,
  path: true,
  udpPort: true,
  faults: true,
  log: true,
});

const RETRY_MS = 50;

const TOO_MANY = "ERROR Too many open connections\r\n";

/** A memcached in this process, for tests, demos and machines that have none. */
export class MemcachedServer {
  /** The faults that it shows; they can be changed at any time. */
  readonly faults: FaultScript = new FaultScript();
  /** What arrived. */
  readonly log: Log;
  readonly #options: MemcachedServerOptions;
  readonly #instance: Instance;
  readonly #listener: Listener;
  readonly #datagrams: Datagrams | undefined;
  readonly #connections = new Set<Connection>();
  readonly #host: Host;
  readonly #timers = new Set<NodeJS.Timeout>();
  #accepted = 0;
  #paused = false;
  #closed: Promise<void> | undefined;

  private constructor(options: MemcachedServerOptions) {
    checkOptions(options, OPTIONS, "MemcachedServer");
    const { host = "127.0.0.1", port = 0, path, udpPort } = options;
    checkPlace(host, "host");
    checkPlace(path, "path");
    checkInteger(port, "port", 0, 65535);
    checkInteger(udpPort ?? 0, "udpPort", 0, 65535);
    this.#options = options;
    this.#instance = new Instance(options);
    this.#instance.onShutdown = () => void this.close();
    this.log = new Log(options.log ?? "bytes");
    this.faults.onChange = () => this.#listenToAll();
    this.log.onChange = () => this.#listenToAll();
    this.faults.add(...faultsOf(options));
    this.#listener = new Listener(
      { host, port, path, backlog: this.#instance.settings.backlog },
      options.tls,
      (socket) => this.#accept(socket),
    );
    this.#host = {
      faults: this.faults,
      log: this.log,
      refuse: (ms) => {
        this.refuse();
        this.#listenIn(ms);
      },
      restart: (ms) => {
        this.#die();
        this.#listenIn(ms);
      },
    };
    this.#datagrams = udpPort === undefined ? undefined : new Datagrams(this.#instance, host);
  }

  /**
   * Starts a server and resolves once it accepts connections.
   * @throws OptionError for an unknown option, or one out of its range
   * @throws MemcachedError if it cannot listen there; `cause` has Node's own error
   */
  static async start(options: MemcachedServerOptions = {}): Promise<MemcachedServer> {
    const server = new MemcachedServer(options);
    try {
      await server.#open();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** The TCP port, or 0 on a unix socket. */
  get port(): number {
    return this.#options.path === undefined ? this.#listener.port : 0;
  }

  /** The UDP port, or 0 for none. */
  get udpPort(): number {
    return this.#instance.place.udpPort;
  }

  /** What to give to a client: `host:port`, or the path of the unix socket. */
  get address(): string {
    const { path, host = "127.0.0.1" } = this.#options;
    if (path !== undefined) return path;
    return host.includes(":") ? `[${host}]:${this.port}` : `${host}:${this.port}`;
  }

  /** The time that the server lives by. */
  get clock(): Clock {
    return this.#instance.clock;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How many items it holds, expired ones included. */
  get size(): number {
    return this.#instance.store.size;
  }

  /** Forgets all items, at once and for good. */
  clear(): void {
    this.#instance.store.clear();
  }

  /** Neither reads nor answers, on any connection or by UDP, until {@link resume}: a stopped process. */
  pause(): void {
    this.#paused = true;
    this.#datagrams?.pause();
    for (const connection of this.#connections) connection.pause();
  }

  /** Goes on after {@link pause}, and answers what came meanwhile. */
  resume(): void {
    this.#paused = false;
    this.#datagrams?.resume();
    for (const connection of this.#connections) connection.resume();
  }

  /** Ends all connections, with RST (`"reset"`) or FIN; new ones are accepted. */
  disconnectAll(how: "close" | "reset" = "reset"): void {
    for (const connection of this.#connections) connection.destroy(how);
  }

  /** Refuses new connections until {@link listen}; those that are there live on. */
  refuse(): void {
    this.#listener.close();
    this.#instance.accepting = false;
  }

  /**
   * Accepts connections again, on the same port.
   * @throws MemcachedError if another process has taken it
   */
  async listen(): Promise<void> {
    if (this.#closed !== undefined) return;
    await this.#listener.open();
    this.#instance.accepting = this.#listener.isOpen;
  }

  /**
   * Dies and comes back empty on the same port: connections are reset, cas numbers begin anew, and
   * what commands had set is as the options say again. It runs, though it was stopped before.
   * @throws MemcachedError if another process has taken the port
   */
  async restart(): Promise<void> {
    this.#die();
    await this.listen();
  }

  /**
   * Makes these the servers of the cluster, under the next version: what `config get cluster`
   * answers from now on.
   * @param servers - each as `host:port`, or as `host|ip|port`
   * @throws OptionError for anything but an array of strings
   */
  announce(servers: readonly string[]): void {
    this.#instance.announce(servers);
  }

  /** Other certificates for the connections to come, for instance expired ones. */
  secure(tls: ServerTls): void {
    this.#listener.secure(tls);
  }

  /** Ends all connections and frees the port. Later calls do nothing. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #die(): void {
    this.refuse();
    this.disconnectAll();
    this.#instance.restart();
    this.resume();
  }

  async #open(): Promise<void> {
    const { host = "127.0.0.1", path, udpPort } = this.#options;
    await this.#listener.open();
    const { place } = this.#instance;
    Object.assign(place, { host, port: this.port, path });
    if (this.#datagrams === undefined) return;
    place.udpPort = await this.#datagrams.open(host, udpPort ?? 0);
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) timers.clearTimeout(timer);
    await this.#listener.end();
    await this.#datagrams?.close();
    await Promise.all([...this.#connections].map(({ gone }) => gone));
  }

  #accept(socket: Socket): void {
    const { settings, counters, sessions, watch } = this.#instance;
    counters.totals.total_connections++;
    if (sessions.size >= settings.maxConnections) {
      counters.totals.rejected_connections++;
      socket.on("error", () => socket.destroy());
      // Read past what it says, since only then its end is heard.
      socket.resume().end(TOO_MANY);
      return;
    }
    const session = new Session(this.#instance, ++this.#accepted, peerOf(socket));
    const { remoteAddress = "unix", remotePort = 0 } = socket;
    const transport = this.#options.path === undefined ? "tcp" : "local";
    watch.connected(session.id, remoteAddress, remotePort, transport);
    socket.setNoDelay(true);
    let reason = "normal";
    if (settings.idleTimeout > 0) {
      socket.setTimeout(settings.idleTimeout * 1000, () => {
        reason = "idle_timeout";
        counters.totals.idle_kicks++;
        socket.destroy();
      });
    }
    sessions.add(session);
    const connection = new Connection(socket, session, this.#host);
    this.#connections.add(connection);
    if (this.#paused) connection.pause();
    socket.once("close", () => {
      this.#connections.delete(connection);
      sessions.delete(session);
      if (session.aborted) reason = "error";
      watch.closed(session.id, remoteAddress, remotePort, transport, reason);
    });
  }

  /** Whoever has taken the port meanwhile, perhaps a client for its own end, will leave it. */
  #listenIn(ms: number): void {
    const timer = timers.setTimeout(() => {
      this.#timers.delete(timer);
      this.listen().catch(() => this.#listenIn(RETRY_MS));
    }, ms);
    this.#timers.add(timer);
  }

  #listenToAll(): void {
    for (const connection of this.#connections) connection.listenIn();
  }
}

function checkPlace(value: unknown, name: string): void {
  if (value === undefined || (typeof value === "string" && value !== "")) return;
  throw new OptionError(`${name} must be a string, not ${show(value)}`);
}

function faultsOf({ faults = [] }: MemcachedServerOptions): readonly Fault[] {
  if (Array.isArray(faults)) return faults;
  throw new OptionError(`faults must be an array, not ${show(faults)}`);
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? "unix:" : `tcp:${remoteAddress}:${remotePort}`;
}
