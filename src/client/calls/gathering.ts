import { ArgumentError, MemcachedError, PartialError, ValueTooLargeError } from "../../errors.js";
import type { Operation } from "../../operation.js";
import { withoutStack } from "../../util/stackless.js";
import { traceBatch } from "./tracing.js";

export type Resolve<Result> = (result: Result) => void;
/** @param operation - what failed, where it is known */
export type Reject = (error: unknown, operation?: Operation) => void;

/** What a server's name ends at in a message: one name may be the beginning of another. */
const BETWEEN_WORDS = /[\s,;()"]+|[:.](?=\s|$)/;

/**
 * Several operations as one call: it waits for all of them, and a call that lost some
 * of its servers rejects with what the others answered.
 */
export class Gathering<Results> {
  readonly #command: string;
  readonly #results: Results;
  readonly #resolve: Resolve<Results>;
  readonly #reject: Reject;
  readonly #errors = new Map<string, MemcachedError>();
  #remaining: number;
  #aborted = false;

  constructor(
    command: string,
    count: number,
    results: Results,
    resolve: Resolve<Results>,
    reject: Reject,
  ) {
    this.#command = command;
    this.#remaining = count;
    this.#results = results;
    const ends = traceBatch({ command, size: count }, { resolve, reject });
    this.#resolve = ends.resolve;
    this.#reject = ends.reject;
    if (count === 0) this.#resolve(results);
  }

  /** Waits for `count` operations more. */
  add(count: number): void {
    this.#remaining += count;
  }

  /** One operation is answered. */
  done(): void {
    if (--this.#remaining === 0 && !this.#aborted) this.#finish();
  }

  /**
   * One operation failed. What no server is to blame for ends the whole call: arguments that
   * are wrong, an abort's reason, a user's own exception.
   * @param home - the server that it was meant for, if the error names none: another may have
   *   stood in for that
   */
  fail(home: string, error: unknown): void {
    if (error instanceof MemcachedError && !isArgumentFault(error)) {
      const { server = home } = error;
      if (!this.#errors.has(server)) this.#errors.set(server, error);
    } else {
      this.end(error);
    }
    this.done();
  }

  /** Fails the whole call. */
  end(error: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reject(error);
  }

  #finish(): void {
    if (this.#errors.size === 0) this.#resolve(this.#results);
    else this.#reject(this.#partialError());
  }

  #partialError(): PartialError<Results> {
    const [[server, first]] = [...this.#errors] as [[string, MemcachedError]];
    const { size } = this.#errors;
    const at = first.message.split(BETWEEN_WORDS).includes(server) ? "" : ` at ${server}`;
    const count = size === 1 ? "" : ` at ${size} servers, the first`;
    const message = `${this.#command} failed${count}${at}: ${first.message}`;
    const sent = [...this.#errors.values()].some((error) => error.sent);
    const details = { server, command: this.#command, sent, cause: first };
    return withoutStack(() => new PartialError(message, this.#results, this.#errors, details));
  }
}

/** One call of `count` operations, which `begin` sends; what that throws is the call's failure. */
export function gather<Results>(
  command: string,
  count: number,
  results: Results,
  begin: (gathering: Gathering<Results>) => void,
): Promise<Results> {
  return new Promise((resolve, reject) => {
    const gathering = new Gathering(command, count, results, resolve, reject);
    try {
      begin(gathering);
    } catch (error) {
      gathering.end(error);
    }
  });
}

/** Not the size of one key's value, of which the other keys' values are independent. */
function isArgumentFault(error: MemcachedError): boolean {
  return error instanceof ArgumentError && !(error instanceof ValueTooLargeError);
}
