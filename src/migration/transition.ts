import type { Client } from "../client/client.js";
import { type CloseOptions, drainTime, settingsOf } from "../client/cluster.js";
import { timers } from "../util/timers.js";
import type { MigrationEvents } from "./events.js";
import {
  checkReads,
  checkStrict,
  type MigrationOptions,
  type MigrationReads,
  type MigrationStrictness,
} from "./options.js";
import { Pair } from "./pair.js";
import type { MigrationProgress } from "./progress.js";

/** The two clusters of a migration. Their clients are the migration's own from then on. */
export interface MigrationClients<Value = unknown> {
  /** The old cluster. */
  readonly from: Client<Value>;
  /** The new cluster, empty to begin with. */
  readonly to: Client<Value>;
}

/** The two clusters of a migration, for those of this folder that share its work. */
export let pairOf: <Value>(transition: Transition<Value>) => Pair<Value>;

/** Two clusters on the way from one to the other: how far that is, what is told of it, and its end. */
export abstract class Transition<Value> implements AsyncDisposable {
  readonly #pair: Pair<Value>;
  #telling: NodeJS.Timeout | undefined = undefined;

  static {
    pairOf = (transition) => transition.#pair;
  }

  constructor(clients: MigrationClients<Value>, options: MigrationOptions) {
    this.#pair = new Pair(clients?.from, clients?.to, options);
  }

  /** The client of the old cluster. */
  get from(): Client<Value> {
    return this.#pair.from;
  }

  /** The client of the new cluster. */
  get to(): Client<Value> {
    return this.#pair.to;
  }

  /**
   * Where values are read and stored; see {@link MigrationOptions.reads}. A change holds
   * from the next call on.
   * @throws OptionError on setting anything else
   */
  get reads(): MigrationReads {
    return this.#pair.settings.reads;
  }

  set reads(reads: MigrationReads) {
    this.#pair.settings.reads = checkReads(reads);
  }

  /**
   * Which calls reject if the other cluster failed; see {@link MigrationOptions.strict}.
   * @throws OptionError on setting anything else
   */
  get strict(): MigrationStrictness {
    return this.#pair.settings.strict;
  }

  set strict(strict: MigrationStrictness) {
    this.#pair.settings.strict = checkStrict(strict);
  }

  /** How far this process has come. */
  progress(): MigrationProgress {
    return this.#pair.progress();
  }

  /**
   * Calls `listener` with the progress every `progressIntervalMs` (`progress`), or with
   * each failure of the cluster that its call did not depend on (`failure`).
   */
  on<Type extends keyof MigrationEvents>(
    type: Type,
    listener: (event: MigrationEvents[Type]) => void,
  ): this {
    const { events, settings } = this.#pair;
    events.on(type, listener);
    if (type === "progress" && !this.closed) {
      const tell = () => events.emit("progress", this.progress());
      this.#telling ??= timers.setInterval(tell, settings.progressIntervalMs).unref();
    }
    return this;
  }

  /** Calls `listener` no longer. */
  off<Type extends keyof MigrationEvents>(
    type: Type,
    listener: (event: MigrationEvents[Type]) => void,
  ): this {
    this.#pair.events.off(type, listener);
    return this;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#pair.closing;
  }

  /** Waits for what is under way, values on their way over included, and closes both clients. */
  async close(options?: CloseOptions): Promise<void> {
    const drainMs = drainTime(options, settingsOf(this.to).dispatcher.timeoutMs);
    const end = performance.now() + drainMs;
    timers.clearInterval(this.#telling);
    await this.#pair.finish(drainMs);
    const left = { drainMs: Math.max(0, Math.ceil(end - performance.now())) };
    await Promise.all([this.from.close(left), this.to.close(left)]);
  }

  /** The same as {@link Migration.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
