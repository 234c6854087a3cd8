import { createServer, type Server, type Socket } from "node:net";
import { listen } from "./port.js";

/** What a scripted server does with one connection, counted from 1. */
export type Script = (connection: ScriptedConnection, number: number) => void;

/** A server that says what a test tells it to, byte by byte. */
export class ScriptedServer implements AsyncDisposable {
  readonly connections: ScriptedConnection[] = [];
  readonly #server: Server;
  #port = 0;

  private constructor(script: Script) {
    this.#server = createServer((socket) => {
      const connection = new ScriptedConnection(socket);
      this.connections.push(connection);
      script(connection, this.connections.length);
    });
  }

  static async start(script: Script = () => {}): Promise<ScriptedServer> {
    const server = new ScriptedServer(script);
    server.#port = await listen(server.#server);
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** All that arrived, on every connection. */
  get received(): string {
    return this.connections.map(({ received }) => received).join("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

export class ScriptedConnection {
  readonly socket: Socket;
  received = "";
  #answer: ((request: string, n: number) => void) | undefined;
  #requests = 0;
  #rest = "";

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (data) => this.#hear(data.toString("latin1")));
  }

  send(bytes: string): void {
    if (!this.socket.destroyed) this.socket.write(bytes, "latin1");
  }

  /** Calls `answer` for each line that arrives; data blocks are lines too. */
  onLine(answer: (line: string, n: number) => void): void {
    this.#answer = answer;
  }

  #hear(bytes: string): void {
    this.received += bytes;
    const lines = (this.#rest + bytes).split("\r\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#answer?.(line, ++this.#requests);
  }
}

/** Answers each line with the next of these; past the last there is silence. */
export function answers(...replies: string[]): Script {
  return (connection) => connection.onLine((_, n) => connection.send(replies[n - 1] ?? ""));
}
