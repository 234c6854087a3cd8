import { channel, tracingChannel } from "node:diagnostics_channel";
import type { MemcachedError } from "../errors.js";

/** What becomes of the connection to a server. */
export interface ConnectionEvents {
  /** A socket is open and takes operations. */
  connect: { readonly server: string };
  /** No connection could be made; the next attempt is due in `retryInMs` milliseconds, a whole number. */
  connectError: {
    readonly server: string;
    readonly error: MemcachedError;
    readonly retryInMs: number;
  };
  /** An open socket is gone; `error` says why, unless the program asked for it. */
  disconnect: { readonly server: string; readonly error: MemcachedError | undefined };
}

export type OnConnectionEvent = <Type extends keyof ConnectionEvents>(
  type: Type,
  event: ConnectionEvents[Type],
) => void;

/** The message of an attempt to connect on `tslibmc:connect`. */
interface Attempt {
  readonly server: string;
  error?: unknown;
}

const attempts = tracingChannel<unknown, Attempt>("tslibmc:connect");
const states = channel("tslibmc:connection");

/**
 * Tells those who listen what becomes of a connection: the client's listeners, and the
 * diagnostics channels `tslibmc:connect` (each attempt, as a trace) and
 * `tslibmc:connection` (each change of state).
 */
export class Announcer {
  readonly #server: string;
  readonly #onEvent: OnConnectionEvent;
  #attempt: Attempt | undefined = undefined;

  constructor(server: string, onEvent: OnConnectionEvent) {
    this.#server = server;
    this.#onEvent = onEvent;
  }

  connecting(): void {
    const attempt: Attempt = { server: this.#server };
    this.#attempt = attempt;
    attempts.start.publish(attempt);
    attempts.end.publish(attempt);
    states.publish({ server: this.#server, state: "connecting" });
  }

  connected(): void {
    this.#endAttempt();
    const server = this.#server;
    states.publish({ server, state: "open" });
    this.#onEvent("connect", { server });
  }

  failed(error: MemcachedError, retryInMs: number): void {
    this.#endAttempt(error);
    const server = this.#server;
    states.publish({ server, state: "closed", error });
    this.#onEvent("connectError", { server, error, retryInMs: Math.ceil(retryInMs) });
  }

  disconnected(error: MemcachedError | undefined): void {
    const server = this.#server;
    states.publish({ server, state: "closed", error });
    this.#onEvent("disconnect", { server, error });
  }

  #endAttempt(error?: MemcachedError): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    this.#attempt = undefined;
    if (error !== undefined) {
      attempt.error = error;
      attempts.error.publish(attempt);
    }
    attempts.asyncStart.publish(attempt);
    attempts.asyncEnd.publish(attempt);
  }
}
