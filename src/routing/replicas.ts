import { NetworkError, ProtocolError, ServerErrorReply } from "../errors.js";
import type { Executor, Operation } from "../operation.js";
import type { Reply } from "../protocol/reply.js";
import type { GetRequest, KeyRequest, MetaFlags } from "../protocol/request.js";
import { relay } from "./relay.js";
import type { Router } from "./router.js";
import type { Server } from "./server.js";

export interface ReplicasOptions {
  /** How many servers beside its own hold a copy of an item. */
  readonly copies: number;
  /** Whether a miss is looked for among the copies, or only what a failed server holds. */
  readonly readOnMiss: boolean;
}

/**
 * Each item on several servers: its own, and those that follow in libmemcached's order.
 *
 * ```
 *     set, touch, delete     all servers at once, and every answer is waited for
 *     add, replace, cas      its own; if that did it, the copies are set to the same
 *     append, incr, ...      its own; if that did it, the copies are deleted
 *     get                    its own; from the next where that failed
 *     gets                   its own alone, since a token is one server's
 * ```
 */
export class Replicas implements Executor {
  readonly #router: Router;
  readonly #options: ReplicasOptions;

  constructor(router: Router, options: ReplicasOptions) {
    this.#router = router;
    this.#options = options;
  }

  execute(operation: Operation): void {
    const { request } = operation;
    const servers = this.#router.replicasFor(operation.route, this.#options.copies);
    if (request.verb === "admin") servers[0]!.execute(operation);
    else if (request.verb === "get") this.#get(operation, request, servers);
    else if (isUnconditional(request)) writeToAll(operation, copyOf(request), servers);
    else writeInTurn(operation, copyOf(request), servers);
  }

  #get(operation: Operation, request: GetRequest, servers: readonly Server[]): void {
    const { readOnMiss } = this.#options;
    if (request.cas || winsRights(request)) servers[0]!.execute(operation);
    else if (request.touch !== undefined && !request.value) {
      writeToAll(operation, request, servers);
    } else if (!readOnMiss || !operation.split()) {
      if (request.touch !== undefined) touchCopies(operation, request, servers);
      readFrom(servers, operation, readOnMiss);
    }
  }
}

/** Asks one server after the other, each for its share of the time, until one has the answer. */
function readFrom(
  [server, ...others]: readonly Server[],
  operation: Operation,
  readOnMiss: boolean,
): void {
  const now = performance.now();
  const next = () => readFrom(others, operation, readOnMiss);
  server!.execute(
    relay(operation, {
      deadline: now + (operation.deadline - now) / (1 + others.length),
      settle: (reply) => {
        if (readOnMiss && reply.kind === "miss" && others.length > 0) next();
        else operation.settle(reply);
      },
      fail: (error) => {
        if (operation.settled) return;
        if (others.length > 0 && isServersFault(error)) next();
        else operation.fail(error);
      },
    }),
  );
}

/** The answer that is waited for is the read's own. */
function touchCopies(
  operation: Operation,
  request: GetRequest,
  [, ...others]: readonly Server[],
): void {
  const touch = { ...request, value: false };
  for (const server of others) {
    server.execute(relay(operation, { request: touch, settle: ignore, fail: ignore }));
  }
}

type Answer = { readonly reply: Reply } | { readonly error: unknown };

/** Sends a change to all servers at once, and waits for what each of them says. */
function writeToAll(operation: Operation, copy: KeyRequest, servers: readonly Server[]): void {
  const answers: Answer[] = [];
  let remaining = servers.length;
  const answered = (from: number, answer: Answer) => {
    answers[from] = answer;
    if (--remaining === 0) conclude(operation, answers);
  };
  for (const [i, server] of servers.entries()) {
    server.execute(
      relay(operation, {
        request: i === 0 ? operation.request : copy,
        settle: (reply) => answered(i, { reply }),
        fail: (error) => answered(i, { error }),
      }),
    );
  }
}

/**
 * What its own server says counts, or the first of the others where that is lost. A
 * deletion has to have reached them all: what is left would come back.
 */
function conclude(operation: Operation, answers: readonly Answer[]): void {
  const own = answers[0]!;
  const reply = answers.find((answer) => "reply" in answer)?.reply;
  const lost = answers.find((answer) => "error" in answer);
  const isRefused = "error" in own && !isServersFault(own.error);
  if (lost !== undefined && (reply === undefined || operation.request.verb === "delete")) {
    operation.fail(lost.error);
  } else if (isRefused) operation.fail(own.error);
  else operation.settle(reply!);
}

/** Sends a change to its own server, and to the others what comes of it. */
function writeInTurn(
  operation: Operation,
  copy: KeyRequest,
  [own, ...others]: readonly Server[],
): void {
  own!.execute(
    relay(operation, {
      settle: (reply) => {
        let remaining = others.length;
        if (!hasChanged(reply) || remaining === 0) {
          operation.settle(reply);
          return;
        }
        const answered = () => {
          if (--remaining === 0) operation.settle(reply);
        };
        for (const server of others) {
          server.execute(relay(operation, { request: copy, settle: answered, fail: answered }));
        }
      },
    }),
  );
}

function hasChanged({ kind }: Reply): boolean {
  return kind === "stored" || kind === "ok" || kind === "number";
}

/** Whether a change depends on nothing that is stored. */
function isUnconditional(request: Exclude<KeyRequest, GetRequest>): boolean {
  if (request.verb === "arithmetic" || request.compareCas !== undefined) return false;
  return request.verb === "delete" || request.mode === "set";
}

/** What the copies become when their original was changed. */
function copyOf(request: Exclude<KeyRequest, GetRequest>): KeyRequest {
  const { verb, key, noreply } = request;
  const meta = plainMeta(request.meta);
  if (verb === "set" && request.mode !== "append" && request.mode !== "prepend") {
    return { ...request, mode: "set", compareCas: undefined, meta };
  }
  return { verb: "delete", key, compareCas: undefined, noreply, meta };
}

/** How the key is written is all that a copy's request needs of what only meta commands say. */
function plainMeta(meta: MetaFlags | undefined): MetaFlags | undefined {
  return meta?.base64Key === true ? { base64Key: true } : undefined;
}

/** Whether a read may win a right, to fill or to recache an item, that one server gives. */
function winsRights({ meta }: GetRequest): boolean {
  return meta?.vivify !== undefined || meta?.recache !== undefined;
}

function isServersFault(error: unknown): boolean {
  return (
    error instanceof NetworkError ||
    error instanceof ProtocolError ||
    error instanceof ServerErrorReply
  );
}

function ignore(): void {}
