import type { AsyncLocalStorage } from "node:async_hooks";
import { ArgumentError, ConnectionClosedError } from "../../errors.js";
import { builtin } from "../../util/builtin.js";
import { checkFunction } from "../../util/check.js";
import type { Client } from "../client.js";
import { checkMaster, PoolMember } from "./member.js";

const asyncHooks = builtin("node:async_hooks");

/** What a chain of asynchronous calls has of a pool. */
interface Context<C extends Client> {
  member: PoolMember<C> | undefined;
  /** How many reservations go on in it; with the last it is over, also for what it left behind. */
  reservations: number;
}

/**
 * A client for each asynchronous context, as pylibmc's `ThreadMappedPool` has one for
 * each thread. A context begins with `reserve` and goes along with everything that its
 * function starts and awaits; a `reserve` inside gives the same client again. It ends with
 * the last of these, and what was started in it and reserves later begins another. Its client
 * then serves the next context, so that there are as many clients as there were ever
 * contexts at once.
 *
 * A worker thread makes a pool of its own.
 */
export class ThreadMappedPool<C extends Client = Client> implements AsyncDisposable {
  readonly #master: C;
  readonly #context: AsyncLocalStorage<Context<C>> = new (asyncHooks().AsyncLocalStorage)();
  readonly #idle: PoolMember<C>[] = [];
  #closed = false;

  /** @param master - what every client is a clone of; it stays outside */
  constructor(master: C) {
    checkMaster(master);
    this.#master = master;
  }

  /**
   * Runs a function with its context's client.
   * @returns what the function returns
   */
  async reserve<Result>(use: (client: C) => Result | PromiseLike<Result>): Promise<Result> {
    if (this.#closed) throw new ConnectionClosedError("The pool was closed");
    checkFunction(use, "What uses a client", ArgumentError);
    const context = this.#present ?? { member: undefined, reservations: 0 };
    context.reservations++;
    try {
      return await this.#context.run(context, () => use(this.#clientOf(context)));
    } finally {
      if (--context.reservations === 0) this.#keep(context.member);
    }
  }

  /**
   * Takes the present context's client out of the pool, for the caller to close; outside
   * of all contexts, one that is not in use.
   * @returns undefined if there is none
   */
  relinquish(): C | undefined {
    const context = this.#present;
    if (context === undefined) return this.#idle.pop()?.client;
    const { member } = context;
    context.member = undefined;
    return member?.client;
  }

  /** Closes every client; those in use when their contexts end. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map(({ client }) => client.close()));
  }

  /** The same as {@link ThreadMappedPool.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #present(): Context<C> | undefined {
    const context = this.#context.getStore();
    return context?.reservations === 0 ? undefined : context;
  }

  #clientOf(context: Context<C>): C {
    context.member ??= this.#idle.pop();
    context.member = context.member?.renewed() ?? new PoolMember(this.#master);
    return context.member.client;
  }

  #keep(member: PoolMember<C> | undefined): void {
    if (member === undefined) return;
    if (this.#closed) void member.client.close();
    else this.#idle.push(member);
  }
}
