import type { Reply } from "../../src/protocol/reply.js";
import type { Replies } from "../../src/protocol/wire.js";

/** Settles all requests of a line, each with the same reply. */
export function settleEach(replies: Pick<Replies, "waiting" | "settle">, reply: Reply): void {
  for (let isLast = false; !isLast; ) {
    isLast = replies.waiting(0)?.endsLine ?? true;
    replies.settle(reply);
  }
}
