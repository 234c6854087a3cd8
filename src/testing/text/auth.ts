import { latin1 } from "../../util/bytes.js";
import { isAccepted } from "../credentials.js";
import type { Reader, Session } from "../session.js";
import type { Credentials } from "../settings.js";
import { MAX_OPEN_LINE } from "./command.js";

const LF = 10;
const MAX_BODY_BYTES = 16384;
/** Newer releases close the connection for a line that cannot be a `set`, whatever is unsent. */
const SHORTEST_LINE = 6;
/** They look at nothing shorter. */
const SHORTEST_START = 3;

const UNAUTHENTICATED = "CLIENT_ERROR unauthenticated\r\n";

/**
 * Keeps a text connection to one thing until it is authenticated: a `set` of any key
 * whose data are "user password" (protocol.txt, "Authentication").
 */
export class AuthReader implements Reader {
  readonly #session: Session;
  readonly #accepted: Credentials;
  readonly #next: Reader;
  #bytes: Buffer = Buffer.alloc(0);
  /** The length of the data block with its CRLF, once its line has come. */
  #expected: number | undefined;

  constructor(session: Session, accepted: Credentials, next: Reader) {
    this.#session = session;
    this.#accepted = accepted;
    this.#next = next;
  }

  push(chunk: Buffer): void {
    const session = this.#session;
    if (session.authenticated) {
      this.#next.push(chunk);
      return;
    }
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (!session.authenticated && !session.closing && this.#readOne());
    if (!session.authenticated || this.#bytes.length === 0) return;
    const rest = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    this.#next.push(rest);
  }

  /** Reads a line or a data block; returns whether there was a whole one. */
  #readOne(): boolean {
    return this.#expected === undefined ? this.#readLine() : this.#readBody(this.#expected);
  }

  #readLine(): boolean {
    const session = this.#session;
    const { strictParser, numerals } = session.instance.settings.release;
    const end = this.#bytes.indexOf(LF);
    if (strictParser && this.#bytes.length < SHORTEST_START) return false;
    if (end < 0) {
      session.closing = this.#bytes.length > MAX_OPEN_LINE;
      return false;
    }
    if (strictParser && end < SHORTEST_LINE) {
      session.reply = "";
      session.closing = true;
      return false;
    }
    const line = latin1(this.#bytes, 0, end).replace(/\r$/, "");
    this.#bytes = this.#bytes.subarray(end + 1);
    const words = line.split(" ").filter((word) => word !== "");
    const size = words[4] === undefined ? undefined : numerals.uint32(words[4]);
    const isSet = strictParser ? line.startsWith("set") : words[0] === "set";
    if (!isSet || size === undefined) {
      this.#answer(UNAUTHENTICATED);
    } else if (strictParser && size > MAX_BODY_BYTES) {
      this.#answer("CLIENT_ERROR auth token too long\r\n");
    } else {
      this.#expected = size + 2;
    }
    return true;
  }

  #readBody(length: number): boolean {
    if (this.#bytes.length < length) return false;
    const body = latin1(this.#bytes, 0, length);
    this.#bytes = this.#bytes.subarray(length);
    this.#expected = undefined;
    this.#answer(
      body.endsWith("\r\n")
        ? this.#judge(body.slice(0, -2))
        : "CLIENT_ERROR bad command line termination\r\n",
    );
    return true;
  }

  /**
   * Whatever is said before authentication is the request `auth` to logs and faults.
   * Of several attempts in one piece memcached answers the last alone.
   */
  #answer(reply: string): void {
    const { tap } = this.#session;
    const wanted = tap?.begin("auth", []) ?? true;
    this.#session.reply = wanted ? reply : "";
    tap?.end();
  }

  #judge(body: string): string {
    const session = this.#session;
    const { settings, counters } = session.instance;
    const token = settings.release.strictParser
      ? /^([^ ]*) (.*)$/s.exec(body)
      : /^ *([^ ]+) +([^ ]+)/.exec(body);
    if (token === null) return "CLIENT_ERROR bad authentication token format\r\n";
    counters.totals.auth_cmds++;
    if (isAccepted(this.#accepted, token[1]!, token[2]!)) {
      session.authenticated = true;
      return "STORED\r\n";
    }
    counters.totals.auth_errors++;
    return "CLIENT_ERROR authentication failure\r\n";
  }
}
