import { MAX_KEY_BYTES } from "../../../protocol/key.js";
import type { Instance } from "../../instance.js";
import type { Session } from "../../session.js";
import type { StoreMode, StoreResult } from "../../store.js";
import {
  BAD_DATA,
  BAD_FORMAT,
  type Block,
  discarded,
  MAX_BLOCK,
  NO_MEMORY,
  TOO_LARGE,
} from "../command.js";
import {
  isTooLong,
  type MetaFlags,
  OPAQUE_TOO_LONG,
  readFlags,
  refuseLine,
  returnedKey,
} from "./flags.js";

const CODES: Readonly<Record<StoreResult, string>> = {
  stored: "HD",
  notStored: "NS",
  exists: "EX",
  notFound: "NF",
};

const MODES: ReadonlyMap<string | undefined, StoreMode> = new Map([
  [undefined, "set"],
  ["S", "set"],
  ["E", "add"],
  ["A", "append"],
  ["P", "prepend"],
  ["R", "replace"],
]);

/** `ms <key> <length> <flags>*` and a data block (protocol.txt, "Meta Set"). */
export function metaSet(session: Session, words: readonly string[]): string | Block {
  const { instance } = session;
  const { strictParser, numerals, setCas } = instance.settings.release;
  if (words.length < 3 || (!strictParser && words[1]!.length > MAX_KEY_BYTES)) return BAD_FORMAT;
  const tooMany = refuseLine(instance, words);
  if (tooMany !== undefined && !strictParser) return tooMany;
  const length = numerals.int32(words[2]!);
  if (length === undefined || length < 0 || length > MAX_BLOCK) return BAD_FORMAT;
  if (tooMany !== undefined) return discarded(length, tooMany);
  const request = readFlags(instance, words, 3);
  if (typeof request === "string") return discarded(length, request);
  const mode = storeMode(request);
  if (mode === undefined) return discarded(length, "CLIENT_ERROR invalid mode for ms M token\r\n");
  const tooLong = request.words.some((word) => word[0] === "O" && isTooLong(word));
  if (tooLong && !setCas) return discarded(length, OPAQUE_TOO_LONG);
  const shortage = instance.admit(mode, true, { ...request, data: "", exptime: 0 }, length);
  if (shortage !== undefined) {
    return discarded(length, shortage === "tooLarge" ? TOO_LARGE : NO_MEMORY);
  }
  // It is taken before the data comes, and used up even if that turns out bad.
  if (setCas) request.setCas ??= instance.store.nextCas();
  if (tooLong) return discarded(length, OPAQUE_TOO_LONG);
  return {
    length,
    malformed: BAD_DATA,
    finish: (data) => store(instance, request, mode, data),
  };
}

/** The mode, where a cas turns set and replace into a comparing set. */
function storeMode(request: MetaFlags): StoreMode | undefined {
  const mode = MODES.get(request.mode);
  if (request.compareCas === undefined) return mode;
  return mode === "set" || mode === "replace" ? "cas" : mode;
}

function store(instance: Instance, request: MetaFlags, mode: StoreMode, data: string): string {
  const { setExtras } = instance.settings.release;
  const { key, flags, binaryKey, compareCas, setCas, vivify, quiet } = request;
  const vivifies = setExtras && vivify !== undefined && (mode === "append" || mode === "prepend");
  const exptime = vivifies ? vivify : (request.exptime ?? 0);
  const result = instance.write(
    mode,
    { key, data, flags, exptime, binaryKey },
    {
      compareCas,
      setCas: setCas === 0n ? undefined : setCas,
      vivify: vivifies,
      allowStale: request.invalidate,
    },
  );
  if (quiet && result === "stored") return "";
  let reply = CODES[result];
  for (const word of request.words) {
    if (word[0] === "O") reply += ` ${word}`;
    else if (word[0] === "k") reply += returnedKey(key, binaryKey);
    else if (word[0] === "c") reply += ` c${instance.store.stored?.cas ?? 0}`;
    else if (word[0] === "s" && setExtras) {
      reply += ` s${instance.store.stored?.data.length ?? data.length}`;
    }
  }
  return `${reply}\r\n`;
}
