import type { Instance } from "./instance.js";

/** One client's side of the conversation, whatever carries it. */
export class Session {
  readonly instance: Instance;
  /** Counts connections from 1. */
  readonly id: number;
  /** Answers that are ready and not yet sent; each character is one byte. */
  reply = "";
  /** The connection ends once `reply` is sent. */
  closing = false;
  authenticated: boolean;

  constructor(instance: Instance, id: number) {
    this.instance = instance;
    this.id = id;
    this.authenticated = false;
  }
}

/** Reads a client's bytes and answers into its session, in whatever pieces they come. */
export interface Reader {
  push(chunk: Buffer): void;
}
