import type { Session } from "../session.js";
import { BAD_FORMAT, type Command, OK } from "./command.js";

function flushAll({ instance }: Session, words: readonly string[]): string {
  const { settings, counters } = instance;
  counters.cmd_flush++;
  if (!settings.flushAll) return "CLIENT_ERROR flush_all not allowed\r\n";
  const plain = words.at(-1) === "noreply" && words.length > 1 ? 2 : 1;
  let seconds: number | undefined = 0;
  if (words.length !== plain) {
    seconds = settings.release.numerals.int32(words[1]!);
    if (seconds === undefined) return "CLIENT_ERROR invalid exptime argument\r\n";
  }
  instance.flush(seconds);
  return OK;
}

function verbosity({ instance }: Session, words: readonly string[]): string {
  const level =
    words[1] === undefined ? undefined : instance.settings.release.numerals.uint32(words[1]);
  if (level === undefined) return BAD_FORMAT;
  instance.settings.verbosity = Math.min(level, 2);
  return OK;
}

function quit(session: Session): string {
  session.closing = true;
  return "";
}

/** The commands about the server (protocol.txt, "Other commands"). */
export const ADMIN: Readonly<Record<string, Command>> = {
  flush_all: { min: 1, max: 3, strictMin: 1, noreply: true, run: flushAll },
  version: {
    min: 1,
    max: Number.POSITIVE_INFINITY,
    noreply: false,
    run: ({ instance }) => `VERSION ${instance.settings.release.version}\r\n`,
  },
  verbosity: { min: 2, max: 3, strictMin: 1, noreply: true, run: verbosity },
  quit: { min: 1, max: Number.POSITIVE_INFINITY, noreply: false, run: quit },
};
