import type { QueueLimits } from "../../connection/queue.js";
import { checkChoice, checkInteger } from "../../util/check.js";
import type { NamesOf } from "../../util/names.js";

/** What a client holds for a server that does not keep up. */
export interface LimitOptions {
  /**
   * How many operations of one server may wait to be sent or for their reply, on each of its
   * connections if it has several.
   * @defaultValue 100000
   */
  readonly maxQueueLength?: number | undefined;
  /**
   * How many bytes the values that they store may have in all; one alone may be larger.
   * @defaultValue 134217728 (128 MiB)
   */
  readonly maxQueueBytes?: number | undefined;
  /**
   * What becomes of a call past these limits: it fails with a QueueFullError, or it waits
   * for room until its deadline. Then it is up to the program how many calls it makes.
   * @defaultValue "fail"
   */
  readonly whenQueueFull?: "fail" | "wait" | undefined;
  /**
   * How many connections may be in the making at once, over all servers; others wait for
   * their turn, and calls for them no longer than until their deadline. One that takes more
   * than 100 ms keeps no other waiting.
   * @defaultValue 64
   */
  readonly maxConnecting?: number | undefined;
}

export const LIMIT_OPTIONS: NamesOf<LimitOptions> = {
  maxQueueLength: true,
  maxQueueBytes: true,
  whenQueueFull: true,
  maxConnecting: true,
};

const DEFAULT_LENGTH = 100_000;
const DEFAULT_BYTES = 128 * 1024 * 1024;
const DEFAULT_CONNECTING = 64;

/** @throws OptionError */
export function limitsOf(options: LimitOptions): QueueLimits {
  const {
    maxQueueLength = DEFAULT_LENGTH,
    maxQueueBytes = DEFAULT_BYTES,
    whenQueueFull = "fail",
  } = options;
  return {
    maxOperations: checkInteger(maxQueueLength, "maxQueueLength", 1, 2 ** 31 - 1),
    maxBytes: checkInteger(maxQueueBytes, "maxQueueBytes", 1, Number.MAX_SAFE_INTEGER),
    waits: checkChoice(whenQueueFull, "whenQueueFull", ["fail", "wait"]) === "wait",
  };
}

/** @throws OptionError */
export function maxConnectingOf({ maxConnecting = DEFAULT_CONNECTING }: LimitOptions): number {
  return checkInteger(maxConnecting, "maxConnecting", 1, 65535);
}
