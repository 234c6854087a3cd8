import { REQUEST_MAGIC } from "./binary/packet.js";
import { BinaryReader } from "./binary/reader.js";
import type { Reader, Session } from "./session.js";
import { AuthReader } from "./text/auth.js";
import { TextReader } from "./text/reader.js";

/** The reader for a connection's protocol, which its first byte may have to tell. */
export function readerFor(session: Session): Reader {
  const { protocol, sasl, asciiAuth } = session.instance.settings;
  if (sasl !== undefined || protocol === "binary") return new BinaryReader(session);
  if (asciiAuth !== undefined) return new AuthReader(session, asciiAuth, new TextReader(session));
  return protocol === "ascii" ? new TextReader(session) : new Negotiation(session);
}

/** Waits for the first byte, and leaves everything to the protocol that it begins. */
class Negotiation implements Reader {
  readonly #session: Session;
  #reader: Reader | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  push(chunk: Buffer): void {
    this.#reader ??=
      chunk[0] === REQUEST_MAGIC ? new BinaryReader(this.#session) : new TextReader(this.#session);
    this.#reader.push(chunk);
  }
}
