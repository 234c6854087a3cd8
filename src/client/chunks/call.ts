import { TimeoutError } from "../../errors.js";
import { type Command, Operation } from "../../operation.js";
import type { KeyRequest } from "../../protocol/request.js";
import type { Dispatcher } from "../calls/dispatcher.js";
import type { CallOptions } from "../calls/options.js";

/** How many chunks of a value are under way at once; no more than these are in memory twice. */
const AT_ONCE = 8;

/** The requests that one call makes for chunks: its time, signal and group key hold for all. */
export class ChunkCall {
  readonly dispatcher: Dispatcher;
  readonly #deadline: number;
  /** Half of its time is over then. */
  readonly #halftime: number;
  /** As they were when the call was made; the program may use its object for another call. */
  readonly #options: CallOptions;

  constructor(dispatcher: Dispatcher, options: CallOptions | undefined, deadline: number) {
    this.dispatcher = dispatcher;
    this.#options = { signal: options?.signal, groupKey: options?.groupKey };
    this.#deadline = deadline;
    this.#halftime = (performance.now() + deadline) / 2;
  }

  ask<Result>(command: Command<Result>, request: KeyRequest): Promise<Result> {
    const { dispatcher } = this;
    return new Promise((resolve, reject) => {
      const now = performance.now();
      if (now >= this.#deadline) {
        throw new TimeoutError(
          `${command.name} ran out of time between two chunks; raise timeoutMs for large values`,
          { command: command.name, sent: true },
        );
      }
      const operation = new Operation(
        command,
        dispatcher.sendable(request),
        dispatcher.route(request.key, this.#options),
        dispatcher.codec,
        this.#deadline,
        resolve,
        reject,
      );
      operation.moved = now > this.#halftime; // what was before took too long, or the program did
      dispatcher.start(operation, dispatcher.executor, this.#options.signal);
    });
  }

  /**
   * Does something for each chunk, and stops at the first for which the answer is no.
   * Nothing is under way any more when this settles.
   * @returns whether the answer was yes for all
   */
  async every(count: number, work: (index: number) => Promise<boolean>): Promise<boolean> {
    let next = 0;
    let all = true;
    const worker = async () => {
      try {
        while (all && next < count) all = (await work(next++)) && all;
      } catch (error) {
        all = false;
        throw error;
      }
    };
    const workers = Array.from({ length: Math.min(AT_ONCE, count) }, worker);
    const ends = await Promise.allSettled(workers);
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return all;
  }
}
