import { MAX_KEY_BYTES } from "../../../protocol/key.js";
import type { Session } from "../../session.js";
import { BAD_FORMAT, type Command } from "../command.js";
import { metaArithmetic } from "./arithmetic.js";
import { metaDelete } from "./delete.js";
import { decodeBase64 } from "./flags.js";
import { metaGet } from "./get.js";
import { metaSet } from "./set.js";

/** `me <key> [b]`: what the server knows of an item (protocol.txt, "Meta Debug"). */
function metaDebug({ instance }: Session, words: readonly string[]): string {
  const { counters, store, settings, clock } = instance;
  const { strictParser } = settings.release;
  const word = words[1];
  if (word === undefined || word.length > MAX_KEY_BYTES) return BAD_FORMAT;
  // The parser of 1.6.40 looks for the letter only if a further word follows it.
  const inBase64 = words[2] === "b" && (!strictParser || words.length > 3);
  const key = inBase64 ? decodeBase64(word) : word;
  if (key === undefined) return BAD_FORMAT;
  counters.totals.cmd_meta++;
  const item = store.peek(key);
  if (item === undefined) return "EN\r\n";
  const now = clock.now();
  const left = strictParser ? item.exptime - now : now - item.exptime;
  const shown = item.binaryKey ? Buffer.from(item.key, "latin1").toString("base64") : item.key;
  return (
    `ME ${shown} exp=${item.exptime === 0 ? -1 : left} la=${now - item.time} cas=${item.cas} ` +
    `fetch=${item.fetched ? "yes" : "no"} cls=${item.slabClass} size=${item.bytes}\r\n`
  );
}

/** A meta command whose flags begin at `words[first]`. */
function meta(min: number, first: number, run: Command["run"]): Command {
  return {
    min,
    max: Number.POSITIVE_INFINITY,
    run: (session, words) => {
      const { strictParser } = session.instance.settings.release;
      return strictParser && !areFlags(words, first) ? BAD_FORMAT : run(session, words);
    },
  };
}

/** The strict parser refuses the whole line for a flag that is not a letter. */
function areFlags(words: readonly string[], first: number): boolean {
  return words.slice(first).every((word) => /^[A-z0-9]/.test(word));
}

/** The meta commands (protocol.txt, "Meta Commands"). */
export const META: Readonly<Record<string, Command>> = {
  mg: meta(2, 2, metaGet),
  ms: { ...meta(2, 3, metaSet), strictMin: 3 },
  md: meta(2, 2, metaDelete),
  ma: meta(2, 2, metaArithmetic),
  me: { ...meta(1, 2, metaDebug), strictMin: 2 },
  mn: { min: 1, max: Number.POSITIVE_INFINITY, run: () => "MN\r\n" },
};
