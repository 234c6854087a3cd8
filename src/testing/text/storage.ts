import { MAX_KEY_BYTES } from "../../protocol/key.js";
import type { Draft } from "../item.js";
import { LOOSE, type Numerals } from "../numeral.js";
import type { Session } from "../session.js";
import type { StoreMode, StoreResult } from "../store.js";
import {
  BAD_DATA,
  BAD_FORMAT,
  type Block,
  type Command,
  discarded,
  MAX_BLOCK,
  NO_MEMORY,
  TOO_LARGE,
} from "./command.js";

const ANSWERS: Readonly<Record<StoreResult, string>> = {
  stored: "STORED\r\n",
  notStored: "NOT_STORED\r\n",
  exists: "EXISTS\r\n",
  notFound: "NOT_FOUND\r\n",
};

/** `<command> <key> <flags> <exptime> <bytes> [<cas>] [noreply]` and a data block. */
function storage(mode: StoreMode): Command {
  const words = mode === "cas" ? 6 : 5;
  return {
    min: words,
    max: words + 1,
    strictMin: 5,
    quietFrom: 1,
    run: (session, line) => header(session, mode, line),
  };
}

function header(session: Session, mode: StoreMode, words: readonly string[]): string | Block {
  const { strictParser, numerals } = session.instance.settings.release;
  const length = numerals.int32(words[4]!);
  if (length === undefined || length < 0 || length > MAX_BLOCK) return BAD_FORMAT;
  // Older releases leave the data block of a bad line to be read as commands.
  const refuse = (): string | Block => (strictParser ? discarded(length, BAD_FORMAT) : BAD_FORMAT);
  const key = words[1]!;
  const flags = LOOSE.uint32(words[2]!);
  const seconds = LOOSE.int32(words[3]!);
  const compareCas = compared(mode, words, numerals);
  if (key.length > MAX_KEY_BYTES || flags === undefined) return refuse();
  if (seconds === undefined || compareCas === undefined) return refuse();
  const draft = { key, data: "", flags, exptime: session.instance.expiry(seconds) };
  return block(session, mode, draft, length, compareCas);
}

function compared(
  mode: StoreMode,
  words: readonly string[],
  numerals: Numerals,
): bigint | undefined {
  if (mode !== "cas") return 0n;
  return words[5] === undefined ? undefined : numerals.uint64(words[5]);
}

function block(
  { instance }: Session,
  mode: StoreMode,
  draft: Draft,
  length: number,
  compareCas: bigint,
): Block {
  instance.prefixes.countSet(draft.key);
  const shortage = instance.admit(mode, mode === "set", draft, length);
  if (shortage !== undefined) {
    return discarded(length, shortage === "tooLarge" ? TOO_LARGE : NO_MEMORY);
  }
  return {
    length,
    malformed: BAD_DATA,
    finish: (data) => ANSWERS[instance.write(mode, { ...draft, data }, { compareCas })],
  };
}

/** The classic commands that store values (protocol.txt, "Storage commands"). */
export const STORAGE: Readonly<Record<string, Command>> = {
  set: storage("set"),
  add: storage("add"),
  replace: storage("replace"),
  append: storage("append"),
  prepend: storage("prepend"),
  cas: storage("cas"),
};
