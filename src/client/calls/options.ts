import { OptionError } from "../../errors.js";
import type { Ttl } from "../../protocol/exptime.js";
import type { Key } from "../../protocol/key.js";
import { checkBoolean, checkOptions } from "../../util/check.js";
import { type NamesOf, namesOf } from "../../util/names.js";
import { show } from "../../util/show.js";
import type { CompressOptions } from "../../value/codec.js";

/** What every call on keys takes. */
export interface CallOptions {
  /**
   * Milliseconds for the whole call; the client's option of this name says when they begin.
   * @defaultValue the client's `timeoutMs`
   */
  readonly timeoutMs?: number | undefined;
  /** Rejects the call with the signal's reason as soon as it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Put in front of the key, behind the client's own prefix; it takes part in placement. */
  readonly keyPrefix?: Key | undefined;
  /** Decides the server in the place of the key, so that related keys are on one server. */
  readonly groupKey?: Key | undefined;
}

/** What calls that change an item take. */
export interface WriteOptions extends CallOptions {
  /**
   * The server does not answer: the call resolves when its bytes are handed to the
   * connection, and never learns what became of it.
   * @defaultValue the behavior `_noreply`, except for `touch`, where it is false
   */
  readonly noreply?: boolean | undefined;
}

/** What calls that store a value take. */
export interface StoreOptions extends WriteOptions {
  /**
   * Whole seconds from now (0: for ever; negative: not at all), or a Date. Times past
   * 30 days are sent as absolute ones; none can be past 2038-01-19.
   * @defaultValue 0
   */
  readonly ttl?: Ttl | undefined;
  /** The client flags, 0 to 2^32 - 1, in the place of those that the value's type has. */
  readonly flags?: number | undefined;
  /** Compresses the value, or not, whatever the client's default. */
  readonly compress?: boolean | CompressOptions | undefined;
}

/** What `append` and `prepend` take: the item keeps its own ttl and flags. */
export interface JoinOptions extends WriteOptions {}

/** What calls that count take. */
export interface ArithmeticOptions extends WriteOptions {
  /**
   * The number that a missing item starts with; without it a miss stays a miss. To make it takes
   * a second request, so that calls on the key which did not await this one may come first. Past
   * 2^53 it needs a delta that is a bigint.
   */
  readonly initial?: number | bigint | undefined;
  /** How long an item lives that `initial` made. @defaultValue 0 */
  readonly ttl?: Ttl | undefined;
}

/** What calls on every server take. */
export interface AdminOptions {
  /** Milliseconds until the call is settled. @defaultValue the client's `timeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Rejects the call with the signal's reason as soon as it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** What `flushAll` takes. */
export interface FlushOptions extends AdminOptions {
  /**
   * Whole seconds after which the items are gone, at most 30 days: memcached takes more for a
   * date, long past.
   * @defaultValue 0
   */
  readonly delay?: number | undefined;
  /**
   * The servers do not answer: the call resolves when its bytes are handed to the connections.
   * @defaultValue the behavior `_noreply`
   */
  readonly noreply?: boolean | undefined;
}

const ADMIN: NamesOf<AdminOptions> = { timeoutMs: true, signal: true };
export const CALL: NamesOf<CallOptions> = { ...ADMIN, keyPrefix: true, groupKey: true };
const WRITE: NamesOf<WriteOptions> = { ...CALL, noreply: true };

/** The option names of each kind of call, to refuse all others. */
export const CALL_OPTIONS: ReadonlySet<string> = namesOf<CallOptions>(CALL);
export const WRITE_OPTIONS: ReadonlySet<string> = namesOf<WriteOptions>(WRITE);
export const STORE_OPTIONS: ReadonlySet<string> = namesOf<StoreOptions>({
  ...WRITE,
  ttl: true,
  flags: true,
  compress: true,
});
export const ARITHMETIC_OPTIONS: ReadonlySet<string> = namesOf<ArithmeticOptions>({
  ...WRITE,
  initial: true,
  ttl: true,
});
export const ADMIN_OPTIONS: ReadonlySet<string> = namesOf<AdminOptions>(ADMIN);
export const FLUSH_OPTIONS: ReadonlySet<string> = namesOf<FlushOptions>({
  ...ADMIN,
  delay: true,
  noreply: true,
});

/** `set(key, value, 60)` is short for `set(key, value, { ttl: 60 })`. */
export function storeOptions(options: StoreOptions | Ttl | undefined): StoreOptions | undefined {
  if (typeof options === "number" || options instanceof Date) return { ttl: options };
  return options;
}

const COMPRESS_OPTIONS = namesOf<CompressOptions>({
  minLength: true,
  level: true,
  algorithm: true,
});

/** What a call or a client says of compression, but for the ranges, which the codec checks. */
export function checkCompress(compress: unknown): void {
  if (typeof compress === "object" && compress !== null) {
    checkOptions(compress, COMPRESS_OPTIONS, "compress");
  } else if (compress !== undefined) {
    checkBoolean(compress, "compress", "an object such as { level: 6 }");
  }
}

/** A signal by its shape, as Node itself looks at one: in jsdom `AbortSignal` is another class. */
export function checkSignal(signal: unknown): AbortSignal {
  if (isSignal(signal)) return signal;
  throw new OptionError(`signal must be an AbortSignal, not ${show(signal)}`);
}

function isSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value
  );
}
