import { Outgoing } from "../../../src/protocol/outgoing.js";
import type { Hit, MetaInfo, Reply } from "../../../src/protocol/reply.js";
import {
  type AdminRequest,
  type ArithmeticRequest,
  type DeleteRequest,
  type GetRequest,
  isSilent,
  type Request,
  type SetRequest,
  VERSION_REQUEST,
} from "../../../src/protocol/request.js";
import { TextWire } from "../../../src/protocol/text/wire.js";
import type { Exchange, Replies } from "../../../src/protocol/wire.js";
import { asBuffer } from "../../../src/util/bytes.js";
import { Delivered } from "../delivered.js";
import { feed } from "../feed.js";
import { settleEach } from "../line.js";

/** Requests of each verb, with everything that a test does not name at its default. */

export function get(key: string, fields: Partial<GetRequest> = {}): GetRequest {
  return {
    verb: "get",
    key,
    keys: undefined,
    value: true,
    cas: false,
    touch: undefined,
    noreply: false,
    meta: undefined,
    ...fields,
  };
}

export function getMany(keys: readonly string[], fields: Partial<GetRequest> = {}): GetRequest {
  return get(keys[0] ?? "", { keys, ...fields });
}

export function set(key: string, data: SetRequest["data"], fields: Partial<SetRequest> = {}) {
  const request: SetRequest = {
    verb: "set",
    mode: "set",
    key,
    data,
    flags: 0,
    exptime: 0,
    compareCas: undefined,
    noreply: false,
    meta: undefined,
    ...fields,
  };
  return request;
}

export function del(key: string, fields: Partial<DeleteRequest> = {}): DeleteRequest {
  return { verb: "delete", key, compareCas: undefined, noreply: false, meta: undefined, ...fields };
}

export function count(key: string, fields: Partial<ArithmeticRequest> = {}): ArithmeticRequest {
  return {
    verb: "arithmetic",
    mode: "incr",
    key,
    delta: 1,
    initial: undefined,
    initialExptime: 0,
    noreply: false,
    meta: undefined,
    ...fields,
  };
}

export const version: AdminRequest = { verb: "admin", action: "version", key: "" };
export const noop: AdminRequest = { verb: "admin", action: "noop", key: "" };
export const verbosity: AdminRequest = { verb: "admin", action: "verbosity", key: "", level: 1 };

export function stats(argument?: string): AdminRequest {
  return { verb: "admin", action: "stats", key: "", argument };
}

export function flushAll(delay = 0, noreply = false): AdminRequest {
  return { verb: "admin", action: "flushAll", key: "", delay, noreply };
}

export function debug(key: string, base64Key = false): AdminRequest {
  return { verb: "admin", action: "debug", key, base64Key };
}

/** An item as it was delivered; its bytes are a copy, since the wire uses them again. */
export interface Item {
  /** Its place in a many-key request. */
  readonly index: number;
  readonly data: string;
  readonly flags: number;
  readonly cas: bigint | undefined;
  readonly info: Partial<MetaInfo> | undefined;
}

/** What became of one request. */
export interface Outcome {
  items: Item[];
  /** The reply that ended it, in short form; undefined while it waits. */
  end: unknown;
}

export function item(data: string, fields: Partial<Item> = {}): Item {
  return { index: 0, data, flags: 0, cas: undefined, info: undefined, ...fields };
}

export function end(end: unknown): Outcome {
  return { items: [], end };
}

class Waiting implements Exchange {
  readonly request: Request;
  endsLine = true;
  afterSilent = false;
  quiet = false;
  readonly outcome: Outcome = { items: [], end: undefined };

  constructor(request: Request) {
    this.request = request;
  }
}

/** A conversation over the text wire, without a socket. */
export class Exchanges implements Replies {
  readonly outcomes: Outcome[] = [];
  /** How many chunks were read to where they belong. */
  rooms = 0;
  readonly #wire: TextWire;
  readonly #out = new Outgoing();
  readonly #waiting: Waiting[] = [];
  readonly #delivered = new Delivered();

  constructor(wire = new TextWire()) {
    this.#wire = wire;
  }

  /** Writes the requests as one batch and returns its bytes. */
  write(...requests: Request[]): string {
    for (const request of requests) {
      const exchange = new Waiting(request);
      const missing = this.#wire.write(exchange, this.#out);
      if (missing !== undefined) throw new Error(missing);
      if (isSilent(request) && !this.#wire.answersSilent(request)) continue;
      this.#waiting.push(exchange);
      this.outcomes.push(exchange.outcome);
    }
    this.#wire.finish(this.#out);
    const pieces = [...this.#out.pieces, this.#out.text];
    this.#out.clear();
    return pieces
      .map((piece) => (typeof piece === "string" ? piece : asBuffer(piece).toString("latin1")))
      .join("");
  }

  /** Reads bytes in chunks that are cut at `cuts`. */
  read(bytes: string, ...cuts: number[]): this {
    this.rooms += feed(this.#wire, this, Buffer.from(bytes, "latin1"), cuts);
    this.#delivered.check();
    return this;
  }

  get unanswered(): number {
    return this.#waiting.length;
  }

  waiting(n: number): Exchange | undefined {
    return this.#waiting[n];
  }

  deliver(n: number, index: number, hit: Hit): void {
    this.#delivered.add(hit);
    this.#waiting[n]!.outcome.items.push(itemOf(index, hit));
  }

  settle(reply: Reply): void {
    const { outcome } = this.#waiting.shift()!;
    if (reply.kind === "hit") {
      this.#delivered.add(reply);
      outcome.items.push(itemOf(0, reply));
    }
    outcome.end = endOf(reply);
  }

  settleLine(reply: Reply): void {
    settleEach(this, reply);
  }
}

/** The one outcome of one request with one reply, on a connection that has said something before. */
export function exchange(request: Request, reply: string, ...cuts: number[]): Outcome {
  const exchanges = new Exchanges();
  exchanges.write(VERSION_REQUEST);
  exchanges.read("VERSION 1\r\n");
  exchanges.write(request);
  const { outcomes, unanswered } = exchanges.read(reply, ...cuts);
  if (unanswered !== 0 || outcomes.length !== 2) throw new Error("not one whole reply");
  return outcomes[1]!;
}

function itemOf(index: number, hit: Hit): Item {
  const data = hit.bytes?.subarray(hit.start, hit.end).toString("latin1") ?? "(no value)";
  return { index, data, flags: hit.flags, cas: hit.cas, info: infoOf(hit.info) };
}

/** Only what a reply told. */
function infoOf(info: MetaInfo | undefined): Partial<MetaInfo> | undefined {
  if (info === undefined) return undefined;
  const told = Object.entries(info).filter(([, value]) => value !== undefined && value !== false);
  return Object.fromEntries(told);
}

function endOf(reply: Reply): unknown {
  switch (reply.kind) {
    case "number":
      return reply.info === undefined ? reply.value : [reply.value, infoOf(reply.info)];
    case "text":
    case "challenge":
      return reply.text;
    case "stats":
      return Object.fromEntries(reply.entries);
    case "refused":
      return `${reply.reason}: ${reply.text}`;
    case "hit":
      return "hit";
    default:
      return reply.info === undefined ? reply.kind : [reply.kind, infoOf(reply.info)];
  }
}
