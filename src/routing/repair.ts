import { type Command, Operation } from "../operation.js";
import { MAX_RELATIVE_SECONDS } from "../protocol/exptime.js";
import type { Reply } from "../protocol/reply.js";
import type { GetRequest, KeyRequest, Request } from "../protocol/request.js";
import type { Question } from "./copyread.js";
import { plainMeta } from "./copywrite.js";
import type { Server } from "./server.js";

/** So many at once; a server that came back empty would otherwise be filled all at once. */
const MAX_UNDER_WAY = 64;

/** An item as it can be stored elsewhere. */
interface Item {
  readonly data: Buffer;
  readonly flags: number;
  readonly cas: bigint;
}

/** What `me` says of an item. */
interface Remark {
  readonly cas: bigint;
  /** Seconds until it expires; undefined for never. */
  readonly seconds: number | undefined;
}

/**
 * Gives items back to servers that missed them, in the background and within the time of
 * the read that found out.
 *
 * ```
 *   me, gets   at the server that has the item: how long it lives, and what it is
 *   add        at those that missed it, which leaves what was stored there meanwhile
 *   me         once more: if the item was changed or deleted meanwhile, what was added is
 *              old, and is deleted
 * ```
 *
 * `me` and not `mg`, which would win the right to recache an item that is stale, and take
 * it from a reader of the program's own.
 */
export class Repairs {
  /** Items that were given back, counted for each server. */
  repaired = 0;
  #underWay = 0;

  start(question: Question, source: Server, missed: readonly Server[]): void {
    if (question.request.keys !== undefined && question.request.keys.length > 1) return;
    if (this.#underWay >= MAX_UNDER_WAY) return;
    this.#underWay++;
    const servers = [...missed];
    this.#repair(question, source, servers)
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
    const look = () => ask(operation, source, lookAt, lookRequest(key, meta !== undefined));
    const [before, item] = await Promise.all([
      look(),
      ask(operation, source, fetch, fetchRequest(key, meta)),
    ]);
    if (before === undefined || item === undefined || before.cas !== item.cas) return;
    const exptime = exptimeOf(before);
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
    const added = await each(missed, (server) => ask(operation, server, add, copy));
    if (added.length === 0) return;
    if ((await look())?.cas === item.cas) {
      this.repaired += added.length;
      return;
    }
    const removal: KeyRequest = {
      verb: "delete",
      key,
      compareCas: undefined,
      noreply: false,
      meta,
    };
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
  { route, codec, deadline }: Operation,
  server: Server,
  command: Command<Result>,
  request: Request,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    server.execute(new Operation(command, request, route, codec, deadline, resolve, reject));
  });
}

/** What is left of an item's time, as an exptime; undefined if it is as good as gone. */
function exptimeOf({ seconds }: Remark): number | undefined {
  if (seconds === undefined) return 0;
  if (seconds < 1) return undefined;
  return seconds <= MAX_RELATIVE_SECONDS ? seconds : Math.floor(Date.now() / 1000) + seconds;
}

function lookRequest(key: string, base64Key: boolean): Request {
  return { verb: "admin", action: "debug", key, base64Key };
}

const lookAt: Command<Remark | undefined> = {
  name: "readRepair",
  idempotent: true,
  read(reply) {
    const words = reply.kind === "text" ? reply.text : "";
    const cas = /(?:^| )cas=(\d+)/.exec(words)?.[1];
    const seconds = /(?:^| )exp=(-?\d+)/.exec(words)?.[1];
    if (cas === undefined || seconds === undefined) return undefined;
    return { cas: BigInt(cas), seconds: seconds === "-1" ? undefined : Number(seconds) };
  },
};

function fetchRequest(key: string, meta: GetRequest["meta"]): GetRequest {
  return { verb: "get", key, keys: undefined, value: true, cas: true, touch: undefined, meta };
}

const fetch: Command<Item | undefined> = {
  name: "readRepair",
  idempotent: true,
  read(reply) {
    if (reply.kind !== "hit") return undefined;
    const { bytes, start, end, flags, cas } = reply;
    return { data: Buffer.from(bytes!.subarray(start, end)), flags, cas: cas! };
  },
};

const add: Command<boolean> = { name: "readRepair", idempotent: false, read: isStored };

const remove: Command<boolean> = { name: "readRepair", idempotent: true, read: () => true };

function isStored({ kind }: Reply): boolean {
  return kind === "stored";
}

function ignore(): void {}
