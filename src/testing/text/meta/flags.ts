import { MAX_KEY_BYTES } from "../../../protocol/key.js";
import { latin1 } from "../../../util/bytes.js";
import type { Instance } from "../../instance.js";
import type { Item } from "../../item.js";
import { BAD_FORMAT } from "../command.js";

/** What the flags of a meta command said (protocol.txt, "Meta Commands"). */
export interface MetaFlags {
  /** The key, decoded if it came in base64. */
  key: string;
  binaryKey: boolean;
  /** The words of the flags, in the order in which the reply returns them. */
  readonly words: readonly string[];
  quiet: boolean;
  value: boolean;
  noBump: boolean;
  invalidate: boolean;
  dropValue: boolean;
  vivify: number | undefined;
  exptime: number | undefined;
  recache: number | undefined;
  flags: number;
  compareCas: bigint | undefined;
  setCas: bigint | undefined;
  mode: string | undefined;
  initial: bigint;
  delta: bigint;
}

const KNOWN = "bNTRlOPLkstcfvhuqFCMJDI";
const BAD_TOKEN = "CLIENT_ERROR bad token in command line format\r\n";

/** An opaque's letter and its bytes. */
const MAX_OPAQUE_WORD = 32;
export const OPAQUE_TOO_LONG = "CLIENT_ERROR opaque token too long\r\n";

/** Reads the flags from `words[first]` on; a string is the error to answer with. */
export function readFlags(
  instance: Instance,
  words: readonly string[],
  first: number,
): MetaFlags | string {
  const flags = words.slice(first);
  const parsed: MetaFlags = { ...NONE, key: words[1]!, words: flags };
  const known = instance.settings.release.setCas ? `${KNOWN}Ex` : KNOWN;
  const seen = new Set<string>();
  let error: string | undefined;
  for (const word of flags) {
    const letter = word[0]!;
    if (letter >= "\x7f" || seen.has(letter)) return "CLIENT_ERROR duplicate flag\r\n";
    seen.add(letter);
    if (!known.includes(letter)) return "CLIENT_ERROR invalid flag\r\n";
    const found = readFlag(parsed, instance, letter, word);
    // The last error is told, but one of client flags has no words of its own.
    if (found !== undefined) error = found === BAD_FORMAT ? (error ?? found) : found;
  }
  return error ?? parsed;
}

const NONE: Omit<MetaFlags, "key" | "words"> = {
  binaryKey: false,
  quiet: false,
  value: false,
  noBump: false,
  invalidate: false,
  dropValue: false,
  vivify: undefined,
  exptime: undefined,
  recache: undefined,
  flags: 0,
  compareCas: undefined,
  setCas: undefined,
  mode: undefined,
  initial: 0n,
  delta: 1n,
};

/** Notes one flag; returns the error if its argument is malformed. */
function readFlag(
  parsed: MetaFlags,
  instance: Instance,
  letter: string,
  word: string,
): string | undefined {
  const { numerals, strictParser } = instance.settings.release;
  const argument = word.slice(1);
  const time = () => {
    const seconds = argument === "" ? undefined : numerals.int32(argument);
    return seconds === undefined ? undefined : instance.expiry(seconds);
  };
  const number = () => (argument === "" ? undefined : numerals.uint64(argument));
  switch (letter) {
    case "b":
      return decodeKey(parsed);
    case "N":
      return (parsed.vivify = time()) === undefined ? BAD_TOKEN : undefined;
    case "T":
      return (parsed.exptime = time()) === undefined ? BAD_TOKEN : undefined;
    case "R":
      return (parsed.recache = time()) === undefined ? BAD_TOKEN : undefined;
    case "C":
      return (parsed.compareCas = number()) === undefined ? BAD_TOKEN : undefined;
    case "E":
      parsed.setCas = number();
      if (parsed.setCas === undefined) return BAD_TOKEN;
      if (!instance.settings.cas) parsed.setCas = 0n;
      return undefined;
    case "F": {
      const flags = argument === "" ? undefined : numerals.uint32(argument);
      if (flags === undefined) return BAD_FORMAT;
      parsed.flags = flags;
      return undefined;
    }
    case "J": {
      const initial = number();
      if (initial === undefined) return "CLIENT_ERROR invalid numeric initial value\r\n";
      parsed.initial = initial;
      return undefined;
    }
    case "D": {
      const delta = number();
      if (delta === undefined) return "CLIENT_ERROR invalid numeric delta value\r\n";
      parsed.delta = delta;
      return undefined;
    }
    case "M":
      if (word.length !== 2 && !strictParser)
        return "CLIENT_ERROR incorrect length for M token\r\n";
      parsed.mode = argument[0] ?? " ";
      return undefined;
    default:
      readSwitch(parsed, letter);
      return undefined;
  }
}

function readSwitch(parsed: MetaFlags, letter: string): void {
  switch (letter) {
    case "q":
      parsed.quiet = true;
      break;
    case "v":
      parsed.value = true;
      break;
    case "u":
      parsed.noBump = true;
      break;
    case "I":
      parsed.invalidate = true;
      break;
    case "x":
      parsed.dropValue = true;
      break;
  }
}

/** Replaces a key in base64 by its bytes; returns the error if it is not base64. */
function decodeKey(parsed: MetaFlags): string | undefined {
  const bytes = decodeBase64(parsed.key);
  parsed.binaryKey = true;
  if (bytes === undefined) return "CLIENT_ERROR error decoding key\r\n";
  parsed.key = bytes;
  return undefined;
}

/** base64 by memcached's rules: other characters are skipped, the rest must come in fours. */
export function decodeBase64(text: string): string | undefined {
  const digits = text.replace(/[^A-Za-z0-9+/=]/g, "");
  if (digits === "" || digits.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(digits, "base64");
  return bytes.length === 0 ? undefined : latin1(bytes, 0, bytes.length);
}

/** ` k<key>`, in base64 and with ` b` for a binary key. */
export function returnedKey(key: string, binaryKey: boolean): string {
  return binaryKey ? ` k${Buffer.from(key, "latin1").toString("base64")} b` : ` k${key}`;
}

/**
 * What the flags `O` and `k` return where there is no item to tell more of; undefined
 * if the opaque is too long.
 */
export function returnedTokens(request: MetaFlags): string | undefined {
  let reply = "";
  for (const word of request.words) {
    if (word[0] === "O") {
      if (word.length > MAX_OPAQUE_WORD) return undefined;
      reply += ` ${word}`;
    } else if (word[0] === "k") {
      reply += returnedKey(request.key, request.binaryKey);
    }
  }
  return reply;
}

export function isTooLong(opaqueWord: string): boolean {
  return opaqueWord.length > MAX_OPAQUE_WORD;
}

/** ` t<seconds>`, -1 for an item that never expires. */
export function returnedTtl(item: Item, now: number): string {
  return ` t${item.exptime === 0 ? -1 : (item.exptime - now) >>> 0}`;
}

/** The error of a meta command's line before its flags are looked at, or undefined. */
export function refuseLine(instance: Instance, words: readonly string[]): string | undefined {
  const { strictParser } = instance.settings.release;
  if (words[1]!.length > MAX_KEY_BYTES) return BAD_FORMAT;
  if (words.length <= (strictParser ? 20 : 19)) return undefined;
  const are = strictParser || words[0] === "mg" ? "are " : "";
  return `CLIENT_ERROR options flags ${are}too long\r\n`;
}
