import type { Outgoing } from "./outgoing.js";
import type { Hit, Reply } from "./reply.js";
import type { Request } from "./request.js";

/**
 * A request on the wire, in the order of writing. The wire notes in it what it has to know
 * when the reply comes: where that ends, since neighbouring gets share one line, and what
 * stands before it.
 */
export interface Exchange {
  readonly request: Request;
  /** Whether the reply to this exchange is the last under its terminator (`END`). */
  endsLine: boolean;
  /** Whether the request written just before wants no reply: an error that comes may be its own. */
  afterSilent: boolean;
  /**
   * Whether a change is one of many, of which only those that fail need an answer. A wire that
   * has words for that makes it false where they do not fit; others take no notice.
   */
  quiet: boolean;
}

/** The exchanges that wait for replies, oldest first, as a wire sees them. */
export interface Replies {
  /** The n-th oldest exchange that is waiting, 0 for the oldest. */
  waiting(n: number): Exchange | undefined;
  /**
   * An item for the n-th oldest exchange, which keeps its place until its line ends.
   * `index` is the item's place in a many-key request's `keys`.
   */
  deliver(n: number, index: number, hit: Hit): void;
  /** The oldest exchange is answered and leaves its place. */
  settle(reply: Reply): void;
  /** So are all exchanges of the line that the oldest one stands in. */
  settleLine(reply: Reply): void;
}

/**
 * A way to say the five verbs in bytes and to read the answers: no socket, no clock,
 * no promise. One wire belongs to one connection, since it remembers a reply that has
 * come only in part.
 */
export interface Wire {
  /**
   * Appends a request's bytes. Returns what the wire or its server has no words for,
   * before it has written anything, or undefined when the request is written.
   */
  write(exchange: Exchange, out: Outgoing): string | undefined;
  /** Whether the server answers a silent request all the same, for lack of words for silence. */
  answersSilent(request: Request): boolean;
  /** Whether a server that knows no such command may say so, as it does to what is no command. */
  mayBeUnknown(request: Request): boolean;
  /** Ends whatever was left open for neighbours to join, before the bytes are sent. */
  finish(out: Outgoing): void;
  /**
   * Memory for the next chunk, where most of a large value is still to come: read to there,
   * its bytes need not be copied. `push` is given it like any other chunk.
   */
  get room(): Buffer | undefined;
  /**
   * Reads the first `length` bytes of `chunk`, which is reused afterwards.
   * @throws ProtocolError for bytes that are not a reply or do not fit what was asked;
   * nothing that follows on this connection can be trusted then.
   */
  push(chunk: Buffer, length: number, replies: Replies): void;
}
