import { settingsOf } from "../client/cluster.js";
import { MemcachedError } from "../errors.js";
import type { Key } from "../protocol/key.js";
import type { Call } from "./call.js";
import type { Pair } from "./pair.js";

/** More values than these are not brought over at once; the others are at their next read. */
const MAX_WARMING = 1000;

/**
 * What a value's way over came to: it was in the new cluster already, it is now, the old
 * cluster has none, or the key was changed meanwhile.
 */
export type Outcome = "there" | "moved" | "missing" | "overtaken";

/**
 * Brings values over:
 *
 * ```
 *   the new cluster     add a placeholder, gets ─┐           ┌─ cas: with the placeholder's token
 *   the old cluster                              └─▶ get, mg ┘
 * ```
 *
 * A deletion goes to the old cluster first and then to the new one. If it reaches the new
 * one before the placeholder, then the value is read after it was deleted, and is not
 * there; if after the placeholder, then the token is void. The same holds for whatever
 * else changes the key.
 */
export class Transfer<Value> {
  readonly #pair: Pair<Value>;
  readonly #warming = new Set<string>();

  constructor(pair: Pair<Value>) {
    this.#pair = pair;
  }

  /** Brings a value over while nobody waits for it. */
  warm(key: Key, call: Call): void {
    const pair = this.#pair;
    const { dispatcher } = settingsOf(pair.to);
    const wireKey = dispatcher.key(key, call.place);
    if (this.#warming.has(wireKey) || this.#warming.size >= MAX_WARMING) return;
    this.#warming.add(wireKey);
    const warming = this.move(key, call.epilogue(dispatcher.timeoutMs), false)
      .catch((error: unknown) => {
        if (!(error instanceof MemcachedError)) throw error;
        pair.tally.failures++;
        if (!pair.to.closed) {
          pair.events.emit("failure", { cluster: "new", command: "warm", error });
        }
      })
      .finally(() => this.#warming.delete(wireKey));
    pair.background(warming);
  }

  /**
   * Brings a value over.
   * @param required - whether a failure of the old cluster is the call's own
   */
  async move(key: Key, call: Call, required: boolean): Promise<Outcome> {
    const { claims, old, settings, tally, to } = this.#pair;
    const claim = await claims.take(key, call);
    if (claim === undefined) return "overtaken";
    if (claim.isValue) return "there";
    const item = await old.item(key, call, required, settings.ttl);
    if (item === undefined) {
      await claims.release(key, claim, call);
      return "missing";
    }
    const options = { ...call.step(), ttl: item.ttl, noreply: false };
    if (await to.cas(key, item.value, claim.cas, options)) {
      tally.warmed++;
      return "moved";
    }
    tally.overtaken++;
    return "overtaken";
  }
}
