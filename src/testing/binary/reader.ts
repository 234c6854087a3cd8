import { HEADER_BYTES } from "../../protocol/binary/packet.js";
import { STATUS } from "../../protocol/binary/status.js";
import { MAX_KEY_BYTES } from "../../protocol/key.js";
import { latin1 } from "../../util/bytes.js";
import type { Reader, Session } from "../session.js";
import { ADMIN } from "./admin.js";
import { type Answer, type Command, readPast, type Value } from "./command.js";
import { MUTATION } from "./mutation.js";
import { loudForm, nameOf } from "./opcode.js";
import { errorPacket, type Packet, REQUEST_MAGIC, readPacket } from "./packet.js";
import { RETRIEVAL } from "./retrieval.js";
import { BEFORE_AUTH, SASL } from "./sasl.js";
import { STORAGE } from "./storage.js";

const COMMANDS: ReadonlyMap<number, Command> = new Map([
  ...RETRIEVAL,
  ...STORAGE,
  ...MUTATION,
  ...SASL,
  ...ADMIN,
]);

/** The largest body that memcached since 1.6.42 believes. */
const MAX_BODY_BYTES = 1024 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

/** Cuts a client's bytes into packets of the binary protocol and answers them. */
export class BinaryReader implements Reader {
  readonly #session: Session;
  /** The beginning of a packet whose header, extras and key have not all come. */
  #open: Buffer = NOTHING;
  /** The value that is being read, and what of it is there. */
  #value: Value | undefined;
  #data = "";
  #missing = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  push(chunk: Buffer): void {
    const session = this.#session;
    let bytes = chunk;
    if (this.#open.length > 0) {
      bytes = Buffer.concat([this.#open, chunk]);
      this.#open = NOTHING;
    }
    let at = 0;
    while (at < bytes.length && !session.closing) {
      const next =
        this.#value === undefined ? this.#readHead(bytes, at) : this.#readValue(bytes, at);
      if (next < 0) {
        this.#open = Buffer.from(bytes.subarray(at));
        return;
      }
      at = next;
    }
  }

  /** Returns where the head ends, or -1 if it is not whole yet. */
  #readHead(bytes: Buffer, at: number): number {
    if (bytes.length - at < HEADER_BYTES) return -1;
    if (bytes[at] !== REQUEST_MAGIC) {
      this.#session.abort();
      return bytes.length;
    }
    const end = at + HEADER_BYTES + bytes.readUInt16BE(at + 2) + bytes[at + 4]!;
    if (bytes.length < end) return -1;
    const packet = readPacket(bytes, at, loudForm(bytes[at + 1]!));
    const session = this.#session;
    session.requests++;
    const keys = packet.key === "" ? [] : [packet.key];
    const wanted = session.tap?.begin(nameOf(packet.opcode), keys) ?? true;
    const answer = wanted ? this.#answer(packet) : readPast(Math.max(0, packet.valueBytes), "");
    if (typeof answer === "string") {
      session.answer(answer);
      return end;
    }
    this.#value = answer;
    this.#data = "";
    this.#missing = answer.bytes;
    return this.#readValue(bytes, end);
  }

  #answer(packet: Packet): Answer {
    const session = this.#session;
    const { settings } = session.instance;
    const { command, key, bodyBytes, valueBytes } = packet;
    if (valueBytes < 0) return this.#refuse(packet, STATUS.unknownCommand);
    if (settings.sasl !== undefined && !session.authenticated && !BEFORE_AUTH.has(command)) {
      return this.#refuse(packet, STATUS.authFailed);
    }
    const tooLarge = settings.release.strictParser && bodyBytes > MAX_BODY_BYTES;
    if (tooLarge || key.length > MAX_KEY_BYTES) {
      return this.#refuse(packet, STATUS.invalidArguments);
    }
    const known = COMMANDS.get(command);
    if (known === undefined) {
      // Not only the rest of the body is read past but as much as the whole of it.
      return readPast(bodyBytes, errorPacket(packet, STATUS.unknownCommand));
    }
    if (!known.accepts(packet)) return this.#refuse(packet, STATUS.invalidArguments);
    return known.run(session, packet);
  }

  /** An error after which nothing on this connection can be trusted. */
  #refuse(packet: Packet, status: number): string {
    this.#session.closing = true;
    return errorPacket(packet, status);
  }

  #readValue(bytes: Buffer, start: number): number {
    const value = this.#value!;
    const end = Math.min(bytes.length, start + this.#missing);
    if (value.wanted && end > start) this.#data += latin1(bytes, start, end);
    this.#missing -= end - start;
    if (this.#missing > 0) return end;
    const data = this.#data;
    this.#value = undefined;
    this.#data = "";
    this.#session.answer(value.finish(data));
    return end;
  }
}
