/**
 * The error tree. Everything that this library throws or rejects with is a
 * {@link MemcachedError}; `code` is the stable name to match on, and `sent` is
 * the whole of retry safety.
 */

/** What an error knows beside its message. */
export interface ErrorDetails {
  /** The server concerned, as `host:port` or a socket's path. */
  readonly server?: string | undefined;
  /** The client's method or command, for example `"get"`. */
  readonly command?: string | undefined;
  /** The key concerned, as text. */
  readonly key?: string | undefined;
  /** Whether the server may have acted on the request. */
  readonly sent?: boolean | undefined;
  /** What caused it: a socket's error, a serializer's exception. */
  readonly cause?: unknown;
}

const BRAND = Symbol.for("tslibmc.error");

/**
 * Names a class of errors for `instanceof`, so that it holds between two copies
 * of this package in one process (an ESM and a CommonJS build in one bundle).
 */
function brand(errorClass: { readonly prototype: MemcachedError }, name: string): void {
  Object.defineProperty(errorClass, BRAND, { value: name });
  Object.defineProperty(errorClass.prototype, "name", {
    value: name,
    configurable: true,
    writable: true,
  });
}

/** The brands of a value's class and its ancestors, nearest first. */
function* brandsOf(value: object): Generator<unknown> {
  for (let type = Object.getPrototypeOf(value); type !== null; type = Object.getPrototypeOf(type)) {
    const own = Object.getOwnPropertyDescriptor(type, "constructor")?.value;
    if (typeof own === "function" && Object.hasOwn(own, BRAND)) yield own[BRAND];
  }
}

/**
 * What can forge a line of a log, steer a terminal or turn its text around: control
 * characters, the ends of lines and the directions of Unicode.
 */
const UNPRINTABLE = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text that may have words of a server, a name of DNS or a key in it, as it may be printed. */
function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    if (escaped !== character) return escaped;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/**
 * The root of every error of this library. Its message may be printed as it is: whatever a
 * server said in it is escaped.
 */
export class MemcachedError extends Error {
  /** A stable name for this kind of error, to match on. */
  readonly code: string = "ERR_MEMCACHED";
  /** libmemcached's `memcached_return_t` for the same failure, where it has one. */
  readonly retcode: number | undefined = undefined;
  /** The server concerned, as `host:port` or a socket's path. */
  readonly server: string | undefined;
  /** The client's method or command, for example `"get"`. */
  readonly command: string | undefined;
  /**
   * The key concerned, as it was sent, with its prefixes; undefined where several are. Bytes
   * that are not UTF-8 are a character each.
   */
  readonly key: string | undefined;
  /**
   * Whether the server may have acted on the request. `false`: repeating the
   * call is always safe. `true`: only if the command is idempotent.
   */
  readonly sent: boolean;

  static {
    brand(MemcachedError, "MemcachedError");
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (!Object.hasOwn(this, BRAND))
      return Function.prototype[Symbol.hasInstance].call(this, value);
    if (typeof value !== "object" || value === null) return false;
    const wanted = Reflect.get(this, BRAND);
    for (const found of brandsOf(value)) if (found === wanted) return true;
    return false;
  }

  constructor(message: string, details: ErrorDetails = {}) {
    super(printable(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.server = details.server;
    this.command = details.command;
    this.key = details.key;
    this.sent = details.sent ?? false;
  }

  /** What a log needs, for `JSON.stringify`: name, message and fields, without the stack. */
  toJSON(): Record<string, unknown> {
    const { name, message, cause } = this;
    const fields = Object.entries(this).map(([field, value]) => [field, loggable(value)]);
    const said = { name, message, ...Object.fromEntries(fields) };
    return cause === undefined ? said : { ...said, cause: loggable(cause) };
  }
}

/** Of an error that is not one of ours, no more than this: its fields may be anything. */
function loggable(value: unknown): unknown {
  if (typeof value === "string") return printable(value);
  if (!isError(value) || value instanceof MemcachedError) return value;
  const { name, message } = value;
  return { name, message: printable(message), code: Reflect.get(value, "code") };
}

/** Whether it is an error, of any realm: in Jest those of Node itself are of another one. */
function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
}

/** What a cause says for itself, for the message of an error that has it. */
export function messageOf(cause: unknown): string {
  return isError(cause) ? cause.message : String(cause);
}

/** Anything that was thrown as an error of this library; its own errors are that already. */
export function asMemcachedError(
  cause: unknown,
  message: string = messageOf(cause),
): MemcachedError {
  return cause instanceof MemcachedError ? cause : new MemcachedError(message, { cause });
}

/** Adds to an error what it is about, unless it has that already. */
export function concerning(
  error: unknown,
  { command, key }: Pick<ErrorDetails, "command" | "key">,
): unknown {
  if (error instanceof MemcachedError && !Object.isFrozen(error)) {
    Object.assign(error, { command: error.command ?? command, key: error.key ?? key });
  }
  return error;
}

/** A call that cannot be carried out as it was written; nothing was sent. */
export class ArgumentError extends MemcachedError {
  override readonly code: string = "ERR_MEMCACHED_ARGUMENT";
  override readonly retcode: number | undefined = 38;
  static {
    brand(ArgumentError, "ArgumentError");
  }
}

/** A key that memcached cannot hold: empty, over 250 bytes, or with forbidden bytes. */
export class KeyError extends ArgumentError {
  override readonly code: string = "ERR_MEMCACHED_KEY";
  override readonly retcode: number | undefined = 33;
  static {
    brand(KeyError, "KeyError");
  }
}

/** An option, behavior or server string that is unknown or out of its range. */
export class OptionError extends ArgumentError {
  override readonly code: string = "ERR_MEMCACHED_OPTION";
  static {
    brand(OptionError, "OptionError");
  }
}

/**
 * A value over the item size limit: this client's own (`maxValueSize`), then
 * nothing was sent, or the server's, which also drops the key's old value.
 */
export class ValueTooLargeError extends ArgumentError {
  override readonly code: string = "ERR_MEMCACHED_VALUE_TOO_LARGE";
  override readonly retcode: number | undefined = 37;
  /** The encoded value's size in bytes. */
  readonly size: number;
  /** The limit in bytes, where it is known. */
  readonly limit: number | undefined;
  static {
    brand(ValueTooLargeError, "ValueTooLargeError");
  }
  constructor(message: string, size: number, limit: number | undefined, details?: ErrorDetails) {
    super(message, details);
    this.size = size;
    this.limit = limit;
  }
}

/** This wire or this server has no words for what was asked. */
export class NotSupportedError extends MemcachedError {
  override readonly code: string = "ERR_MEMCACHED_NOT_SUPPORTED";
  override readonly retcode: number | undefined = 28;
  static {
    brand(NotSupportedError, "NotSupportedError");
  }
}

/** The network or the server's process failed, not the request. */
export class NetworkError extends MemcachedError {
  override readonly code: string = "ERR_MEMCACHED_NETWORK";
  static {
    brand(NetworkError, "NetworkError");
  }
}

/** No connection could be made; `cause` has Node's own error and its code. */
export class ConnectError extends NetworkError {
  override readonly code: string = "ERR_MEMCACHED_CONNECT";
  override readonly retcode: number | undefined = 3;
  static {
    brand(ConnectError, "ConnectError");
  }
}

/** The connection ended while the operation was waiting, or the client was closed. */
export class ConnectionClosedError extends NetworkError {
  override readonly code: string = "ERR_MEMCACHED_CONNECTION_CLOSED";
  override readonly retcode: number | undefined = 3;
  static {
    brand(ConnectionClosedError, "ConnectionClosedError");
  }
}

/** The deadline passed (`timeoutMs`: the whole operation, connecting and retries included). */
export class TimeoutError extends NetworkError {
  override readonly code: string = "ERR_MEMCACHED_TIMEOUT";
  override readonly retcode: number | undefined = 31;
  static {
    brand(TimeoutError, "TimeoutError");
  }
}

/**
 * As many operations, or as many bytes of them, as the client's limits allow already wait
 * for this server: it does not keep up. Nothing was sent.
 */
export class QueueFullError extends NetworkError {
  override readonly code: string = "ERR_MEMCACHED_QUEUE_FULL";
  static {
    brand(QueueFullError, "QueueFullError");
  }
}

/** The server refused the credentials, or wants some. It never shows the password. */
export class AuthError extends NetworkError {
  override readonly code: string = "ERR_MEMCACHED_AUTH";
  override readonly retcode: number | undefined = 41;
  static {
    brand(AuthError, "AuthError");
  }
}

/**
 * With a `failover`, the key's server is dead and none may stand in; or a source of servers
 * names none.
 */
export class NoServerError extends MemcachedError {
  override readonly code: string = "ERR_MEMCACHED_NO_SERVER";
  override readonly retcode: number | undefined = 20;
  static {
    brand(NoServerError, "NoServerError");
  }
}

/** Every client of a pool is in use, and none came back in the time to wait. */
export class PoolExhaustedError extends MemcachedError {
  override readonly code: string = "ERR_MEMCACHED_POOL_EXHAUSTED";
  static {
    brand(PoolExhaustedError, "PoolExhaustedError");
  }
}

/** The server answered with an error line; its own words are in `reply`. */
export class ReplyError extends MemcachedError {
  override readonly code: string = "ERR_MEMCACHED_REPLY";
  /** The server's line, as it came. */
  readonly reply: string;
  static {
    brand(ReplyError, "ReplyError");
  }
  constructor(message: string, reply: string, details?: ErrorDetails) {
    super(message, { sent: true, ...details });
    this.reply = reply;
  }
}

/** `CLIENT_ERROR …`: the server found fault with the request. */
export class ClientErrorReply extends ReplyError {
  override readonly code: string = "ERR_MEMCACHED_CLIENT_ERROR";
  override readonly retcode: number | undefined = 9;
  static {
    brand(ClientErrorReply, "ClientErrorReply");
  }
}

/** `SERVER_ERROR …`: the server could not do it. */
export class ServerErrorReply extends ReplyError {
  override readonly code: string = "ERR_MEMCACHED_SERVER_ERROR";
  override readonly retcode: number | undefined = 10;
  static {
    brand(ServerErrorReply, "ServerErrorReply");
  }
}

/** `ERROR`: the server does not know the command. */
export class UnknownCommandReply extends ReplyError {
  override readonly code: string = "ERR_MEMCACHED_UNKNOWN_COMMAND";
  override readonly retcode: number | undefined = 11;
  static {
    brand(UnknownCommandReply, "UnknownCommandReply");
  }
}

/** Bytes that are not a reply, or not the reply to what was asked: the connection is dropped. */
export class ProtocolError extends MemcachedError {
  override readonly code: string = "ERR_MEMCACHED_PROTOCOL";
  override readonly retcode: number | undefined = 8;
  static {
    brand(ProtocolError, "ProtocolError");
  }
}

/** A value that cannot be encoded, or stored bytes that cannot be decoded. */
export class CodecError extends MemcachedError {
  override readonly code: string = "ERR_MEMCACHED_CODEC";
  static {
    brand(CodecError, "CodecError");
  }
}

/**
 * Thrown by a `deserialize` function to say that what is stored counts as a
 * miss, for instance because an older version of the program wrote it.
 */
export class CacheMiss extends CodecError {
  override readonly code: string = "ERR_MEMCACHED_CACHE_MISS";
  static {
    brand(CacheMiss, "CacheMiss");
  }
  constructor(message = "The stored value counts as a miss", details?: ErrorDetails) {
    super(message, details);
  }
}

/** A call on many keys or all servers that failed in part. */
export class PartialError<Results = unknown> extends MemcachedError {
  override readonly code: string = "ERR_MEMCACHED_PARTIAL";
  override readonly retcode: number | undefined = 19;
  /**
   * What did arrive, in the form that the call resolves to. It is not enumerable, so that no
   * log gets the values.
   */
  declare readonly results: Results;
  /** One error for each server that failed, by the server's name. */
  readonly errors: ReadonlyMap<string, MemcachedError>;
  static {
    brand(PartialError, "PartialError");
  }
  constructor(
    message: string,
    results: Results,
    errors: ReadonlyMap<string, MemcachedError>,
    details?: ErrorDetails,
  ) {
    super(message, details);
    Object.defineProperty(this, "results", { value: results });
    this.errors = errors;
  }

  override toJSON(): Record<string, unknown> {
    const { cause, ...said } = super.toJSON(); // which is among the errors
    return { ...said, errors: Object.fromEntries(this.errors) };
  }
}
