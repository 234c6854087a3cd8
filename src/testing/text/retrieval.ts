import { constants } from "node:buffer";
import { MAX_KEY_BYTES } from "../../protocol/key.js";
import type { Item } from "../item.js";
import type { Session } from "../session.js";
import { BAD_EXPTIME, BAD_FORMAT, type Command } from "./command.js";

/** What the items of one line may come to; the rest is for what is around the last one. */
const MAX_ITEMS = constants.MAX_STRING_LENGTH - 1024;
const TOO_LONG = "SERVER_ERROR out of memory writing get response\r\n";

/** `get gets gat gats`: the items that are there, and `END`. */
function retrieval(withCas: boolean, touches: boolean): Command {
  return {
    min: 2,
    max: Number.POSITIVE_INFINITY,
    strictMin: touches ? 3 : 2,
    run: (session, words) => {
      if (!touches) return retrieve(session, words, 1, withCas, undefined);
      const seconds = session.instance.settings.release.numerals.int32(words[1]!);
      if (seconds === undefined) return BAD_EXPTIME;
      return retrieve(session, words, 2, withCas, session.instance.expiry(seconds));
    },
  };
}

function retrieve(
  session: Session,
  words: readonly string[],
  first: number,
  withCas: boolean,
  exptime: number | undefined,
): string {
  const { instance } = session;
  let reply = "";
  for (let i = first; i < words.length; i++) {
    const key = words[i]!;
    if (key.length > MAX_KEY_BYTES) {
      // One bad key takes the whole reply with it; newer releases add an empty line.
      return instance.settings.release.strictParser ? `${BAD_FORMAT}\r\n` : BAD_FORMAT;
    }
    const item = instance.read(key, exptime);
    instance.prefixes.countGet(key, item !== undefined);
    if (item === undefined) continue;
    if (reply.length + item.data.length > MAX_ITEMS) return TOO_LONG;
    reply += valueBlock(item, withCas);
  }
  return `${reply}END\r\n`;
}

function valueBlock(item: Item, withCas: boolean): string {
  const { key, flags, data, cas } = item;
  return withCas
    ? `VALUE ${key} ${flags} ${data.length} ${cas}\r\n${data}\r\n`
    : `VALUE ${key} ${flags} ${data.length}\r\n${data}\r\n`;
}

/** The classic commands that read values (protocol.txt, "Retrieval command"). */
export const RETRIEVAL: Readonly<Record<string, Command>> = {
  get: retrieval(false, false),
  bget: retrieval(false, false),
  gets: retrieval(true, false),
  gat: retrieval(false, true),
  gats: retrieval(true, true),
};
