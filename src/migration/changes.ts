import { checkFlags } from "../client/calls/check.js";
import {
  type CallOptions,
  checkCompress,
  type StoreOptions,
  type WriteOptions,
} from "../client/calls/options.js";
import type { Client } from "../client/client.js";
import { ArgumentError, ClientErrorReply } from "../errors.js";
import { exptime } from "../protocol/exptime.js";
import type { Key } from "../protocol/key.js";
import type { Call } from "./call.js";
import type { Pair } from "./pair.js";
import type { Secondary } from "./secondary.js";
import type { Outcome, Transfer } from "./transfer.js";

/** A step's options, where it changes something: it is always answered. */
export function writing<Options extends WriteOptions>(
  options: Options | undefined,
  call: Call,
): Options & CallOptions {
  return { ...options, ...call.step(), noreply: false } as Options & CallOptions;
}

/** What a call says of the item that it stores. @throws OptionError */
export function checkItem(options: StoreOptions | undefined): void {
  const { ttl = 0, flags = 0, compress } = options ?? {};
  exptime(ttl, Date.now);
  checkFlags(flags);
  checkCompress(compress);
}

/**
 * What changes an item. The cluster that has the last word carries it out; in the other
 * one the key is deleted, before, so that a reader who misses the change finds nothing
 * older there, and after, so that of two writers who do not agree on who has the last word
 * one value at most remains.
 */
export class Changes<Value> {
  readonly #pair: Pair<Value>;
  readonly #transfer: Transfer<Value>;

  constructor(pair: Pair<Value>, transfer: Transfer<Value>) {
    this.#pair = pair;
    this.#transfer = transfer;
  }

  /** Something that does not depend on what the key holds. */
  change<Result>(
    key: Key,
    call: Call,
    act: (client: Client<Value>) => Promise<Result>,
  ): Promise<Result> {
    const { other } = this.#pair;
    return this.#around(call, act, (within, required) => other.drop(key, within, required));
  }

  /** The same for many keys. */
  changeMany<Result>(
    keys: readonly Key[],
    call: Call,
    act: (client: Client<Value>) => Promise<Result>,
  ): Promise<Result> {
    const { other } = this.#pair;
    return this.#around(call, act, (within, required) => other.dropMany(keys, within, required));
  }

  /** Something that the cluster does to the value that it has: that is brought over first. */
  async alter<Result>(
    key: Key,
    call: Call,
    act: (client: Client<Value>) => Promise<Result>,
  ): Promise<Result> {
    for (;;) {
      await this.fetch(key, call);
      try {
        return await this.change(key, call, act);
      } catch (error) {
        if (!(error instanceof ClientErrorReply) || !(await this.#isVacant(key, call))) throw error;
        call.tryAgain();
      }
    }
  }

  async add(
    key: Key,
    value: Value,
    call: Call,
    options: StoreOptions | undefined,
  ): Promise<boolean> {
    await this.fetch(key, call);
    return this.change(key, call, async (client) => {
      for (;;) {
        if (await client.add(key, value, writing(options, call))) return true;
        if (client === this.#pair.from) return false;
        const claim = await this.#pair.claims.look(key, call);
        if (claim?.isValue) return false;
        if (claim !== undefined) {
          if (await client.cas(key, value, claim.cas, writing(options, call))) return true;
        }
        call.tryAgain();
      }
    });
  }

  async replace(
    key: Key,
    value: Value,
    call: Call,
    options: StoreOptions | undefined,
  ): Promise<boolean> {
    const { settings, claims } = this.#pair;
    if (settings.reads === "old") {
      return this.change(key, call, (client) => client.replace(key, value, writing(options, call)));
    }
    for (;;) {
      await this.fetch(key, call);
      const claim = await claims.look(key, call);
      if (claim === undefined) return false;
      if (claim.isValue) {
        const act = (client: Client<Value>) =>
          client.cas(key, value, claim.cas, writing(options, call));
        if (await this.change(key, call, act)) return true;
      }
      call.tryAgain();
    }
  }

  async remove(key: Key, call: Call, options: WriteOptions | undefined): Promise<boolean> {
    const required = this.#pair.isStrict("deletes");
    const [inOld, inNew] = await this.#oldFirst(
      call,
      (client) => client.delete(key, writing(options, call)),
      (cluster) => cluster.drop(key, call, required),
    );
    return inOld || inNew;
  }

  /** Resolves to the keys that had an item in neither. */
  async removeMany<K extends Key>(
    keys: readonly K[],
    call: Call,
    options: WriteOptions | undefined,
  ): Promise<K[]> {
    const required = this.#pair.isStrict("deletes");
    const missing = await this.#oldFirst<readonly Key[]>(
      call,
      (client) => client.deleteMulti(keys, writing(options, call)),
      (cluster) => cluster.dropMany(keys, call, required),
    );
    const [inOld, inNew] = missing.map((some) => new Set(some));
    return keys.filter((key) => inOld?.has(key) && inNew?.has(key));
  }

  /** Deletes in the old cluster first, whichever calls depend on: see {@link Transfer}. */
  #oldFirst<Result>(
    call: Call,
    inPrimary: (client: Client<Value>) => Promise<Result>,
    inOther: (cluster: Secondary<Value>) => Promise<Result>,
  ): Promise<[Result, Result]> {
    const { from, primary, other } = this.#pair;
    const first = () => inPrimary(primary);
    const second = () => inOther(other);
    return primary === from ? inTurn(call, first, second) : inTurn(call, second, first);
  }

  /** Brings over what the old cluster has, where it is read, and leaves no placeholder. */
  async fetch(key: Key, call: Call): Promise<Outcome> {
    const { settings, claims } = this.#pair;
    switch (settings.reads) {
      case "old":
        return "missing";
      case "new": {
        const claim = await claims.look(key, call);
        if (claim?.isValue) return "there";
        if (claim !== undefined) await claims.release(key, claim, call);
        return "missing";
      }
      case "both":
        for (;;) {
          const outcome = await this.#transfer.move(key, call, this.#pair.isStrict("writes"));
          if (outcome !== "overtaken") return outcome;
          call.tryAgain();
        }
    }
  }

  async #around<Result>(
    call: Call,
    act: (client: Client<Value>) => Promise<Result>,
    drop: (call: Call, required: boolean) => Promise<unknown>,
  ): Promise<Result> {
    const { primary, from, settings } = this.#pair;
    const required = this.#pair.isStrict("writes");
    if (primary === from) {
      // The old cluster's readers do not look elsewhere: nothing has to be deleted before.
      let changed = true;
      try {
        const result = await act(primary);
        changed = result !== false && result !== undefined;
        return result;
      } finally {
        if (changed) await drop(call.epilogue(settings.otherTimeoutMs), required);
      }
    }
    await drop(call, required);
    try {
      return await act(primary);
    } finally {
      this.#pair.background(drop(call.epilogue(settings.otherTimeoutMs), false));
    }
  }

  /** Whether a placeholder is in the place of the value, or nothing. */
  async #isVacant(key: Key, call: Call): Promise<boolean> {
    if (this.#pair.settings.reads === "old") return false;
    return (await this.#pair.claims.look(key, call))?.isValue !== true;
  }
}

/** One after the other, even if the first one failed; not if its arguments were wrong or the call was aborted. */
async function inTurn<First, Second>(
  call: Call,
  first: () => Promise<First>,
  second: () => Promise<Second>,
): Promise<[First, Second]> {
  let one: First;
  try {
    one = await first();
  } catch (error) {
    if (!call.aborted && !(error instanceof ArgumentError)) await second();
    throw error;
  }
  return [one, await second()];
}
