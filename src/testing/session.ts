import type { Instance, Peer } from "./instance.js";

/** Who listens to each request of a session, to record it or to spoil its answer. */
export interface Tap {
  /** A request begins; returns whether it is to be carried out. */
  begin(command: string, keys: readonly string[]): boolean;
  /** Its answer is complete, and is all that `reply` holds. */
  end(): void;
}

/** Answers that come to more go out before the rest of a piece is read: no string could hold them all. */
const MAX_HELD = 1024 * 1024;

/** One client's side of the conversation, whatever carries it. */
export class Session implements Peer {
  readonly instance: Instance;
  /** Counts connections from 1. */
  readonly id: number;
  /** Who it is, as `stats conns` shows it. */
  readonly peer: string;
  /** The second in which it began. */
  readonly since: number;
  /** Answers that are ready and not yet sent; each character is one byte. */
  reply = "";
  /** The connection ends once `reply` is sent. */
  closing = false;
  /** It ended because its bytes made no sense. */
  aborted = false;
  authenticated = false;
  /** A SASL exchange has begun. */
  saslStarted = false;
  /** The client only listens from now on; what it sends is ignored. */
  watching = false;
  idle = true;
  /** How many requests it has made. */
  requests = 0;
  /** The second of its last command. */
  lastCommand: number;
  tap: Tap | undefined;
  /** Sends bytes that no request asked for, at once. */
  deliver: (bytes: string) => void = () => {};
  /** How many bytes have not gone out yet. */
  backlog: () => number = () => 0;
  /** What is to be undone when the client has gone. */
  onEnd: (() => void) | undefined;

  constructor(instance: Instance, id: number, peer: string) {
    this.instance = instance;
    this.id = id;
    this.peer = peer;
    this.since = instance.clock.now();
    this.lastCommand = this.since;
  }

  /** Answers a request. */
  answer(bytes: string): void {
    if (this.reply.length + bytes.length > MAX_HELD) {
      this.deliver(this.reply);
      this.reply = "";
    }
    this.reply += bytes;
    this.tap?.end();
  }

  /** Ends the connection for bytes that make no sense; answers that were not sent are lost. */
  abort(): void {
    this.reply = "";
    this.closing = true;
    this.aborted = true;
  }
}

/** Reads a client's bytes and answers into its session, in whatever pieces they come. */
export interface Reader {
  push(chunk: Buffer): void;
}
