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
import { Relays, relay } from "./relay.js";
import type { Server } from "./server.js";

/** Changes to items that are on several servers, their own first. */

export type ChangeRequest = Exclude<KeyRequest, GetRequest>;

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

/** A reply that is still the same when the others have come. A change brings no value back. */
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
 * @param decided - is called when its own server has decided, or never will: whether that still holds
 */
export function writeInTurn(
  operation: Operation,
  request: ChangeRequest,
  [own, ...others]: readonly Server[],
  decided: () => boolean,
): void {
  const copy = copyOf(request);
  const isBlind = isSilent(request) && copy.verb === "set";
  const done = (reply: Reply) => operation.settle(isBlind ? OK : reply);
  new Relays(operation, "all", decided).send(own!, {
    // What the copies are set to depends on the answer, which a silent change has to ask for.
    request: isBlind ? { ...request, noreply: false } : request,
    settle: (reply) => {
      if (decided() && hasChanged(reply)) sendToEach(operation, copy, others, () => done(reply));
      else done(reply);
    },
    fail: (error) => {
      decided();
      if (isBlind && error instanceof MemcachedError && error.sent) done(OK);
      else operation.fail(error);
    },
  });
}

/** Calls `done` when every server has answered or failed. */
function sendToEach(
  operation: Operation,
  request: Request,
  servers: readonly Server[],
  done: () => void,
): void {
  let remaining = servers.length;
  if (remaining === 0) done();
  const answered = () => {
    if (--remaining === 0) done();
  };
  for (const server of servers) {
    server.execute(relay(operation, { request, settle: answered, fail: answered }));
  }
}

function hasChanged({ kind }: Reply): boolean {
  return kind === "stored" || kind === "ok" || kind === "number";
}
