import { BinaryWire } from "../../../src/protocol/binary/wire.js";
import { Outgoing } from "../../../src/protocol/outgoing.js";
import type { Hit, Reply } from "../../../src/protocol/reply.js";
import { isSilent, type Request } from "../../../src/protocol/request.js";
import type { Exchange, Replies } from "../../../src/protocol/wire.js";
import { Delivered } from "../delivered.js";
import { feed } from "../feed.js";
import { settleEach } from "../line.js";

/** An item as a test compares it: the wire's own is a scratch object. */
export interface Item {
  readonly kind: "hit";
  readonly value: string | undefined;
  readonly flags: number;
  readonly cas: bigint | undefined;
  readonly info: Hit["info"];
}

/** What became of one request. */
export interface Answer {
  readonly request: Request;
  readonly reply: Exclude<Reply, Hit> | Item;
  /** The items of a many-key get, by their places. */
  readonly items: ReadonlyMap<number, Item>;
}

interface Waiting extends Exchange {
  readonly items: Map<number, Item>;
}

/** A wire without a connection: bytes out, bytes in, answers in their order. */
export class Exchanges implements Replies {
  readonly wire: BinaryWire = new BinaryWire();
  readonly answers: Answer[] = [];
  /** How many chunks were read to where they belong. */
  rooms = 0;
  readonly #waiting: Waiting[] = [];
  readonly #delivered = new Delivered();

  /** The bytes of requests, which wait for their replies from now on. */
  write(...requests: readonly Request[]): Buffer {
    return this.writeSome(...requests.map((request) => ({ request, quiet: false })));
  }

  /** The same for requests of which only failures need an answer, or not. */
  writeSome(...requests: readonly Pick<Exchange, "request" | "quiet">[]): Buffer {
    const out = new Outgoing();
    for (const { request, quiet } of requests) {
      const exchange = {
        quiet,
        request,
        endsLine: true,
        afterSilent: false,
        items: new Map<number, Item>(),
      };
      const missing = this.wire.write(exchange, out);
      if (missing !== undefined) throw new Error(missing);
      if (!isSilent(request) || this.wire.answersSilent(request)) this.#waiting.push(exchange);
    }
    this.wire.finish(out);
    const pieces = [...out.pieces, out.text];
    return Buffer.concat(
      pieces.map((piece) =>
        typeof piece === "string" ? Buffer.from(piece, "latin1") : Buffer.from(piece),
      ),
    );
  }

  /** Hands bytes to the wire in pieces. */
  push(bytes: Buffer, cuts: readonly number[] = []): void {
    this.rooms += feed(this.wire, this, bytes, cuts);
    this.#delivered.check();
  }

  get unanswered(): number {
    return this.#waiting.length;
  }

  waiting(n: number): Waiting | undefined {
    return this.#waiting[n];
  }

  deliver(n: number, index: number, hit: Hit): void {
    this.#delivered.add(hit);
    this.#waiting[n]!.items.set(index, itemOf(hit));
  }

  settle(reply: Reply): void {
    const { request, items } = this.#waiting.shift()!;
    if (reply.kind === "hit") this.#delivered.add(reply);
    const kept = reply.kind === "hit" ? itemOf(reply) : reply;
    this.answers.push({ request, reply: kept, items });
  }

  settleLine(reply: Reply): void {
    settleEach(this, reply);
  }
}

/** The answer to one request that is followed by these packets. */
export function answerTo(request: Request, ...packets: Packet[]): Answer {
  const exchanges = new Exchanges();
  exchanges.write(request);
  for (const parts of packets) exchanges.push(packet(parts));
  const [answer, ...others] = exchanges.answers;
  if (answer === undefined || others.length > 0) throw new Error("not one whole answer");
  return answer;
}

function itemOf({ bytes, start, end, flags, cas, info }: Hit): Item {
  return { kind: "hit", value: bytes?.toString("latin1", start, end), flags, cas, info };
}

/** One packet of the binary protocol, as its parts. */
export interface Packet {
  readonly magic?: number;
  readonly opcode: number;
  readonly status?: number;
  readonly opaque?: number;
  readonly cas?: bigint;
  readonly extras?: Buffer;
  readonly key?: string;
  readonly value?: string;
}

/** The bytes of a reply. */
export function packet(parts: Packet): Buffer {
  const extras = parts.extras ?? Buffer.alloc(0);
  const key = Buffer.from(parts.key ?? "", "latin1");
  const value = Buffer.from(parts.value ?? "", "latin1");
  const header = Buffer.alloc(24);
  header.writeUInt8(parts.magic ?? 0x81, 0);
  header.writeUInt8(parts.opcode, 1);
  header.writeUInt16BE(key.length, 2);
  header.writeUInt8(extras.length, 4);
  header.writeUInt16BE(parts.status ?? 0, 6);
  header.writeUInt32BE(extras.length + key.length + value.length, 8);
  header.writeUInt32BE(parts.opaque ?? 0, 12);
  header.writeBigUInt64BE(parts.cas ?? 0n, 16);
  return Buffer.concat([header, extras, key, value]);
}

/** Four bytes, as the flags of an item. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Splits bytes into whole packets. */
export function packetsIn(bytes: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 24 + bytes.readUInt32BE(at + 8);
    packets.push(bytes.subarray(at, end));
    at = end;
  }
  return packets;
}
