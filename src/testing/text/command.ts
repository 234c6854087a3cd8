import type { Session } from "../session.js";

/** A text command, as its table describes it. */
export interface Command {
  /** The fewest and the most words of the line, the command's own name included. */
  readonly min: number;
  readonly max: number;
  /** The fewest words for the parser of 1.6.40 on, which sets no upper limit. */
  readonly strictMin?: number;
  /** From how many words on a last one `noreply` silences the answer; undefined for never. */
  readonly quietFrom?: number;
  /** Answers, or says that a data block follows. */
  readonly run: (session: Session, words: readonly string[]) => string | Block;
}

/** The data block that follows a storage command's line. */
export interface Block {
  /** Its length without the CRLF that ends it. */
  readonly length: number;
  /** What a block without that CRLF is answered with; undefined throws the block away unread. */
  readonly malformed: string | undefined;
  /** Answers once the block is there; it is empty if it was thrown away. */
  readonly finish: (data: string) => string;
}

export const ERROR = "ERROR\r\n";
export const BAD_FORMAT = "CLIENT_ERROR bad command line format\r\n";
export const BAD_EXPTIME = "CLIENT_ERROR invalid exptime argument\r\n";
export const BAD_DATA = "CLIENT_ERROR bad data chunk\r\n";
export const OK = "OK\r\n";
export const TOO_LARGE = "SERVER_ERROR object too large for cache\r\n";
export const OUT_OF_MEMORY = "SERVER_ERROR out of memory\r\n";
export const NO_MEMORY = "SERVER_ERROR out of memory storing object\r\n";

/** The longest data block: a signed 32-bit length with its CRLF. */
export const MAX_BLOCK: number = 2 ** 31 - 1 - 2;

/** A line may be this long without its end in sight, unless it is a `get` or `gets`. */
export const MAX_OPEN_LINE = 2048;

/** A block that is read past and answered with an error. */
export function discarded(length: number, answer: string): Block {
  return { length, malformed: undefined, finish: () => answer };
}
