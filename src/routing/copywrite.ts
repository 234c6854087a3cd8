import { MemcachedError } from "../errors.js";
import type { Operation } from "../operation.js";
import { Hit, OK, type Reply } from "../protocol/reply.js";
import {
  type GetRequest,
  isJoining,
  isSilent,
  type KeyRequest,
  type Request,
} from "../protocol/request.js";
import { deletionOf, plainMeta } from "./deletion.js";
import { isServersFault } from "./fault.js";
import { type RelayOptions, Relays, relay } from "./relay.js";
import type { Server } from "./server.js";

/** Changes to items that are on several servers, their own first. */

type ChangeRequest = Exclude<KeyRequest, GetRequest>;

/** Whether a change depends on nothing that is stored. */
export function isUnconditional(request: ChangeRequest): boolean {
  if (request.verb === "arithmetic" || request.compareCas !== undefined) return false;
  return request.verb === "delete" || request.mode === "set";
}

/** What the copies become when their original was changed. */
export function copyOf(request: ChangeRequest): KeyRequest {
  if (request.verb === "set" && !isJoining(request.mode)) {
    return { ...request, mode: "set", compareCas: undefined, meta: plainMeta(request.meta) };
  }
  return deletionOf(request, request.noreply);
}

type Answer = { readonly reply: Reply } | { readonly error: unknown };

/** Sends a change to all servers at once, and waits for what each of them says. */
export function writeToAll(operation: Operation, copy: Request, servers: readonly Server[]): void {
  const relays = new Relays(operation, "all");
  const answers: Answer[] = [];
  let remaining = servers.length;
  const answered = (from: number, answer: Answer) => {
    answers[from] = answer;
    if (--remaining === 0) conclude(operation, answers);
  };
  for (const [i, server] of servers.entries()) {
    relays.send(server, {
      request: i === 0 ? operation.request : copy,
      settle: (reply) => answered(i, { reply: lasting(reply) }),
      fail: (error) => answered(i, { error }),
    });
  }
}

/** A reply that is still the same when the others have come. A change has no value come back. */
function lasting(reply: Reply): Reply {
  if (reply.kind !== "hit") return reply;
  const { flags, cas, info } = reply;
  return Object.assign(new Hit(), { flags, cas, info });
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

/**
 * Sends a change to its own server, and to the others what comes of it, also if nobody
 * waits any more: what they have is old.
 */
export function writeInTurn(
  operation: Operation,
  copy: Request,
  [own, ...others]: readonly Server[],
): void {
  const { request } = operation;
  const isBlind = isSilent(request) && copy.verb === "set";
  const done = (reply: Reply) => operation.settle(isBlind ? OK : reply);
  const settle = (reply: Reply) => {
    let remaining = others.length;
    if (!hasChanged(reply) || remaining === 0) {
      done(reply);
      return;
    }
    const answered = () => {
      if (--remaining === 0) done(reply);
    };
    for (const server of others) {
      server.execute(relay(operation, { request: copy, settle: answered, fail: answered }));
    }
  };
  const relays = new Relays(operation, "all");
  relays.send(own!, isBlind ? { settle, ...answering(operation) } : { settle });
}

/**
 * Has the server answer a silent change, since what the copies are set to depends on what it
 * does. The caller learns no more of it than of any other: only that it could not be sent.
 */
function answering(operation: Operation): RelayOptions {
  const request = { ...operation.request, noreply: false } as Request;
  const fail = (error: unknown) => {
    if (error instanceof MemcachedError && error.sent) operation.settle(OK);
    else operation.fail(error);
  };
  return { request, fail };
}

function hasChanged({ kind }: Reply): boolean {
  return kind === "stored" || kind === "ok" || kind === "number";
}
