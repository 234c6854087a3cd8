import { ProtocolError } from "../errors.js";

/** The longest answer to `stats`, for instance about every prefix; a longer one is taken to have no end. */
export const MAX_STATISTICS_BYTES: number = 16 * 1024 * 1024;

/** What a server says of itself, one name after another, until it ends the answer. */
export class Statistics {
  #entries = new Map<string, string>();
  #bytes = 0;

  /**
   * @param bytes - what it took on the wire, with all that it came in
   * @throws ProtocolError if there is no end to them
   */
  add(name: string, value: string, bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_STATISTICS_BYTES) {
      throw new ProtocolError(`The answer to stats is over ${MAX_STATISTICS_BYTES} bytes`);
    }
    this.#entries.set(name, value);
  }

  /** Gives away what was said, and begins anew. */
  take(): ReadonlyMap<string, string> {
    const entries = this.#entries;
    this.#entries = new Map();
    this.#bytes = 0;
    return entries;
  }
}
