import { once } from "node:events";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import type { ServerTls } from "./settings.js";

/** Where to listen. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** A unix socket, instead of TCP. */
  readonly path: string | undefined;
}

/** A listening socket that can be closed and opened again on the same port. */
export class Listener {
  readonly #server: Server | TlsServer;
  readonly #endpoint: Endpoint;
  #port: number;

  constructor(endpoint: Endpoint, tls: ServerTls | undefined, accept: (socket: Socket) => void) {
    this.#endpoint = endpoint;
    this.#port = endpoint.port;
    this.#server =
      tls === undefined
        ? createTcpServer(accept)
        : createTlsServer({ ...tls }, accept).on("tlsClientError", (_, socket) => socket.destroy());
  }

  /** The TCP port, once it is known. */
  get port(): number {
    return this.#port;
  }

  get isOpen(): boolean {
    return this.#server.listening;
  }

  async open(): Promise<void> {
    const { host, path } = this.#endpoint;
    if (path === undefined) this.#server.listen(this.#port, host);
    else this.#server.listen(path);
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address !== null && typeof address !== "string") this.#port = address.port;
  }

  /** Stops accepting; connections that are there live on. */
  close(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Other certificates for the connections to come. */
  secure(tls: ServerTls): void {
    if ("setSecureContext" in this.#server) this.#server.setSecureContext({ ...tls });
  }
}
