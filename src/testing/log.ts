import { checkChoice } from "../util/check.js";
import type { Asked } from "./fault/fault.js";

/** Bytes that came in on one connection. */
interface Piece {
  readonly connection: number;
  bytes: Buffer;
}

interface Waiter {
  readonly fits: (asked: Asked) => boolean;
  readonly found: (asked: Asked) => void;
}

/** How much a log records: nothing, the bytes, or each request too. */
export type LogLevel = "none" | "bytes" | "requests";

/** The oldest bytes are forgotten beyond this. */
const MAX_BYTES = 16 * 1024 * 1024;

/** What comes in goes to the piece before it up to this size: a buffer alone is some 300 bytes. */
const PIECE_BYTES = 4096;

/** What arrived at a server, byte for byte, and the requests in it. */
export class Log {
  #pieces: Piece[] = [];
  #bytes = 0;
  #waiters: Waiter[] = [];
  #requests: Asked[] = [];
  readonly #level: LogLevel;
  /** Told whenever the log begins or ceases to want each request. */
  onChange: () => void = () => {};

  /** @throws OptionError for an unknown level */
  constructor(level: LogLevel) {
    this.#level = checkChoice(level, "log", ["none", "bytes", "requests"]);
  }

  /** Whether somebody wants to know of each request. */
  get isListening(): boolean {
    return this.#level === "requests" || this.#waiters.length > 0;
  }

  /**
   * The requests so far, oldest first, and connections as the command `connect`. They
   * are recorded only by a server that was started with `log: "requests"`.
   */
  get requests(): readonly Asked[] {
    return this.#requests;
  }

  /** All bytes that arrived, or those of one connection, counted from 1; where they are over 16 MB, the last 8 MB at least. */
  received(connection?: number): Buffer {
    const pieces = this.#pieces.filter(
      (piece) => connection === undefined || piece.connection === connection,
    );
    return Buffer.concat(pieces.map(({ bytes }) => bytes));
  }

  /** Forgets everything. */
  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
    this.#requests = [];
  }

  /** Resolves to the next request that has this command and, if given, this key. */
  next(command: string, key?: string): Promise<Asked> {
    return new Promise((resolve) => {
      const fits = (asked: Asked) =>
        asked.command === command && (key === undefined || asked.keys.includes(key));
      this.#waiters.push({ fits, found: resolve });
      this.onChange();
    });
  }

  /** For the server: bytes came in. */
  receive(connection: number, bytes: Buffer): void {
    if (this.#level === "none") return;
    const last = this.#pieces.at(-1);
    if (last?.connection === connection && last.bytes.length < PIECE_BYTES) {
      last.bytes = together(last.bytes, bytes);
    } else {
      this.#pieces.push({
        connection,
        bytes: bytes.length < PIECE_BYTES ? together(bytes) : bytes,
      });
    }
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_BYTES) this.#forgetHalf();
  }

  /** For the server: a request came in. */
  note(asked: Asked): void {
    if (this.#level === "requests") this.#requests.push(asked);
    const found = this.#waiters.filter(({ fits }) => fits(asked));
    if (found.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !found.includes(waiter));
    for (const waiter of found) waiter.found(asked);
    this.onChange();
  }

  #forgetHalf(): void {
    let first = 0;
    while (this.#bytes > MAX_BYTES / 2) this.#bytes -= this.#pieces[first++]!.bytes.length;
    this.#pieces = this.#pieces.slice(first);
  }
}

/** In memory of their own: a slice of Node's pool would keep all of the pool, which has 64 kB in Node 24. */
function together(...pieces: readonly Buffer[]): Buffer {
  const whole = Buffer.alloc(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) end += piece.copy(whole, end);
  return whole;
}
