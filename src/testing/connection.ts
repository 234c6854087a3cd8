import type { Socket } from "node:net";
import type { Reader, Session } from "./session.js";

/** A session on a socket: what comes in is read, and each piece's answers go out in one write. */
export class Connection {
  readonly session: Session;
  readonly #socket: Socket;
  readonly #reader: Reader;

  constructor(socket: Socket, session: Session, reader: Reader) {
    this.session = session;
    this.#socket = socket;
    this.#reader = reader;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("drain", () => socket.resume());
    socket.on("error", () => socket.destroy());
    socket.once("close", () => session.onEnd?.());
    session.deliver = (bytes) => void socket.write(bytes, "latin1");
  }

  #receive(chunk: Buffer): void {
    const { session } = this;
    const { instance } = session;
    instance.watch.client = session.id;
    instance.counters.totals.bytes_read += chunk.length;
    session.lastCommand = instance.clock.now();
    session.idle = false;
    this.#reader.push(chunk);
    session.idle = true;
    if (session.reply !== "") {
      const bytes = session.reply;
      session.reply = "";
      instance.counters.totals.bytes_written += bytes.length;
      if (!this.#socket.write(bytes, "latin1")) this.#socket.pause();
    }
    if (session.closing) this.#socket.end(() => this.#socket.destroy());
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }
}
