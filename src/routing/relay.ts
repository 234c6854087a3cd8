import { type Executor, Operation, type Rescuer } from "../operation.js";
import type { Hit, Reply } from "../protocol/reply.js";
import type { Request } from "../protocol/request.js";
import { passOn } from "./moving.js";

export interface RelayOptions {
  /** What is asked in the original's place. */
  readonly request?: Request;
  readonly deadline?: number;
  /** Whether that is too soon to tell anything of its server. */
  readonly moved?: boolean;
  /** Where the keys that are asked for stand among the original's. @defaultValue in the same places */
  readonly places?: readonly number[];
  /** Hears of each item of a many-key reply, which is the original's all the same. */
  readonly collected?: () => void;
  /** Takes the reply, which is valid only until this returns. @defaultValue the original's own */
  readonly settle?: (reply: Reply) => void;
  /** @defaultValue the original's own */
  readonly fail?: (error: unknown) => void;
}

/**
 * An operation that asks on behalf of another: what it learns is the other's, as if that
 * had been sent itself.
 */
export function relay(operation: Operation, options: RelayOptions): Operation {
  const { command } = operation;
  const {
    request = operation.request,
    deadline = operation.deadline,
    moved = operation.moved,
    places,
    collected = ignore,
    settle = (reply) => operation.settle(reply),
    fail = (error) => operation.fail(error),
  } = options;
  const { name, idempotent } = command;
  const read = (reply: Reply) => reply;
  const own = { name, idempotent, read };
  const collect = (index: number, hit: Hit) => {
    operation.collect(places?.[index] ?? index, hit);
    collected();
  };
  const relayed = new Operation(
    command.collect === undefined ? own : { ...own, collect },
    request,
    operation.route,
    operation.codec,
    deadline,
    settle,
    fail,
  );
  relayed.moved = moved;
  return relayed;
}

/** Whether those that nobody sent yet are called back, or only if none of them was sent. */
type Recall = "each" | "all";

/**
 * The operations that ask on behalf of one. When that fails, as after an abort, those
 * that were not sent yet never will be.
 *
 * The parts of a change are sent all or none (`"all"`): copies that differ would be worse
 * than an abort that came too late.
 */
export class Relays implements Rescuer {
  readonly #operation: Operation;
  readonly #recall: Recall;
  readonly #next: Rescuer | undefined;
  readonly #relays: Operation[] = [];
  readonly #recalled: (() => void) | undefined;

  /** @param recalled - hears that those which were not sent yet never will be */
  constructor(operation: Operation, recall: Recall, recalled?: () => void) {
    this.#operation = operation;
    this.#recall = recall;
    this.#recalled = recalled;
    this.#next = operation.rescuer;
    operation.rescuer = this;
  }

  send(server: Executor, options: RelayOptions): void {
    const relayed = relay(this.#operation, options);
    this.#relays.push(relayed);
    server.execute(relayed);
  }

  rescue(operation: Operation, error: unknown): boolean {
    this.recall();
    operation.sent ||= this.#relays.some(({ sent }) => sent);
    return passOn(operation, error, this.#next);
  }

  /**
   * Nobody waits for them any more. Those that were sent are left to come to their end: a
   * server that never answers would not be found out otherwise.
   */
  recall(): void {
    if (this.#recall === "all" && this.#relays.some(({ sent }) => sent)) return;
    for (const relayed of this.#relays) if (!relayed.sent) relayed.cancel();
    this.#recalled?.();
  }
}

function ignore(): void {}
