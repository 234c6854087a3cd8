import { MAX_KEY_BYTES } from "../../protocol/key.js";
import type { Session } from "../session.js";
import { BAD_EXPTIME, BAD_FORMAT, type Command, OUT_OF_MEMORY } from "./command.js";

const NOT_FOUND = "NOT_FOUND\r\n";
export const NON_NUMERIC = "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n";

function arithmetic(mode: "incr" | "decr"): Command {
  return {
    min: 3,
    max: 4,
    quietFrom: 1,
    run: ({ instance }, words) => {
      const key = words[1]!;
      if (key.length > MAX_KEY_BYTES) return BAD_FORMAT;
      const delta = instance.settings.release.numerals.uint64(words[2]!);
      if (delta === undefined) return "CLIENT_ERROR invalid numeric delta argument\r\n";
      const result = instance.add(mode, key, delta);
      switch (result.kind) {
        case "notFound":
          return NOT_FOUND;
        case "notNumeric":
          return NON_NUMERIC;
        case "exists":
          return "EXISTS\r\n";
        case "noMemory":
          return OUT_OF_MEMORY;
        case "number":
          return `${result.digits}\r\n`;
      }
    },
  };
}

function touch({ instance }: Session, words: readonly string[]): string {
  const key = words[1]!;
  if (key.length > MAX_KEY_BYTES) return BAD_FORMAT;
  const seconds = instance.settings.release.numerals.int32(words[2]!);
  if (seconds === undefined) return BAD_EXPTIME;
  const item = instance.read(key, instance.expiry(seconds));
  return item === undefined ? NOT_FOUND : "TOUCHED\r\n";
}

function remove({ instance }: Session, words: readonly string[]): string {
  if (!instance.settings.release.strictParser && !isPlainDelete(words)) {
    return "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n";
  }
  const key = words[1]!;
  if (key.length > MAX_KEY_BYTES) return BAD_FORMAT;
  instance.prefixes.countDelete(key);
  return instance.remove(key) === "deleted" ? "DELETED\r\n" : NOT_FOUND;
}

/** An ancient hold time is tolerated after the key if it is 0. */
function isPlainDelete(words: readonly string[]): boolean {
  const noreply = words.length > 2 && words.at(-1) === "noreply";
  if (words.length === 2) return true;
  if (words.length === 3) return noreply || words[2] === "0";
  return words[2] === "0" && noreply;
}

/** The classic commands that change an item without a data block. */
export const MUTATION: Readonly<Record<string, Command>> = {
  incr: arithmetic("incr"),
  decr: arithmetic("decr"),
  touch: { min: 3, max: 4, quietFrom: 1, run: touch },
  delete: { min: 2, max: 4, quietFrom: 3, run: remove },
};
