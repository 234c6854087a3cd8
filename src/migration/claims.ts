import type { Dispatcher } from "../client/calls/dispatcher.js";
import { CALL_OPTIONS } from "../client/calls/options.js";
import { type Cluster, settingsOf } from "../client/cluster.js";
import { getsRequest } from "../commands/retrieval.js";
import { add, cas, type StorageCommand, setRequest } from "../commands/storage.js";
import { NotSupportedError } from "../errors.js";
import type { Command } from "../operation.js";
import type { Key } from "../protocol/key.js";
import { FLAG_PLACEHOLDER } from "../value/flags.js";
import type { Call } from "./call.js";
import { isPlaceholder, PLACEHOLDER, placeholderCodec } from "./placeholder.js";

/** Seconds that a placeholder lives whose process never came back to it. */
const PLACEHOLDER_TTL = 5;

const EXPIRED = -1;

/** What is under a key: a value, or a placeholder that the token can replace. */
export interface Claim {
  readonly isValue: boolean;
  readonly cas: bigint;
}

/**
 * Places in the new cluster for values that are still in the old one. A call that fetches a
 * value keeps its place first and stores it with the place's token afterwards, so that it
 * comes to nothing if the key was deleted or set meanwhile. Anybody may use a placeholder,
 * no matter who made it: its token stands for "nothing has happened since I looked".
 */
export class Claims {
  readonly #dispatcher: Dispatcher;

  constructor(cluster: Cluster) {
    const settings = settingsOf(cluster);
    settings.wrapCodec(placeholderCodec);
    this.#dispatcher = settings.dispatcher;
  }

  /** Keeps the key's place unless something is there, and tells what is. */
  async take(key: Key, call: Call): Promise<Claim | undefined> {
    const [, claim] = await Promise.all([
      this.#store(put, key, PLACEHOLDER_TTL, undefined, call),
      this.look(key, call),
    ]);
    return claim;
  }

  /** What is under a key; undefined if nothing. */
  look(key: Key, call: Call): Promise<Claim | undefined> {
    return this.#dispatcher.one(look, key, call.step(), CALL_OPTIONS, getsRequest);
  }

  /** Takes a placeholder away, unless something else has come in its place. */
  async release(key: Key, claim: Claim, call: Call): Promise<void> {
    await this.#store(replace, key, EXPIRED, claim.cas, call);
  }

  #store(
    command: StorageCommand,
    key: Key,
    exptime: number,
    token: bigint | undefined,
    call: Call,
  ): Promise<boolean> {
    return this.#dispatcher.one(command, key, call.step(), CALL_OPTIONS, (wireKey) =>
      setRequest(command.mode, wireKey, PLACEHOLDER, FLAG_PLACEHOLDER, exptime, token, false),
    );
  }
}

const put: StorageCommand = { ...add, name: "migration" };

const replace: StorageCommand = { ...cas, name: "migration" };

const look: Command<Claim | undefined> = {
  name: "migration",
  idempotent: true,
  read(reply) {
    if (reply.kind !== "hit") return undefined;
    const { bytes, start, end, flags, cas: token } = reply;
    if (token === undefined || token === 0n) {
      throw new NotSupportedError(
        "The servers migrated to must have cas tokens, which memcached -C switches off",
      );
    }
    return { isValue: !isPlaceholder(bytes!, start, end, flags), cas: token };
  },
};
