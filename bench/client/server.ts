import { EventEmitter } from "node:events";

/** Where a socket's bytes go, as `net.connect` is told. */
export interface OnRead {
  readonly buffer: Uint8Array | (() => Uint8Array);
  callback(length: number, buffer: Uint8Array): boolean;
}

/** The end of every reply to a `get` line. */
const END = "END\r\n";

/**
 * A memcached in the place of a socket. What is written is answered in the next turn of the
 * event loop, and costs one look into a map and one copy for a batch that was answered before:
 * what is left of a client's cost is its own.
 */
export class StandIn extends EventEmitter {
  readonly writableLength = 0;
  readonly #onRead: OnRead;
  readonly #items = new Map<string, string>();
  readonly #answers = new Map<string, Buffer>();
  #written: string[] = [];

  constructor(onRead: OnRead) {
    super();
    this.#onRead = onRead;
    setImmediate(() => this.emit("connect"));
  }

  write(text: string): boolean {
    if (this.#written.push(text) === 1) setImmediate(() => this.#answer());
    return true;
  }

  cork(): void {}

  uncork(): void {}

  unref(): this {
    return this;
  }

  destroy(): void {}

  #answer(): void {
    const text = this.#written.length === 1 ? this.#written[0]! : this.#written.join("");
    this.#written = [];
    let answer = this.#answers.get(text);
    if (answer === undefined) {
      answer = Buffer.from(this.#carryOut(text.split("\r\n")), "latin1");
      this.#answers.set(text, answer);
    }
    this.#send(answer);
  }

  /** In pieces of what the reader has room for, as a socket does. */
  #send(answer: Buffer): void {
    const { buffer, callback } = this.#onRead;
    for (let at = 0; at < answer.length; ) {
      const room = typeof buffer === "function" ? buffer() : buffer;
      const copied = answer.copy(room, 0, at, at + room.length);
      at += copied;
      callback(copied, room);
    }
  }

  /** Lines of `get <key>*`, and of `set <key> <flags> <exptime> <bytes>` with a line of data each. */
  #carryOut(lines: readonly string[]): string {
    let answer = "";
    for (let i = 0; i < lines.length - 1; i++) {
      const [verb, ...words] = lines[i]!.split(" ");
      if (verb === "get") {
        answer += `${words.map((key) => this.#items.get(key) ?? "").join("")}${END}`;
      } else if (verb === "set") {
        const [key = "", flags] = words;
        const data = lines[++i]!;
        this.#set(key, `VALUE ${key} ${flags} ${data.length}\r\n${data}\r\n`);
        answer += "STORED\r\n";
      } else {
        throw new Error(`The stand-in does not know ${JSON.stringify(lines[i])}`);
      }
    }
    return answer;
  }

  /** What was answered before another value came is no answer any more. */
  #set(key: string, item: string): void {
    if (this.#items.get(key) === item) return;
    this.#items.set(key, item);
    this.#answers.clear();
  }
}
