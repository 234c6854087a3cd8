import type { AsyncLocalStorage } from "node:async_hooks";
import { ArgumentError, ConnectionClosedError } from "../../errors.js";
import { builtin } from "../../util/builtin.js";
import { checkFunction } from "../../util/check.js";
import { allSettled } from "../../util/ready.js";
import type { Client } from "../client.js";
import type { CloseOptions } from "../cluster.js";
import { checkMaster, Ending, PoolMember } from "./member.js";

const asyncHooks = builtin("node:async_hooks");

/** What a chain of asynchronous calls has of a pool. */
class Context<C extends Client> {
  member: PoolMember<C> | undefined = undefined;
  /** How many reservations go on in it; with the last it is over, also for what it left behind. */
  reservations = 0;
  end: () => void = () => {};
  readonly ended: Promise<void> = new Promise((resolve) => {
    this.end = resolve;
  });
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
  readonly #contexts = new Set<Context<C>>();
  /** Undefined until the pool is closed. */
  #ending: Ending<C> | undefined = undefined;

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
    if (this.#ending !== undefined) throw new ConnectionClosedError("The pool was closed");
    checkFunction(use, "What uses a client", ArgumentError);
    const context = this.#present ?? new Context<C>();
    this.#contexts.add(context);
    context.reservations++;
    try {
      return await this.#context.run(context, () => use(this.#clientOf(context)));
    } finally {
      if (--context.reservations === 0) this.#end(context);
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

  /**
   * Closes every client; those in use when their contexts end, which it waits for, but for its
   * caller's: as long as their `timeoutMs`, unless `drainMs` says otherwise.
   */
  async close(options?: CloseOptions): Promise<void> {
    this.#ending = (this.#ending ?? new Ending<C>()).begin(options);
    for (const member of this.#idle.splice(0)) this.#ending.end(member);
    const own = this.#present;
    const others = [...this.#contexts].filter((context) => context !== own);
    const inUse = others.flatMap(({ member }) => member ?? []);
    await this.#ending.wait(inUse, allSettled(others.map(({ ended }) => ended)));
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

  #end(context: Context<C>): void {
    this.#contexts.delete(context);
    const { member } = context;
    if (member !== undefined) {
      if (this.#ending === undefined) this.#idle.push(member);
      else this.#ending.end(member);
    }
    context.end();
  }
}
