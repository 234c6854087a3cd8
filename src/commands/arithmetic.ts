import type { Command } from "../operation.js";
import type { Reply } from "../protocol/reply.js";
import type { ArithmeticRequest } from "../protocol/request.js";

/** Counting (protocol.txt, "Increment/Decrement" and "Meta Arithmetic"). */

export function arithmeticRequest(
  mode: "incr" | "decr",
  key: string,
  delta: bigint | number,
  initial: bigint | number | undefined,
  initialExptime: number,
  noreply: boolean,
): ArithmeticRequest {
  return {
    verb: "arithmetic",
    mode,
    key,
    delta,
    initial,
    initialExptime,
    noreply,
    meta: undefined,
  };
}

/** The new number: exact, and a bigint past 2^53 whatever was asked for. */
function readNumber(reply: Reply): bigint | number | undefined {
  if (reply.kind !== "number") return undefined;
  const { value } = reply;
  return typeof value === "bigint" && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function readBigint(reply: Reply): bigint | undefined {
  return reply.kind === "number" ? BigInt(reply.value) : undefined;
}

function arithmetic<Result>(name: string, read: (reply: Reply) => Result): Command<Result> {
  return { name, idempotent: false, read };
}

export const incr: Command<bigint | number | undefined> = arithmetic("incr", readNumber);
export const decr: Command<bigint | number | undefined> = arithmetic("decr", readNumber);
export const incrBigint: Command<bigint | undefined> = arithmetic("incr", readBigint);
export const decrBigint: Command<bigint | undefined> = arithmetic("decr", readBigint);
