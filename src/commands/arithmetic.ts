import { CodecError } from "../errors.js";
import type { Command } from "../operation.js";
import { describeKey } from "../protocol/key.js";
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

/** The new number; undefined on a miss, and where a silent request has no answer. */
type Read<Result> = (reply: Reply, key: string) => Result | undefined;

const readNumber: Read<number> = (reply, key) => {
  if (reply.kind !== "number") return undefined;
  const value = Number(reply.value);
  if (Number.isSafeInteger(value)) return value;
  throw new CodecError(
    `The counter ${describeKey(key)} is ${reply.value}, which no number holds exactly; pass the delta as a bigint`,
    { sent: true },
  );
};

const readBigint: Read<bigint> = (reply) =>
  reply.kind === "number" ? BigInt(reply.value) : undefined;

/** Counting up or down. Repeating it would count twice. */
function arithmetic<Result>(name: string, read: Read<Result>): Command<Result | undefined> {
  return { name, idempotent: false, read: (reply, { request: { key } }) => read(reply, key) };
}

export const incr: Command<number | undefined> = arithmetic("incr", readNumber);
export const decr: Command<number | undefined> = arithmetic("decr", readNumber);
export const incrBigint: Command<bigint | undefined> = arithmetic("incr", readBigint);
export const decrBigint: Command<bigint | undefined> = arithmetic("decr", readBigint);
export const incrMulti: Command<number | undefined> = arithmetic("incrMulti", readNumber);
export const decrMulti: Command<number | undefined> = arithmetic("decrMulti", readNumber);
