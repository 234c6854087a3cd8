import type { Dispatcher } from "../client/calls/dispatcher.js";
import type { Given } from "../client/calls/keys.js";
import type { Client } from "../client/client.js";
import { settingsOf } from "../client/cluster.js";
import {
  KeyError,
  MemcachedError,
  NotSupportedError,
  PartialError,
  ReplyError,
} from "../errors.js";
import type { Key } from "../protocol/key.js";
import type { Call } from "./call.js";
import { Debts } from "./debts.js";

/** What a step came to in a cluster that its call does not depend on. */
type Failed = (command: string, error: MemcachedError) => void;

/**
 * A cluster in its part as the one that calls do not depend on: it has a short time for
 * each step, its failures are counted, and what it could not be told it is told later.
 * A key that it still has to be told of is not read there.
 */
export class Secondary<Value> {
  readonly #client: Client<Value>;
  readonly #dispatcher: Dispatcher;
  readonly #limitMs: number;
  readonly #failed: Failed;
  readonly #debts: Debts;
  /** Servers that failed and have not answered since. */
  readonly #failing = new Set<string>();

  constructor(client: Client<Value>, limitMs: number, failed: Failed) {
    this.#client = client;
    this.#dispatcher = settingsOf(client).dispatcher;
    this.#limitMs = limitMs;
    this.#failed = failed;
    this.#debts = new Debts(async ({ key, place }) => {
      await client.delete(key, { ...place, timeoutMs: limitMs, noreply: false });
    });
    client.on("health", ({ server, state }) => {
      if (state === "up") this.#failing.delete(server);
      else this.#failing.add(server);
    });
  }

  get owed(): number {
    return this.#debts.size;
  }

  get trusted(): boolean {
    return !this.#debts.overflowed;
  }

  /**
   * Reads a value.
   * @param required - whether a failure is the call's own, and no miss
   */
  async read<T>(key: Key, call: Call, required: boolean): Promise<T | undefined> {
    try {
      if (!this.#isReadable(key, call, required)) return undefined;
      return await this.#client.get<T>(key, call.step(this.#limitMs));
    } catch (error) {
      this.#report("get", error, call, required);
      return undefined;
    }
  }

  /** Reads many values; with `required` a failure is a PartialError that has the others. */
  async readMany<T, K extends Key>(
    keys: readonly K[],
    call: Call,
    required: boolean,
  ): Promise<Map<Given<K>, T>> {
    try {
      const readable = keys.filter((key) => this.#isReadable(key, call, required));
      return await this.#client.getMulti<T, K>(readable, call.step(this.#limitMs));
    } catch (error) {
      if (error instanceof KeyError) return await this.#readEach(keys, call, required);
      this.#report("getMulti", error, call, required);
      return error instanceof PartialError ? error.results : new Map();
    }
  }

  /**
   * Reads a value and how long it lives on.
   * @param unknownTtl - where the server has no words for that
   */
  async item(
    key: Key,
    call: Call,
    required: boolean,
    unknownTtl: number,
  ): Promise<{ readonly value: Value; readonly ttl: number } | undefined> {
    const [value, ttl] = await Promise.all([
      this.read<Value>(key, call, required),
      this.#ttl(key, call, required, unknownTtl),
    ]);
    return value === undefined || ttl === undefined ? undefined : { value, ttl };
  }

  /**
   * Deletes a key, or remembers that it is to be deleted.
   * @param required - whether a failure is the call's own
   * @returns whether there was an item
   */
  async drop(key: Key, call: Call, required: boolean): Promise<boolean> {
    if (!required && this.#isFailing(key, call)) {
      this.#owe(key, call);
      return false;
    }
    try {
      const options = { ...call.step(this.#limitMs), noreply: false };
      const deleted = await this.#client.delete(key, options);
      this.#debts.settle(this.#dispatcher.key(key, call.place));
      return deleted;
    } catch (error) {
      if (!(error instanceof KeyError)) this.#owe(key, call);
      this.#report("delete", error, call, required);
      return false;
    }
  }

  /** Deletes many keys as {@link Secondary.drop} does; returns those that had no item. */
  async dropMany(keys: readonly Key[], call: Call, required: boolean): Promise<Key[]> {
    const skipped = required ? [] : keys.filter((key) => this.#isFailing(key, call));
    for (const key of skipped) this.#owe(key, call);
    const others = skipped.length === 0 ? keys : keys.filter((key) => !this.#isFailing(key, call));
    try {
      const options = { ...call.step(this.#limitMs), noreply: false };
      const missing = await this.#client.deleteMulti(others, options);
      for (const key of others) this.#debts.settle(this.#dispatcher.key(key, call.place));
      return [...skipped, ...missing];
    } catch (error) {
      if (error instanceof KeyError) return await this.#dropEach(keys, call, required);
      const unknown: readonly Key[] = error instanceof PartialError ? error.results : others;
      for (const key of unknown) this.#owe(key, call);
      this.#report("deleteMulti", error, call, required);
      return [...skipped, ...unknown];
    }
  }

  /** Forgets what is owed. */
  stop(): void {
    this.#debts.stop();
  }

  async #readEach<T, K extends Key>(
    keys: readonly K[],
    call: Call,
    required: boolean,
  ): Promise<Map<Given<K>, T>> {
    const values = await Promise.all(keys.map((key) => this.read<T>(key, call, required)));
    const found = new Map<Given<K>, T>();
    for (const [i, key] of (keys as readonly Given<K>[]).entries()) {
      const value = values[i];
      if (value !== undefined) found.set(key, value);
    }
    return found;
  }

  /** The ttl that an item has left: 0 if it never ends, undefined if it has ended. */
  async #ttl(
    key: Key,
    call: Call,
    required: boolean,
    unknown: number,
  ): Promise<number | undefined> {
    const asked = { ...call.step(this.#limitMs), value: false, returnTtl: true, noBump: true };
    try {
      const ttl = (await this.#client.metaGet(key, asked))?.ttl ?? 0;
      return ttl === 0 ? undefined : Math.max(ttl, 0);
    } catch (error) {
      if (error instanceof NotSupportedError || error instanceof ReplyError) return unknown;
      this.#report("metaGet", error, call, required);
      return undefined;
    }
  }

  async #dropEach(keys: readonly Key[], call: Call, required: boolean): Promise<Key[]> {
    const dropped = await Promise.all(keys.map((key) => this.drop(key, call, required)));
    return keys.filter((_, i) => !dropped[i]);
  }

  #isReadable(key: Key, call: Call, required: boolean): boolean {
    if (this.#debts.size > 0 || this.#debts.overflowed) {
      if (this.#debts.has(this.#dispatcher.key(key, call.place))) return false;
    }
    return required || !this.#isFailing(key, call);
  }

  /** Whether a key's server is failing; a key that no server can hold fails by itself. */
  #isFailing(key: Key, call: Call): boolean {
    if (this.#failing.size === 0) return false;
    try {
      return this.#failing.has(this.#client.serverFor(key, call.place).name);
    } catch (error) {
      if (error instanceof KeyError) return false;
      throw error;
    }
  }

  #owe(key: Key, call: Call): void {
    this.#debts.add(this.#dispatcher.key(key, call.place), { key, place: call.place });
  }

  /** A key that the cluster cannot hold is not there; an abort ends the call; all else is counted. */
  #report(command: string, error: unknown, call: Call, required: boolean): void {
    if (error instanceof KeyError) return;
    if (call.aborted || !(error instanceof MemcachedError)) throw error;
    this.#failed(command, error);
    if (required) throw error;
  }
}
