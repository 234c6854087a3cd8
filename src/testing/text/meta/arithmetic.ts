import type { Instance } from "../../instance.js";
import type { Item } from "../../item.js";
import type { Session } from "../../session.js";
import { OUT_OF_MEMORY } from "../command.js";
import { NON_NUMERIC } from "../mutation.js";
import {
  isTooLong,
  type MetaFlags,
  OPAQUE_TOO_LONG,
  readFlags,
  refuseLine,
  returnedKey,
  returnedTokens,
  returnedTtl,
} from "./flags.js";

const BAD_FLAG = "CLIENT_ERROR invalid or duplicate flag\r\n";

const MODES: ReadonlyMap<string | undefined, "incr" | "decr"> = new Map([
  [undefined, "incr"],
  ["I", "incr"],
  ["+", "incr"],
  ["D", "decr"],
  ["-", "decr"],
]);

/** `ma <key> <flags>*` (protocol.txt, "Meta Arithmetic"). */
export function metaArithmetic(session: Session, words: readonly string[]): string {
  const { instance } = session;
  const refused = refuseLine(instance, words);
  if (refused !== undefined) return instance.settings.release.strictParser ? BAD_FLAG : refused;
  const request = readFlags(instance, words, 2);
  if (typeof request === "string") return BAD_FLAG;
  const mode = MODES.get(request.mode);
  if (mode === undefined) return "CLIENT_ERROR invalid mode for ma M token\r\n";
  const { key, delta, compareCas = 0n, vivify: makes } = request;
  const sum = instance.add(mode, key, delta, compareCas, makes !== undefined);
  switch (sum.kind) {
    case "notNumeric":
      return NON_NUMERIC;
    case "noMemory":
      return OUT_OF_MEMORY;
    case "exists":
      return failed("EX", request);
    case "notFound":
      return makes === undefined ? failed("NF", request) : vivify(instance, request);
    case "number":
      if (request.setCas !== undefined) sum.item.cas = request.setCas;
      return done(instance, request, sum.item, sum.digits, false);
  }
}

function failed(code: "EX" | "NF", request: MetaFlags): string {
  const tokens = returnedTokens(request);
  return tokens === undefined ? OPAQUE_TOO_LONG : `${code}${tokens}\r\n`;
}

function vivify(instance: Instance, request: MetaFlags): string {
  const { store } = instance;
  const { key, initial, setCas } = request;
  const digits = String(initial);
  if (store.reserve(key, digits.length, 0) !== undefined) {
    return "SERVER_ERROR Out of memory allocating new item\r\n";
  }
  const item = instance.make({ key, data: digits, flags: 0, exptime: 0 }, setCas);
  return done(instance, request, item, digits, true);
}

function done(
  instance: Instance,
  request: MetaFlags,
  item: Item,
  digits: string,
  created: boolean,
): string {
  let reply = request.value ? `VA ${digits.length}` : "HD";
  for (const word of request.words) {
    switch (word[0]) {
      case "c":
        reply += ` c${item.cas}`;
        break;
      case "t":
        reply += returnedTtl(item, instance.clock.now());
        break;
      case "T":
        item.exptime = request.exptime!;
        break;
      case "N":
        if (created) item.exptime = request.vivify!;
        break;
      case "O":
        if (isTooLong(word)) return OPAQUE_TOO_LONG;
        reply += ` ${word}`;
        break;
      case "k":
        reply += returnedKey(request.key, request.binaryKey);
        break;
    }
  }
  // Before 1.6.40 a number that had to be made was not kept quiet.
  if (request.quiet && !(created && !instance.settings.release.strictParser)) return "";
  return request.value ? `${reply}\r\n${digits}\r\n` : `${reply}\r\n`;
}
