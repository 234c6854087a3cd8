import { EventEmitter } from "node:events";
import type { OnReadOpts } from "node:net";

/** What of Node's socket the library uses, with a simulated server behind it. */
export class ModelSocket extends EventEmitter {
  /** The address of the client's end. */
  readonly client: string;
  isDestroyed = false;
  /** Neither end's kernel keeps what it had sent. */
  isReset = false;
  /** Which of the server's processes it leads to. */
  life = 0;
  /** When the last packet arrives, each way: none overtakes another. */
  requestsAt = 0;
  repliesAt = 0;
  /** A packet on its way is no backlog. */
  readonly writableLength = 0;
  readonly #buffer: Uint8Array;
  readonly #onread: OnReadOpts;
  readonly #send: (text: string) => void;

  constructor(client: string, onread: OnReadOpts, send: (text: string) => void) {
    super();
    this.client = client;
    this.#onread = onread;
    this.#buffer = typeof onread.buffer === "function" ? onread.buffer() : onread.buffer;
    this.#send = send;
  }

  write(text: string): boolean {
    if (!this.isDestroyed) this.#send(text);
    return true;
  }

  cork(): void {}

  uncork(): void {}

  unref(): this {
    return this;
  }

  destroy(): this {
    this.isDestroyed = true;
    return this;
  }

  resetAndDestroy(): this {
    this.isReset = true;
    return this.destroy();
  }

  receive(text: string): void {
    if (this.isDestroyed) return;
    const { length } = text;
    for (let n = 0; n < length; n++) this.#buffer[n] = text.charCodeAt(n);
    this.#onread.callback(length, this.#buffer);
  }

  fail(error: Error): void {
    if (this.isDestroyed) return;
    this.emit("error", error);
    this.emit("close");
  }
}
