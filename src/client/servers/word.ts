import { OptionError } from "../../errors.js";
import { show } from "../../util/show.js";

/** A word of a configuration, and where it stands, for messages. */
export class Word {
  readonly text: string;
  readonly #source: string;
  readonly #offset: number;
  readonly #file: string | undefined;

  constructor(text: string, source: string, offset: number, file: string | undefined) {
    this.text = text;
    this.#source = source;
    this.#offset = offset;
    this.#file = file;
  }

  /** A part of it, which still knows its place. */
  slice(start: number, end?: number): Word {
    return new Word(this.text.slice(start, end), this.#source, this.#offset + start, this.#file);
  }

  /** Without quotes around it. A backslash stays, as in libmemcached. */
  get unquoted(): string {
    return /^"(.*)"$/s.exec(this.text)?.[1] ?? this.text;
  }

  error(problem: string, cause?: unknown): OptionError {
    const before = this.#source.slice(0, this.#offset).split("\n");
    const line = before.length;
    const column = before.at(-1)!.length + 1;
    const place = this.#file === undefined ? "" : ` of ${this.#file}`;
    return new OptionError(
      `Configuration, line ${line}, column ${column}${place}: ${show(this.text)} ${problem}`,
      { cause },
    );
  }
}

/** A line's comment, or a word: anything without white space, except that a string in quotes may have some. */
const TOKEN = /^[ \t]*#.*|(?:[^\s"]|"(?:\\[\s\S]|[^\\"])*"?)+/gm;

/** A word in which every string ends. */
const CLOSED = /^(?:[^"]|"(?:\\[\s\S]|[^\\"])*")*$/;

/** The words of a text, without its comments. */
export function* words(text: string, file: string | undefined): Generator<Word, undefined> {
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (/^[ \t]*#/.test(token)) continue;
    const word = new Word(token, text, index, file);
    if (!CLOSED.test(token)) throw word.error("has a string that does not end");
    yield word;
  }
  return undefined;
}
