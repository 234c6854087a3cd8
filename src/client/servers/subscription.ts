import { backoffMs } from "../../connection/backoff.js";
import { asMemcachedError, type MemcachedError, messageOf, OptionError } from "../../errors.js";
import { builtin } from "../../util/builtin.js";
import { show } from "../../util/show.js";
import type { Servers } from "./servers.js";

const timers = builtin("node:timers/promises");

/** How long to leave a source alone that goes on failing. */
const RETRY_CEILING_MS = 30_000;

/** Failures further apart than this are not in a row. */
const IN_A_ROW_MS = 2 * RETRY_CEILING_MS;

/**
 * The lists of a source, one after the other. A source that fails is iterated anew after a
 * while; one that ends, ends this too. Nothing of it keeps the process alive.
 */
export class Subscription implements AsyncIterableIterator<Servers, undefined> {
  /** Hears of each failure of the source. */
  onError: (error: MemcachedError) => void = () => {};
  readonly #source: AsyncIterable<Servers>;
  #iterator: AsyncIterator<Servers> | undefined = undefined;
  #ended = false;
  #failures = 0;
  #failedAt = 0;

  /** @throws OptionError for anything but an async iterable */
  constructor(source: AsyncIterable<Servers>) {
    if (typeof source?.[Symbol.asyncIterator] !== "function") {
      throw new OptionError(
        `A source of servers must be an async iterable of lists, such as elasticache("…"), not ${show(source)}`,
      );
    }
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next list, as the source gave it. */
  async next(): Promise<IteratorResult<Servers, undefined>> {
    while (!this.#ended) {
      try {
        this.#iterator ??= this.#source[Symbol.asyncIterator]();
        const result = await this.#iterator.next();
        if (result.done) this.#ended = true;
        else if (!this.#ended) return result;
      } catch (error) {
        this.#iterator = undefined;
        await this.#failed(error);
      }
    }
    return { done: true, value: undefined };
  }

  /** Asks the source for no more, and tells it so. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const iterator = this.#iterator;
    // What a source fails with at its end concerns nobody any more.
    void (async () => iterator?.return?.())().catch(() => {});
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#ended) return;
    const now = performance.now();
    this.#failures = now - this.#failedAt > IN_A_ROW_MS ? 1 : this.#failures + 1;
    this.#failedAt = now;
    this.onError(asMemcachedError(error, `The source of servers failed: ${messageOf(error)}`));
    const ms = backoffMs(this.#failures, RETRY_CEILING_MS, Math.random);
    await timers().setTimeout(ms, undefined, { ref: false });
  }
}
