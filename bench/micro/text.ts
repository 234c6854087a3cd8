import { Outgoing } from "../../src/protocol/outgoing.js";
import type { Reply } from "../../src/protocol/reply.js";
import type { Request } from "../../src/protocol/request.js";
import { TextWire } from "../../src/protocol/text/wire.js";
import type { Exchange, Replies, Wire } from "../../src/protocol/wire.js";
import { settleEach } from "../../test/protocol/line.js";
import { textFor } from "../load/data.js";
import type { Step } from "./step.js";

const BATCH = 64;
const KEYS = Array.from({ length: BATCH }, (_, i) => `user:profile:${1_000_000 + i}`);

/** The text wire: 64 requests written as one batch, and their replies read from one chunk. */
export function text(): Step[] {
  const data = textFor("value", 100);
  const gets = KEYS.map((key): Request => ({ verb: "get", key, ...GET }));
  const sets = KEYS.map((key): Request => ({ verb: "set", key, data, ...SET }));
  const hits = `${KEYS.map((key) => `VALUE ${key} 16 100\r\n${data}\r\n`).join("")}END\r\n`;
  return [
    { name: "a get written", times: BATCH, run: writing(gets) },
    { name: "a set written", times: BATCH, run: writing(sets) },
    { name: "a get answered with 100 B", times: BATCH, run: reading(gets, hits) },
    { name: "a set answered", times: BATCH, run: reading(sets, "STORED\r\n".repeat(BATCH)) },
  ];
}

const GET = {
  keys: undefined,
  value: true,
  cas: false,
  touch: undefined,
  noreply: false,
  meta: undefined,
} as const;
const SET = {
  mode: "set",
  flags: 16,
  exptime: 0,
  compareCas: undefined,
  noreply: false,
  meta: undefined,
} as const;

function writing(requests: readonly Request[]): () => string {
  const wire = new TextWire();
  return () => write(wire, exchangesOf(requests));
}

function reading(requests: readonly Request[], answer: string): () => number {
  const wire = new TextWire();
  const chunk = Buffer.from(answer, "latin1");
  const exchanges = exchangesOf(requests);
  write(wire, exchanges);
  const waiting = new Waiting(exchanges);
  return () => {
    waiting.settled = 0;
    wire.push(chunk, chunk.length, waiting);
    return waiting.settled;
  };
}

function exchangesOf(requests: readonly Request[]): Exchange[] {
  return requests.map((request) => ({ request, endsLine: true, afterSilent: false, quiet: false }));
}

function write(wire: Wire, exchanges: readonly Exchange[]): string {
  const out = new Outgoing();
  for (const exchange of exchanges) wire.write(exchange, out);
  wire.finish(out);
  return out.text;
}

/** A queue of exchanges that starts over when it was answered. */
class Waiting implements Replies {
  readonly #exchanges: readonly Exchange[];
  settled = 0;

  constructor(exchanges: readonly Exchange[]) {
    this.#exchanges = exchanges;
  }

  waiting(n: number): Exchange | undefined {
    return this.#exchanges[this.settled + n];
  }

  deliver(): void {}

  settle(): void {
    this.settled++;
  }

  settleLine(reply: Reply): void {
    settleEach(this, reply);
  }
}
