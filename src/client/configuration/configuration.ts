import { OptionError } from "../../errors.js";
import { checkOptions, checkText } from "../../util/check.js";
import { namesOf } from "../../util/names.js";
import { type Word, words } from "../servers/word.js";
import { applyOption, type Draft, emptyDraft } from "./directives.js";

/** What a configuration string says, in this client's terms. */
export type Configuration = {
  readonly [name in Exclude<keyof Draft, "file">]: Readonly<Draft[name]>;
};

/** What a configuration may be taken from beside its text. */
export interface ConfigurationSources {
  /** Gives the text of a file that `INCLUDE` or `--CONFIGURE-FILE=` names; without it they are refused. */
  readonly read?: ((path: string) => string) | undefined;
  /** Where `LIBMEMCACHED` stands in for an empty text. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

const SOURCES = namesOf<ConfigurationSources>({ read: true, environment: true });

/**
 * Reads libmemcached's configuration language (its manual page
 * `libmemcached_configuration`): `--SERVER=host:port/?weight`, `--SOCKET="path"/?weight`,
 * `--HASH=`, `--DISTRIBUTION=consistent` and the other options, in any case and separated
 * by white space; lines that begin with `#`; `INCLUDE file`, `RESET`, `END`, `ERROR`.
 *
 * What libmemcached's parser accepts is accepted, numbers out of range aside, and some that it
 * refuses: short and fully qualified names, IPv6 in brackets, `--SERVER-FAILURE-LIMIT=`, `_` for
 * `-`, options on lines of their own. What an option means does not depend on where it stands.
 * @throws OptionError that names the token, its line and column
 */
export function parseConfiguration(
  text: string,
  sources: ConfigurationSources = {},
): Configuration {
  checkOptions(sources, SOURCES, "The sources of a configuration");
  const { read, environment } = sources;
  const given = checkText(text, "A configuration");
  const reader = new Reader(read);
  reader.readText(given.trim() === "" ? (environment?.["LIBMEMCACHED"] ?? "") : given, []);
  return reader.finish();
}

/** What is wrong with a configuration string, or undefined. Nothing is contacted. */
export function checkConfiguration(
  text: string,
  sources?: ConfigurationSources,
): OptionError | undefined {
  try {
    parseConfiguration(text, sources);
    return undefined;
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
}

class Reader {
  readonly #read: ((path: string) => string) | undefined;
  #draft: Draft = emptyDraft();

  constructor(read: ((path: string) => string) | undefined) {
    this.#read = read;
  }

  /** @param files - those that led here, so that one which includes itself is noticed */
  readText(text: string, files: readonly string[]): void {
    const reading = words(text, files.at(-1));
    for (let next = reading.next(); next.value !== undefined; next = reading.next()) {
      const word = next.value;
      switch (word.text.toUpperCase()) {
        case "END":
          return;
        case "RESET":
          this.#draft = emptyDraft();
          break;
        case "DEBUG":
          this.#draft.ignored.push(word.text);
          break;
        case "ERROR":
        case "CSL_ERROR":
          throw word.error("was called");
        case "INCLUDE": {
          const file = reading.next().value;
          if (file === undefined) throw word.error("needs a file after it");
          this.#include(file, files);
          break;
        }
        default:
          applyOption(this.#draft, word);
      }
    }
  }

  finish(): Configuration {
    const { file } = this.#draft;
    if (file !== undefined) this.#include(file, []);
    const { file: _, ...configuration } = this.#draft;
    return configuration;
  }

  #include(file: Word, files: readonly string[]): void {
    const path = file.unquoted;
    if (this.#read === undefined) throw file.error("is a file, and no files are read here");
    if (files.includes(path)) throw file.error("includes itself");
    let text: string;
    try {
      text = this.#read(path);
    } catch (cause) {
      throw file.error("cannot be read", cause);
    }
    this.readText(text, [...files, path]);
  }
}
