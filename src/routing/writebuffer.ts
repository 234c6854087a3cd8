import { isUdp } from "../connection/address.js";
import type { QueueLimits } from "../connection/queue.js";
import type { Executor, Operation } from "../operation.js";
import { OK } from "../protocol/reply.js";
import { isSilent, type Request } from "../protocol/request.js";
import { isUnconditional } from "./copywrite.js";
import { relay } from "./relay.js";
import type { Router } from "./router.js";
import type { Server } from "./server.js";

/** How much is held for one server; libmemcached holds 8 KiB. */
const MAX_HELD_BYTES = 64 * 1024;

/** About what a change takes beside its key and value. */
const COMMAND_BYTES = 48;

/** Takes a change that its caller believes made, with what it failed with. */
export type OnLost = (operation: Operation, error: unknown) => void;

interface Held {
  readonly operation: Operation;
  /** Milliseconds that it has from the moment it is sent. */
  readonly timeoutMs: number;
}

/** The changes to one server's items: those that are held, and what of them is not answered. */
interface Batch {
  held: Held[];
  heldBytes: number;
  /** Held or sent, and not answered. */
  operations: number;
  bytes: number;
}

/**
 * Holds changes back until something else goes to their server, libmemcached's
 * BUFFER_REQUESTS: a `set` or `delete` succeeds when it is held, as does whatever wants no
 * reply. All that is held for a server leaves in its order, before the operation that
 * caused it to.
 *
 * ```
 *     set a   set b   delete c   get a
 *     held    held    held       ▶ set a, set b, delete c, get a
 * ```
 *
 * What would make a batch too large is not held, but sent behind it and answered: so a
 * program that writes in a loop goes at its server's pace, and what it writes to a server
 * that does not keep up is refused like any other call.
 */
export class WriteBuffer implements Executor {
  readonly #router: Router;
  readonly #next: Executor;
  readonly #maxOperations: number;
  readonly #maxBytes: number;
  readonly #onLost: OnLost;
  readonly #batches = new WeakMap<Server, Batch>();

  /** @param limits - of what may wait for a server: what is held has half of that */
  constructor(router: Router, next: Executor, limits: QueueLimits, onLost: OnLost) {
    this.#router = router;
    this.#next = next;
    this.#maxOperations = limits.maxOperations / 2;
    this.#maxBytes = limits.maxBytes / 2;
    this.#onLost = onLost;
  }

  execute(operation: Operation): void {
    const server = this.#router.serverFor(operation.route);
    const batch = this.#batchOf(server);
    if (mayBeHeld(operation.request) && isWorthHolding(server) && this.#hasRoom(batch, operation)) {
      hold(batch, operation);
    } else {
      this.#send(batch);
      this.#next.execute(operation);
    }
  }

  /** Sends all that is held. */
  release(): void {
    for (const server of this.#router.servers) {
      const batch = this.#batches.get(server);
      if (batch !== undefined) this.#send(batch);
    }
  }

  #batchOf(server: Server): Batch {
    let batch = this.#batches.get(server);
    if (batch === undefined) {
      batch = { held: [], heldBytes: 0, operations: 0, bytes: 0 };
      this.#batches.set(server, batch);
    }
    return batch;
  }

  #hasRoom(batch: Batch, operation: Operation): boolean {
    return (
      batch.heldBytes + bytesOf(operation) <= MAX_HELD_BYTES &&
      batch.operations < this.#maxOperations &&
      batch.bytes + operation.size <= this.#maxBytes
    );
  }

  #send(batch: Batch): void {
    const { held } = batch;
    if (held.length === 0) return;
    batch.held = [];
    batch.heldBytes = 0;
    const now = performance.now();
    for (const { operation, timeoutMs } of held) {
      const answered = () => {
        batch.operations--;
        batch.bytes -= operation.size;
      };
      const sent = relay(operation, {
        deadline: now + timeoutMs,
        settle: answered,
        fail: (error) => {
          answered();
          this.#onLost(operation, error);
        },
      });
      this.#next.execute(sent);
    }
  }
}

function hold(batch: Batch, operation: Operation): void {
  batch.held.push({ operation, timeoutMs: operation.deadline - performance.now() });
  batch.heldBytes += bytesOf(operation);
  batch.operations++;
  batch.bytes += operation.size;
  operation.settle(OK);
}

function bytesOf({ request, size }: Operation): number {
  return COMMAND_BYTES + request.key.length + size;
}

/** What has a result that can be told beforehand. */
function mayBeHeld(request: Request): boolean {
  if (isSilent(request)) return true;
  const isChange = request.verb === "set" || request.verb === "delete";
  return isChange && isUnconditional(request) && request.meta === undefined;
}

/** A dead server refuses at once, and over UDP what is sent together arrives in any order. */
function isWorthHolding(server: Server): boolean {
  return !server.isDead && !isUdp(server.address);
}
