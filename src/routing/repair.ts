import type { MemcachedError } from "../errors.js";
import { type Command, Operation } from "../operation.js";
import { MAX_RELATIVE_SECONDS } from "../protocol/exptime.js";
import type { Reply } from "../protocol/reply.js";
import type { GetRequest, KeyRequest, MetaFlags } from "../protocol/request.js";
import type { Question } from "./copyread.js";
import { deletionOf, plainMeta } from "./deletion.js";
import type { Server } from "./server.js";

/** How many at once; a server that came back empty would otherwise be filled in one go. */
const MAX_UNDER_WAY = 64;

/** For one request; not what is left of the read's own time, which may be too little for any server. */
const TIMEOUT_MS = 1000;

/** An item as it can be stored elsewhere. */
interface Item {
  /** Empty where it was not asked for. */
  readonly data: Buffer;
  readonly flags: number;
  readonly cas: bigint;
  /** Seconds until it expires, -1 for never. */
  readonly ttl: number;
  /**
   * Whether it is what its writer made it, neither stale nor still to be filled, and has a
   * token by which a change would be noticed; under `memcached -C` it has none.
   */
  readonly sound: boolean;
  /** Whether the right to recache a stale item was won by looking at it. */
  readonly won: boolean;
}

/**
 * Gives items back to servers that missed them, in the background.
 *
 * ```
 *   mg v t c   at the server that has the item: what it is, and how long it lives
 *   add        at those that missed it, which leaves what was stored there meanwhile
 *   mg c       once more: if the item was changed or deleted meanwhile, what was added is
 *              old, and is deleted
 * ```
 *
 * Where looking at a stale item wins the right to recache it, the item is made stale once
 * more, so that the next reader of the program's own wins it.
 */
export class Repairs {
  /** Items that were given back, counted for each server. */
  repaired = 0;
  #underWay = 0;

  start(question: Question, source: Server, missed: readonly Server[]): void {
    if (question.request.keys !== undefined && question.request.keys.length > 1) return;
    if (this.#underWay >= MAX_UNDER_WAY) return;
    this.#underWay++;
    this.#repair(question, source, missed)
      .catch(ignore)
      .finally(() => {
        this.#underWay--;
      });
  }

  async #repair(
    { operation, request }: Question,
    source: Server,
    missed: readonly Server[],
  ): Promise<void> {
    const { key } = request;
    const meta = plainMeta(request.meta);
    const item = await look(operation, source, lookRequest(key, meta, true));
    if (item === undefined || !item.sound) return;
    const exptime = exptimeOf(item);
    if (exptime === undefined) return;
    const { data, flags } = item;
    const copy: KeyRequest = {
      verb: "set",
      mode: "add",
      key,
      data,
      flags,
      exptime,
      compareCas: undefined,
      noreply: false,
      meta,
    };
    let count = 0;
    const added = await each(missed, async (server) => {
      try {
        const isNew = await ask(operation, server, add, copy);
        if (isNew) count++;
        return isNew;
      } catch (error) {
        // It may have been stored although nobody said so.
        return (error as MemcachedError).sent;
      }
    });
    if (added.length === 0) return;
    const later = await look(operation, source, lookRequest(key, meta, false)).catch(ignore);
    if (later?.cas === item.cas) {
      this.repaired += count;
      return;
    }
    const removal = deletionOf(request);
    await each(added, (server) => ask(operation, server, remove, removal));
  }
}

/** The servers at which something was done; what failed at one says nothing of the others. */
async function each(
  servers: readonly Server[],
  act: (server: Server) => Promise<boolean>,
): Promise<Server[]> {
  const done = await Promise.all(servers.map((server) => act(server).catch(() => false)));
  return servers.filter((_, i) => done[i]);
}

function ask<Result>(
  { route, codec }: Operation,
  server: Server,
  command: Command<Result>,
  request: KeyRequest,
): Promise<Result> {
  const deadline = performance.now() + TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    server.execute(new Operation(command, request, route, codec, deadline, resolve, reject));
  });
}

async function look(
  operation: Operation,
  server: Server,
  request: GetRequest,
): Promise<Item | undefined> {
  const item = await ask(operation, server, lookAt, request);
  if (item?.won) await ask(operation, server, remove, giveUpRequest(request, item));
  return item;
}

/** What is left of an item's time, as an exptime; undefined if it is as good as gone. */
function exptimeOf({ ttl }: Item): number | undefined {
  if (ttl === -1) return 0;
  if (ttl < 1) return undefined;
  return ttl <= MAX_RELATIVE_SECONDS ? ttl : Math.floor(Date.now() / 1000) + ttl;
}

/** It does not count as a use of the item. */
function lookRequest(key: string, meta: MetaFlags | undefined, value: boolean): GetRequest {
  return {
    verb: "get",
    key,
    keys: undefined,
    value,
    cas: true,
    touch: undefined,
    noreply: false,
    meta: { ...meta, returnTtl: true, noBump: true },
  };
}

/** Makes an item stale that is so already: the right to recache it is free again. */
function giveUpRequest(request: GetRequest, { cas }: Item): KeyRequest {
  const deletion = deletionOf(request);
  return { ...deletion, compareCas: cas, meta: { ...deletion.meta, invalidate: true } };
}

const lookAt: Command<Item | undefined> = {
  name: "readRepair",
  idempotent: true,
  read(reply) {
    if (reply.kind !== "hit" || reply.cas === undefined) return undefined;
    const { bytes, start, end, flags, cas, info } = reply;
    const { ttl = 0, stale = false, won = false, alreadyWon = false } = info ?? {};
    const data = Buffer.from(bytes?.subarray(start, end) ?? []);
    const sound = cas !== 0n && !(stale || won || alreadyWon);
    return { data, flags, cas, ttl, sound, won };
  },
};

const add: Command<boolean> = { name: "readRepair", idempotent: false, read: isStored };

const remove: Command<boolean> = { name: "readRepair", idempotent: true, read: () => true };

function isStored({ kind }: Reply): boolean {
  return kind === "stored";
}

function ignore(): undefined {}
