import type { Operation } from "../operation.js";
import type { Wire } from "../protocol/wire.js";
import type { Address } from "./address.js";
import type { OnConnectionEvent } from "./announcer.js";
import type { Counters } from "./counters.js";
import type { SocketOptions, TlsOptions } from "./dial.js";
import type { Failure } from "./failure.js";
import type { Greet } from "./greeting.js";
import type { OnLarge, OnRefused } from "./pipeline.js";
import type { QueueLimits } from "./queue.js";
import type { Turnstile } from "./turnstile.js";

/** How a connection is made, and who hears what becomes of it. */
export interface ConnectionOptions {
  readonly address: Address;
  /** Makes the wire of one socket's life. */
  readonly wire: () => Wire;
  readonly socket: SocketOptions;
  /** How TLS is spoken, or undefined where it is not. */
  readonly tls: TlsOptions | undefined;
  /** What every new socket begins with; operations wait until it is over. */
  readonly greet: Greet | undefined;
  /** Milliseconds for one attempt to connect, its greeting included; they may change. */
  readonly connecting: { readonly connectTimeoutMs: number };
  /** Milliseconds without progress, while the server owes something, after which the socket is given up. */
  readonly stallTimeoutMs: number;
  /** Milliseconds between two attempts to connect at most; they may change. */
  readonly backoff: { readonly retryTimeoutMs: number };
  readonly limits: QueueLimits;
  /** Where attempts to connect wait for their turn. */
  readonly turnstile: Turnstile;
  /** Where it counts, together with others. @defaultValue for itself */
  readonly counters?: Counters;
  readonly onEvent: OnConnectionEvent;
  /** The server replied to something. */
  readonly onReply: () => void;
  /**
   * Hears what makes operations fail, before those fail that are not overdue; after an
   * attempt to connect also when the next one is due.
   */
  readonly onFailure: (failure: Failure, retryInMs?: number) => void;
  /** Is offered each unsettled operation that a lost socket leaves, and says whether it was sent again. */
  readonly onLost: (operation: Operation) => boolean;
  /** Takes each operation that a lost socket had not sent yet. */
  readonly onUnsent: (operation: Operation) => void;
  /** Hears of each operation that fails here, just before it does. */
  readonly onFailed: (operation: Operation) => void;
  readonly onRefused: OnRefused;
  readonly onLarge?: OnLarge | undefined;
}
