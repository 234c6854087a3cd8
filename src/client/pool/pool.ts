import { Drain } from "../../connection/drain.js";
import {
  ArgumentError,
  ConnectionClosedError,
  type MemcachedError,
  PoolExhaustedError,
} from "../../errors.js";
import { checkBoolean, checkDurationMs, checkInteger, checkOptions } from "../../util/check.js";
import { Fifo } from "../../util/fifo.js";
import { namesOf } from "../../util/names.js";
import { Sweep } from "../../util/sweep.js";
import type { Client } from "../client.js";
import type { CloseOptions } from "../cluster.js";
import { checkMaster, Ending, PoolMember } from "./member.js";

/** How long a reservation waits for a client. */
export interface ReserveOptions {
  /**
   * Whether to wait while every client is in use.
   * @defaultValue false, but true where `timeoutMs` is given
   */
  readonly block?: boolean | undefined;
  /** The most milliseconds to wait. @defaultValue no limit */
  readonly timeoutMs?: number | undefined;
}

export const RESERVE_OPTIONS: ReadonlySet<string> = namesOf<ReserveOptions>({
  block: true,
  timeoutMs: true,
});

/** A client in exclusive use, until it is disposed of: `using` does so at the block's end. */
export interface Reservation<C extends Client = Client> extends Disposable {
  /** The client, which nobody else uses meanwhile. */
  readonly client: C;
}

/** Somebody who waits for a client. */
interface Waiter<C extends Client> {
  readonly timeoutMs: number;
  deadline: number;
  /** Whether it takes the client; otherwise it was told why that fails. */
  take(member: PoolMember<C>): boolean;
  refuse(error: MemcachedError): void;
}

/**
 * Clients for exclusive use, as pylibmc's `ClientPool`. One client serves any number of
 * callers at once, so this is for programs that want connections of their own, or that
 * come from pylibmc.
 *
 * Every client is a clone and places keys as its master does, even after the master was
 * changed. They are handed out in turn, and those who wait are served in turn.
 */
export class ClientPool<C extends Client = Client> implements AsyncDisposable {
  readonly #idle = new Fifo<PoolMember<C>>();
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiter<C>>();
  readonly #inUse = new Set<PoolMember<C>>();
  /** One for all who wait, however many. */
  readonly #sweep = new Sweep((now, missedMs) => this.#giveUpLate(now, missedMs));
  readonly #drain = new Drain(() => this.#inUse.size > 0);
  /** Undefined until the pool is closed. */
  #ending: Ending<C> | undefined = undefined;

  /** @param count - how many clones of `master` to begin with */
  constructor(master?: C, count = 0) {
    if (master !== undefined) this.fill(master, count);
  }

  /** How many clients there are. */
  get size(): number {
    return this.#idle.length + this.#inUse.size;
  }

  /** How many of them are not in use. */
  get available(): number {
    return this.#idle.length;
  }

  /** Adds clones of a client, which itself stays outside. They connect when first used. */
  fill(master: C, count: number): void {
    checkInteger(count, "count", 0, 100_000, ArgumentError);
    checkMaster(master);
    this.#checkOpen();
    for (let i = 0; i < count; i++) this.#offer(new PoolMember(master));
  }

  /**
   * Reserves a client while a function runs. It comes back when the function's promise
   * is settled, even after an error.
   * @returns what the function returns
   * @throws PoolExhaustedError if every client is in use and it was not to wait, or waited
   * in vain
   */
  reserve<Result>(
    use: (client: C) => Result | PromiseLike<Result>,
    options?: ReserveOptions,
  ): Promise<Result>;
  /** Reserves a client until the reservation is disposed of. */
  reserve(options?: ReserveOptions): Promise<Reservation<C>>;
  async reserve<Result>(
    use: ((client: C) => Result | PromiseLike<Result>) | ReserveOptions | undefined,
    options?: ReserveOptions,
  ): Promise<Result | Reservation<C>> {
    if (typeof use !== "function") return this.#reservation(await this.#take(use));
    const member = await this.#take(options);
    try {
      return await use(member.client);
    } finally {
      this.#return(member);
    }
  }

  /**
   * Closes every client; those in use when they come back, which it waits for: as long as their
   * `timeoutMs`, unless `drainMs` says otherwise.
   */
  async close(options?: CloseOptions): Promise<void> {
    this.#ending = (this.#ending ?? new Ending<C>()).begin(options);
    for (const waiter of this.#waiting) waiter.refuse(closedError());
    for (const member of this.#idle.drain()) this.#ending.end(member);
    await this.#ending.wait(this.#inUse, this.#drain.wait());
  }

  /** The same as {@link ClientPool.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(options: ReserveOptions | undefined): PoolMember<C> | Promise<PoolMember<C>> {
    checkOptions(options, RESERVE_OPTIONS, "reserve");
    const { timeoutMs, block = timeoutMs !== undefined } = options ?? {};
    checkBoolean(block, "block");
    if (timeoutMs !== undefined) checkDurationMs(timeoutMs, "timeoutMs");
    this.#checkOpen();
    const member = this.#idle.shift();
    if (member !== undefined) {
      try {
        return this.#lend(member);
      } catch (error) {
        this.#offer(member);
        throw error;
      }
    }
    if (block) return this.#wait(timeoutMs);
    const { size } = this;
    const why = size === 0 ? "it was never filled" : `all ${size} clients are in use`;
    throw new PoolExhaustedError(`The pool has no client to give: ${why}`);
  }

  #wait(timeoutMs = Infinity): Promise<PoolMember<C>> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter<C> = {
        timeoutMs,
        deadline: performance.now() + timeoutMs,
        take: (member) => {
          this.#waiting.delete(waiter);
          try {
            resolve(this.#lend(member));
            return true;
          } catch (error) {
            reject(error);
            return false;
          }
        },
        refuse: (error) => {
          this.#waiting.delete(waiter);
          reject(error);
        },
      };
      this.#waiting.add(waiter);
      if (timeoutMs < Infinity) this.#sweep.start();
    });
  }

  /** A client that came back while the program was busy is given away first. */
  #giveUpLate(now: number, missedMs: number): boolean {
    let isLimited = false;
    for (const waiter of this.#waiting) {
      const { timeoutMs } = waiter;
      waiter.deadline = Math.min(waiter.deadline + missedMs, now + timeoutMs);
      if (waiter.deadline > now) {
        isLimited ||= timeoutMs < Infinity;
        continue;
      }
      const message = `No client of the pool's ${this.size} came back within ${timeoutMs} ms`;
      waiter.refuse(new PoolExhaustedError(message));
    }
    return isLimited;
  }

  /** Throws what a clone fails with; the member stays, for the next to try again. */
  #lend(member: PoolMember<C>): PoolMember<C> {
    const lent = member.renewed();
    this.#inUse.add(lent);
    return lent;
  }

  #reservation(member: PoolMember<C>): Reservation<C> {
    return { client: member.client, [Symbol.dispose]: () => this.#return(member) };
  }

  /** To return a client twice does no harm. */
  #return(member: PoolMember<C>): void {
    if (!this.#inUse.delete(member)) return;
    this.#offer(member);
    this.#drain.check();
  }

  /** Gives a client to the one who has waited longest, or keeps it until somebody asks. */
  #offer(member: PoolMember<C>): void {
    for (const waiter of this.#waiting) if (waiter.take(member)) return;
    if (this.#ending === undefined) this.#idle.push(member);
    else this.#ending.end(member);
  }

  #checkOpen(): void {
    if (this.#ending !== undefined) throw closedError();
  }
}

function closedError(): ConnectionClosedError {
  return new ConnectionClosedError("The pool was closed");
}
