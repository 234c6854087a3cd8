import type { Instance } from "./instance.js";

/** One client's side of the conversation, whatever carries it. */
export class Session {
  readonly instance: Instance;
  /** Counts connections from 1. */
  readonly id: number;
  /** Who it is, as `stats conns` shows it. */
  readonly peer: string;
  /** Answers that are ready and not yet sent; each character is one byte. */
  reply = "";
  /** The connection ends once `reply` is sent. */
  closing = false;
  authenticated = false;
  /** The client only listens from now on; what it sends is ignored. */
  watching = false;
  idle = true;
  /** The second of its last command. */
  lastCommand: number;
  /** Sends bytes that no request asked for, at once. */
  deliver: (bytes: string) => void = () => {};
  /** What is to be undone when the client has gone. */
  onEnd: (() => void) | undefined;

  constructor(instance: Instance, id: number, peer: string) {
    this.instance = instance;
    this.id = id;
    this.peer = peer;
    this.lastCommand = instance.clock.now();
  }
}

/** Reads a client's bytes and answers into its session, in whatever pieces they come. */
export interface Reader {
  push(chunk: Buffer): void;
}
