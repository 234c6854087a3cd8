import {
  asMemcachedError,
  type ErrorDetails,
  type MemcachedError,
  type ReplyError,
} from "../errors.js";
import type { Operation } from "../operation.js";
import { shorten } from "../util/show.js";
import { withoutStack } from "../util/stackless.js";

export type ErrorClass = new (message: string, details: ErrorDetails) => MemcachedError;

/** What befell a server's connection, as a source of errors: each operation gets its own. */
export class Failure {
  readonly message: string;
  readonly #Class: ErrorClass;
  readonly #server: string;
  readonly #cause: unknown;
  readonly #reply: string | undefined;

  /** @param reply - the server's own line, for a class of errors that has it */
  constructor(Class: ErrorClass, message: string, server: string, cause?: unknown, reply?: string) {
    this.#Class = Class;
    this.message = message;
    this.#server = server;
    this.#cause = cause;
    this.#reply = reply;
  }

  /** The same failure as an error that was caught says it. */
  static of(error: unknown, server: string): Failure {
    const known: MemcachedError & Partial<Pick<ReplyError, "reply">> = asMemcachedError(error);
    const { constructor: Class, message, cause, reply } = known;
    return new Failure(Class as ErrorClass, message, server, cause, reply);
  }

  /** The same in other words. */
  saying(message: string): Failure {
    return new Failure(this.#Class, message, this.#server, this.#cause, this.#reply);
  }

  /** The error of one operation: with its command, and whether the server may have acted. */
  for(operation: Operation): MemcachedError {
    return this.#error(operation.details);
  }

  /** The error as it concerns the connection itself. */
  get error(): MemcachedError {
    return this.#error({});
  }

  #error(details: ErrorDetails): MemcachedError {
    const { message } = this;
    const reply = this.#reply;
    const all = { ...details, server: this.#server, cause: this.#cause };
    const given = reply === undefined ? [message, all] : [message, reply, all];
    return withoutStack(() => Reflect.construct(this.#Class, given));
  }
}

/** A certificate for other names can name thousands, and Node's message has all of them. */
const MAX_WORDS = 1000;

/**
 * Why there is no connection, or none any more, in Node's words; an error of several
 * addresses has none of its own, and one of OpenSSL names lines of its source.
 * @param cause - undefined where the server just ended it
 */
export function wordsOf(cause: Error | undefined): string {
  if (cause === undefined) return "the server ended it";
  const { code, reason } = cause as NodeJS.ErrnoException & { readonly reason?: unknown };
  if (code?.startsWith("ERR_SSL_") && typeof reason === "string") return `TLS: ${reason}`;
  if (cause.message !== "") return shorten(cause.message, MAX_WORDS);
  const { errors = [] } = cause as Partial<AggregateError>; // in Jest its class is of another realm
  return shorten(errors.map((error: Error) => error.message).join("; "), MAX_WORDS);
}

/** Codes of a certificate that was signed by nobody whom `tls.connect` was told to trust. */
const UNTRUSTED = /ISSUER|LEAF|SELF_SIGNED/;

/** The same for a handshake; to one connection too many memcached says so without TLS. */
export function handshakeWordsOf(cause: Error | undefined): string {
  const { code = "" } = (cause ?? {}) as NodeJS.ErrnoException;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return "the server does not speak TLS on this port, or is at its limit of connections";
  }
  return `${wordsOf(cause)}${UNTRUSTED.test(code) ? "; set tls.ca to who signed it" : ""}`;
}
