import { connect, type NetConnectOpts, type Socket } from "node:net";

/**
 * Sends bytes on a connection of their own, says that no more will come, and resolves
 * to everything that was answered until the server closed.
 */
export async function exchange(port: number, request: string): Promise<string> {
  const wire = Wire.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  wire.socket.end(request, "latin1");
  return wire.rest();
}

/** One connection to a server, spoken to in bytes; strings hold one byte a character. */
export class Wire {
  readonly socket: Socket;
  /** How the connection ended, once it has. */
  readonly ended: Promise<"close" | "reset">;
  received = "";
  #woken: () => void = () => {};
  #over = false;

  constructor(socket: Socket) {
    this.socket = socket;
    let how: "close" | "reset" = "close";
    socket.on("data", (bytes: Buffer) => {
      this.received += bytes.toString("latin1");
      this.#woken();
    });
    socket.on("error", () => {
      how = "reset";
    });
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.#over = true;
        this.#woken();
        resolve(how);
        socket.destroy();
      };
      socket.once("end", end);
      socket.once("close", end);
    });
  }

  static connect(options: NetConnectOpts): Wire {
    return new Wire(connect(options));
  }

  static to(server: { readonly port: number }): Wire {
    return Wire.connect({ host: "127.0.0.1", port: server.port });
  }

  send(bytes: string): this {
    this.socket.write(bytes, "latin1");
    return this;
  }

  /** Takes what is there as soon as it ends in something, or the connection has ended. */
  async until(ending: string): Promise<string> {
    while (!this.received.endsWith(ending) && !this.#over) await this.#more();
    return this.#take();
  }

  /** Takes this many bytes as soon as they are there. */
  async bytes(count: number): Promise<string> {
    while (this.received.length < count && !this.#over) await this.#more();
    const taken = this.received.slice(0, count);
    this.received = this.received.slice(count);
    return taken;
  }

  /** Sends a command, and takes its answer: what comes before the answer to `mn`. */
  async ask(command: string): Promise<string> {
    const answer = await this.send(`${command}mn\r\n`).until("MN\r\n");
    return answer.replace(/MN\r\n$/, "");
  }

  /** Takes everything until the server closes. */
  async rest(): Promise<string> {
    await this.ended;
    return this.#take();
  }

  close(): void {
    this.socket.destroy();
  }

  #take(): string {
    const taken = this.received;
    this.received = "";
    return taken;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#woken = resolve;
    });
  }
}
