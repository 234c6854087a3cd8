import { ArgumentError } from "../../errors.js";
import { within } from "../../util/ready.js";
import { show } from "../../util/show.js";
import { Client } from "../client.js";
import { type CloseOptions, drainTime, settingsOf } from "../cluster.js";

/** What a pool makes clones of. */
export function checkMaster(value: unknown): void {
  if (value instanceof Client) return;
  throw new ArgumentError(
    `A pool is filled with clones of a Client of its own copy of tslibmc, not of ${show(value)}`,
  );
}

/** A clone in a pool, with what tells whether it is still as good as new. */
export class PoolMember<C extends Client> {
  readonly client: C;
  readonly master: C;
  readonly #revision: number;
  readonly #masterRevision: number;

  constructor(master: C) {
    this.master = master;
    this.client = master.clone();
    this.#revision = settingsOf(this.client).revision;
    this.#masterRevision = settingsOf(master).revision;
  }

  /**
   * This member, which nobody has in use, or another in its place: a client that was closed, or
   * that no longer has its master's servers and behaviors, would fail or look for keys elsewhere.
   */
  renewed(): PoolMember<C> {
    const { client, master } = this;
    const unchanged =
      settingsOf(client).revision === this.#revision &&
      settingsOf(master).revision === this.#masterRevision;
    if (unchanged && !client.closed) return this;
    const next = new PoolMember(master);
    void client.close();
    return next;
  }
}

/** Ends the members of a pool that is closed: those that nobody has in use, and others as they come back. */
export class Ending<C extends Client> {
  #options: CloseOptions | undefined = undefined;
  readonly #ends: Promise<void>[] = [];

  /** @throws OptionError */
  begin(options: CloseOptions | undefined): this {
    drainTime(options, 0);
    this.#options = options;
    return this;
  }

  end({ client }: PoolMember<C>): void {
    this.#ends.push(client.close(this.#options));
  }

  /**
   * Waits until all have ended, but for those in use no longer than for what is under way.
   * @param back - when they will be back
   */
  async wait(inUse: Iterable<PoolMember<C>>, back: Promise<unknown> | undefined): Promise<void> {
    const times = Array.from(inUse, ({ client }) => settingsOf(client).dispatcher.timeoutMs);
    const drainMs = drainTime(this.#options, Math.max(0, ...times));
    if (back !== undefined && drainMs > 0) await within(drainMs, back);
    await Promise.all(this.#ends);
  }
}
