import { ProtocolError } from "../../errors.js";

/** The longest answer to `stats`, for instance about every prefix; more has no end. */
const MAX_LENGTH = 16 * 1024 * 1024;

/** What `STAT` lines say until their `END` (protocol.txt, "Statistics"). */
export class Statistics {
  #entries = new Map<string, string>();
  #length = 0;

  /**
   * Takes one line; returns false for one that is not a statistic.
   * @throws ProtocolError if there is no end to them
   */
  add(line: string): boolean {
    const match = /^(?:STAT|ITEM|PREFIX) (\S+) ?(.*)$/.exec(line);
    if (match === null) return false;
    this.#length += line.length;
    if (this.#length > MAX_LENGTH) {
      throw new ProtocolError(`The answer to stats is over ${MAX_LENGTH} bytes`);
    }
    this.#entries.set(match[1]!, match[2]!);
    return true;
  }

  /** Gives away what was said, and begins anew. */
  take(): ReadonlyMap<string, string> {
    const entries = this.#entries;
    this.#entries = new Map();
    this.#length = 0;
    return entries;
  }
}
