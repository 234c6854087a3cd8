import type { Release } from "../release.js";
import type { Session } from "../session.js";
import { ADMIN } from "./admin.js";
import { BAD_FORMAT, type Block, type Command, ERROR } from "./command.js";
import { CONFIG } from "./config.js";
import { META } from "./meta/commands.js";
import { MUTATION } from "./mutation.js";
import { RETRIEVAL } from "./retrieval.js";
import { STORAGE } from "./storage.js";

export type Commands = ReadonlyMap<string, Command>;

const CLASSIC = { ...RETRIEVAL, ...STORAGE, ...MUTATION, ...ADMIN, ...CONFIG };

const MODERN: Commands = new Map(Object.entries({ ...CLASSIC, ...META }));

/** 1.6.40 dropped an old name of `get`. */
const NEWEST: Commands = new Map([...MODERN].filter(([name]) => name !== "bget"));

/** The 1.4 releases: no meta commands, no `gat`, and no surplus words after two commands. */
const OLD: Commands = (() => {
  const { gat: _, gats: __, version, quit, ...rest } = CLASSIC;
  const exact = (command: Command | undefined): Command => ({ ...command!, max: 1 });
  return new Map(Object.entries({ ...rest, version: exact(version), quit: exact(quit) }));
})();

/** The commands that a release knows. */
export function commandsOf(release: Release): Commands {
  if (release.strictParser) return NEWEST;
  return release.meta ? MODERN : OLD;
}

/** Carries out the command of a line; a data block may have to come before the answer. */
export function carryOut(
  session: Session,
  commands: Commands,
  words: readonly string[],
): string | Block {
  const { strictParser } = session.instance.settings.release;
  const command = commands.get(words[0] ?? "");
  if (command === undefined) return unknown(session, words, strictParser);
  if (strictParser) {
    if (words.length < (command.strictMin ?? command.min)) return BAD_FORMAT;
  } else if (words.length < command.min || words.length > command.max) {
    return ERROR;
  }
  const answer = command.run(session, words);
  // The strict parser refuses a length before it has looked at the last word.
  if (strictParser && answer === BAD_FORMAT && words[0]! in STORAGE) return answer;
  return isQuiet(command, words, strictParser) ? quiet(answer) : answer;
}

/** Web requests that were smuggled in end the connection. */
function unknown(session: Session, words: readonly string[], strictParser: boolean): string {
  const last = words.at(-1);
  if (last?.startsWith("HTTP/") !== true) return strictParser && last === "noreply" ? "" : ERROR;
  session.abort();
  return "";
}

function isQuiet(command: Command, words: readonly string[], strictParser: boolean): boolean {
  if (command.quietFrom === undefined || words[words.length - 1] !== "noreply") return false;
  return strictParser || words.length >= command.quietFrom;
}

function quiet(answer: string | Block): string | Block {
  if (typeof answer === "string") return "";
  return {
    length: answer.length,
    malformed: answer.malformed === undefined ? undefined : "",
    finish: (data) => {
      answer.finish(data);
      return "";
    },
  };
}

/** The keys of a line, for logs and fault scripts. */
export function keysOf(words: readonly string[]): readonly string[] {
  switch (words[0]) {
    case "get":
    case "gets":
      return words.slice(1);
    case "gat":
    case "gats":
      return words.slice(2);
    default:
      return words.slice(1, 2);
  }
}
