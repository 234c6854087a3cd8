import { latin1 } from "../../util/bytes.js";
import type { Reader, Session } from "../session.js";
import { BAD_FORMAT, type Block, discarded, MAX_OPEN_LINE } from "./command.js";
import { type Commands, carryOut, commandsOf, keysOf } from "./commands.js";

/** Commands whose line a data block follows, or may follow. */
const STORES = new Set(["set", "add", "replace", "append", "prepend", "cas", "ms", "config"]);

/** The strict parser reads no line of fewer bytes, its CR included. */
const SHORTEST_LINE = 3;

/** How many words it sees, but for keys that are read. */
const MAX_WORDS = 23;

/** The commands that it knows behind blanks as well. */
const INDENTED = new Set(
  "shutdown slabs cache_memlimit debugtime flush_all lru_crawler verbosity lru refresh_certs".split(
    " ",
  ),
);

const LF = 10;
const CR = 13;

/**
 * Cuts a client's bytes into command lines and data blocks, wherever the pieces end,
 * and answers them.
 */
export class TextReader implements Reader {
  readonly #session: Session;
  readonly #commands: Commands;
  /** A line whose end has not come yet. */
  #open = "";
  #unlimited = false;
  /** The data block that is being read, and what of it is there. */
  #block: Block | undefined;
  #data = "";
  #missing = 0;

  constructor(session: Session) {
    this.#session = session;
    this.#commands = commandsOf(session.instance.settings.release);
  }

  push(chunk: Buffer): void {
    const session = this.#session;
    const text = latin1(chunk, 0, chunk.length);
    let at = 0;
    while (at < chunk.length && !session.closing && !session.watching) {
      at = this.#block === undefined ? this.#readLine(text, at) : this.#readBlock(chunk, at);
    }
  }

  #readLine(text: string, start: number): number {
    const end = text.indexOf("\n", start);
    if (end < 0) {
      this.#open += text.slice(start);
      this.#limitLine();
      return text.length;
    }
    let line = text.slice(start, end);
    this.#session.requests++;
    if (this.#open !== "") {
      line = this.#open + line;
      this.#open = "";
      this.#unlimited = false;
    }
    const isShort = line.length < SHORTEST_LINE;
    if (line.length > 1 && line.charCodeAt(line.length - 1) === CR) line = line.slice(0, -1);
    this.#answer(line, isShort);
    return end + 1;
  }

  #limitLine(): void {
    if (this.#unlimited || this.#open.length <= MAX_OPEN_LINE) return;
    this.#unlimited = /^ {0,100}gets? /.test(this.#open);
    if (!this.#unlimited) this.#session.abort();
  }

  #answer(whole: string, isShort: boolean): void {
    const session = this.#session;
    const { strictParser } = session.instance.settings.release;
    if (strictParser && isShort) {
      session.reply += BAD_FORMAT;
      return;
    }
    const words = strictParser ? strictWords(whole) : wordsOf(untilNul(whole));
    const wanted = session.tap?.begin(words[0] ?? "", keysOf(words)) ?? true;
    // The line of a command that is not wanted still tells how long its data block is.
    const hasBlock = words.length > 2 && STORES.has(words[0]!);
    const answer = wanted || hasBlock ? carryOut(session, this.#commands, words) : "";
    if (typeof answer === "string") {
      session.answer(wanted ? answer : "");
      return;
    }
    this.#block = wanted ? answer : discarded(answer.length, "");
    this.#missing = answer.length + 2;
    this.#data = "";
  }

  #readBlock(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + this.#missing);
    this.#missing -= end - start;
    const block = this.#block!;
    if (this.#missing > 0) {
      if (block.malformed !== undefined) this.#data += latin1(chunk, start, end);
      return end;
    }
    this.#block = undefined;
    const answer = this.#finish(block, chunk, start, end);
    this.#data = "";
    this.#session.answer(answer);
    return end;
  }

  #finish(block: Block, chunk: Buffer, start: number, end: number): string {
    if (block.malformed === undefined) return block.finish("");
    if (end - start >= 2) {
      const ends = chunk[end - 2] === CR && chunk[end - 1] === LF;
      return ends ? block.finish(this.#data + latin1(chunk, start, end - 2)) : block.malformed;
    }
    const data = this.#data + latin1(chunk, start, end);
    return data.endsWith("\r\n") ? block.finish(data.slice(0, -2)) : block.malformed;
  }
}

function untilNul(line: string): string {
  const nul = line.indexOf("\0");
  return nul < 0 ? line : line.slice(0, nul);
}

/** The parser of 1.6.40 knows most commands only where the line begins, and 23 of their words. */
function strictWords(line: string): string[] {
  const words = wordsOf(line);
  const name = words[0] ?? "";
  if (line.startsWith(" ") && !INDENTED.has(name)) words[0] = ` ${name}`;
  return /^g[ae]ts?$/.test(name) ? words : words.slice(0, MAX_WORDS);
}

function wordsOf(line: string): string[] {
  const words = line.split(" ");
  return words.includes("") ? words.filter((word) => word !== "") : words;
}
