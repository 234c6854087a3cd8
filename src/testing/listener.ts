import { type EventEmitter, once } from "node:events";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { MemcachedError, messageOf } from "../errors.js";
import type { ServerTls } from "./settings.js";

/** Where to listen. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** A unix socket, instead of TCP. */
  readonly path: string | undefined;
  /** How many connections may wait to be accepted. */
  readonly backlog: number;
}

/** @throws MemcachedError if the address cannot be had; `cause` has Node's own error */
export async function listening(socket: EventEmitter): Promise<void> {
  try {
    await once(socket, "listening");
  } catch (cause) {
    const words = messageOf(cause);
    const hint = words.includes("EADDRINUSE") ? "; another process listens there" : "";
    throw new MemcachedError(`The server cannot listen: ${words}${hint}`, { cause });
  }
}

/** A listening socket that can be closed and opened again on the same port. */
export class Listener {
  readonly #server: Server | TlsServer;
  readonly #endpoint: Endpoint;
  /** Every socket that was accepted, those in a TLS handshake too. */
  readonly #sockets = new Set<Socket>();
  #port: number;
  #isWanted = false;
  #opening: Promise<void> | undefined;

  constructor(endpoint: Endpoint, tls: ServerTls | undefined, accept: (socket: Socket) => void) {
    this.#endpoint = endpoint;
    this.#port = endpoint.port;
    this.#server =
      tls === undefined
        ? createTcpServer(accept)
        : createTlsServer({ ...tls }, accept).on("tlsClientError", (_, socket) => socket.destroy());
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** The TCP port, once it is known. */
  get port(): number {
    return this.#port;
  }

  get isOpen(): boolean {
    return this.#isWanted && this.#server.listening;
  }

  /**
   * Accepts connections, unless it is closed meanwhile.
   * @throws MemcachedError if the address cannot be had
   */
  async open(): Promise<void> {
    if (this.isOpen && this.#opening === undefined) return;
    this.#isWanted = true;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
      if (!this.#isWanted) this.#server.close();
    });
    await this.#opening;
  }

  async #open(): Promise<void> {
    const { host, path, backlog } = this.#endpoint;
    if (path === undefined) this.#server.listen({ port: this.#port, host, backlog });
    else this.#server.listen({ path, backlog });
    await listening(this.#server);
    const address = this.#server.address();
    if (address !== null && typeof address !== "string") this.#port = address.port;
  }

  /** Stops accepting; connections that are there live on. */
  close(): void {
    this.#isWanted = false;
    // What is about to listen cannot be told not to: Node would never say that it does.
    if (this.#opening === undefined) this.#server.close();
  }

  /** Stops accepting, and ends every connection. */
  async end(): Promise<void> {
    this.close();
    await this.#opening?.catch(() => {});
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Other certificates for the connections to come. */
  secure(tls: ServerTls): void {
    if ("setSecureContext" in this.#server) this.#server.setSecureContext({ ...tls });
  }
}
