import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { MemcachedError } from "../errors.js";
import type { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import { Instance } from "./instance.js";
import { Session } from "./session.js";
import type { ServerOptions } from "./settings.js";
import { TextReader } from "./text/reader.js";

/** Where an embedded server listens, and how it behaves. */
export interface MemcachedServerOptions extends ServerOptions {
  /** The address to listen on. @defaultValue "127.0.0.1" */
  readonly host?: string | undefined;
  /** The TCP port; 0 takes a free one. @defaultValue 0 */
  readonly port?: number | undefined;
  /** The path of a unix socket to listen on, instead of TCP. */
  readonly path?: string | undefined;
}

/** A memcached in this process, for tests, demos and machines that have none. */
export class MemcachedServer {
  readonly #options: MemcachedServerOptions;
  readonly #instance: Instance;
  readonly #listener: Server;
  readonly #connections = new Set<Connection>();
  #accepted = 0;
  #port = 0;

  private constructor(options: MemcachedServerOptions) {
    this.#options = options;
    this.#instance = new Instance(options);
    this.#listener = createServer({ allowHalfOpen: false }, (socket) => this.#accept(socket));
  }

  /**
   * Starts a server and resolves once it accepts connections.
   * @throws OptionError for an option out of its range, and Node's own error if it cannot listen
   */
  static async start(options: MemcachedServerOptions = {}): Promise<MemcachedServer> {
    const server = new MemcachedServer(options);
    await server.#listen();
    return server;
  }

  /** The TCP port, or 0 on a unix socket. */
  get port(): number {
    return this.#port;
  }

  /** What to give to a client: `host:port`, or the path of the unix socket. */
  get address(): string {
    const { path, host = "127.0.0.1" } = this.#options;
    if (path !== undefined) return path;
    return host.includes(":") ? `[${host}]:${this.#port}` : `${host}:${this.#port}`;
  }

  /** The time that the server lives by. */
  get clock(): Clock {
    return this.#instance.clock;
  }

  /** Ends all connections and frees the port. Later calls do nothing. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    if (!this.#listener.listening) return;
    const closed = once(this.#listener, "close");
    this.#listener.close();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(): Promise<void> {
    const { path, host = "127.0.0.1", port = 0 } = this.#options;
    if (path === undefined) this.#listener.listen(port, host);
    else this.#listener.listen(path);
    await once(this.#listener, "listening");
    const address = this.#listener.address();
    if (address === null) throw new MemcachedError("The server was closed while it started");
    this.#port = typeof address === "string" ? 0 : address.port;
    Object.assign(this.#instance.place, { host, port: this.#port, path });
  }

  #accept(socket: Socket): void {
    const session = new Session(this.#instance, ++this.#accepted, peerOf(socket));
    this.#instance.sessions.add(session);
    const connection = new Connection(socket, session, new TextReader(session));
    this.#connections.add(connection);
    socket.once("close", () => {
      this.#connections.delete(connection);
      this.#instance.sessions.delete(session);
    });
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? "unix:" : `tcp:${remoteAddress}:${remotePort}`;
}
