import type { MemcachedError } from "../errors.js";
import type { DeleteRequest, KeyRequest, Request } from "../protocol/request.js";
import { deletionOf } from "./deletion.js";

export interface RejoinOptions {
  /** What becomes of the values that a server has from before an outage. */
  readonly action: "flush" | "delete";
  /** Keys that are remembered for one server; past that it is flushed. */
  readonly maxRemembered: number;
}

/** A server forgot what it must not be asked for, or could not be made to. */
export interface RejoinEvent {
  /** Its name. */
  readonly server: string;
  /** Whether all of it was to be flushed, or keys to be deleted. */
  readonly action: "flush" | "delete";
  /** Keys that were deleted; 0 for a flush. */
  readonly keys: number;
  /** Why it failed; a dead server stays dead then, and the next probe's answer repeats it. */
  readonly error: MemcachedError | undefined;
}

export interface RejoinActions {
  /** Asks the server itself, whatever its health; rejects with a MemcachedError. */
  ask(request: Request): Promise<void>;
  done(event: Omit<RejoinEvent, "server">): void;
}

const FLUSH: Request = { verb: "admin", action: "flushAll", key: "", delay: 0, noreply: false };

/**
 * What is done about the old values of one server before it gets keys again: all of them
 * go, or those alone whose changes it missed, since they failed there or went elsewhere.
 */
export class Rejoin {
  /** What was done so far. */
  flushes = 0;
  deletions = 0;
  readonly #options: RejoinOptions;
  readonly #actions: RejoinActions;
  /** How many deletions may be under way at once. */
  readonly #batch: number;
  /** The keys whose changes it missed, as they will be deleted. */
  readonly #missed = new Map<string, DeleteRequest>();
  /** Whether it missed more than that. */
  #overflowed = false;

  constructor(options: RejoinOptions, batch: number, actions: RejoinActions) {
    this.#options = options;
    this.#batch = batch;
    this.#actions = actions;
  }

  /** Keys whose changes it missed, as far as they are remembered. */
  get remembered(): number {
    return this.#missed.size;
  }

  /** The server misses a request, which has failed there or goes elsewhere. */
  missed(request: Request): void {
    if (this.#options.action === "delete" && changes(request)) this.#remember(deletionOf(request));
  }

  /** The server, which can be asked, misses a request. */
  async delete(request: Request): Promise<void> {
    if (this.#options.action === "flush" || !changes(request)) return;
    const deletion = deletionOf(request);
    try {
      await this.#actions.ask(deletion);
      this.deletions++;
    } catch {
      this.#remember(deletion);
    }
  }

  /** Readies a server that was dead; undefined if there is nothing to do. */
  prepare(): Promise<void> | undefined {
    return this.#options.action === "flush" ? this.#flush() : this.catchUp();
  }

  /** Deletes what is remembered; undefined if there is nothing. */
  catchUp(): Promise<void> | undefined {
    if (this.#overflowed) return this.#flush();
    return this.#missed.size === 0 ? undefined : this.#deleteAll();
  }

  #remember(deletion: DeleteRequest): void {
    if (this.#overflowed) return;
    this.#missed.set(nameOf(deletion), deletion);
    if (this.#missed.size <= this.#options.maxRemembered) return;
    this.#overflowed = true;
    this.#missed.clear();
  }

  async #flush(): Promise<void> {
    this.#overflowed = false;
    this.#missed.clear();
    await this.#act("flush", async () => {
      try {
        await this.#actions.ask(FLUSH);
      } catch (error) {
        this.#overflowed = true;
        throw error;
      }
      this.flushes++;
    });
  }

  async #deleteAll(): Promise<void> {
    await this.#act("delete", async () => {
      while (this.#missed.size > 0) await this.#deleteSome();
    });
  }

  async #deleteSome(): Promise<void> {
    const deletions = [...this.#missed.values()].slice(0, this.#batch);
    for (const deletion of deletions) this.#missed.delete(nameOf(deletion));
    const failures: unknown[] = [];
    await Promise.all(
      deletions.map(async (deletion) => {
        try {
          await this.#actions.ask(deletion);
          this.deletions++;
        } catch (error) {
          this.#remember(deletion);
          failures.push(error);
        }
      }),
    );
    if (failures.length > 0) throw failures[0];
  }

  async #act(action: RejoinEvent["action"], act: () => Promise<void>): Promise<void> {
    const before = this.deletions;
    const told = (error: MemcachedError | undefined) =>
      this.#actions.done({ action, keys: this.deletions - before, error });
    try {
      await act();
    } catch (error) {
      told(error as MemcachedError);
      throw error;
    }
    told(undefined);
  }
}

/** Whether a server that misses a request may hold what nobody else does. */
function changes(request: Request): request is KeyRequest {
  if (request.verb === "admin") return false;
  return request.verb !== "get" || request.touch !== undefined;
}

/** A key sent in base64 is a different key from the same text sent as it is. */
function nameOf({ key, meta }: DeleteRequest): string {
  return meta === undefined ? key : ` ${key}`;
}
