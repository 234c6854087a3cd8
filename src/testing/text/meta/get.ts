import type { Instance } from "../../instance.js";
import type { Item } from "../../item.js";
import type { Session } from "../../session.js";
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

/** `mg <key> <flags>*` (protocol.txt, "Meta Get"). */
export function metaGet(session: Session, words: readonly string[]): string {
  const { instance } = session;
  const refused = refuseLine(instance, words);
  if (refused !== undefined) return refused;
  const request = readFlags(instance, words, 2);
  if (typeof request === "string") return request;
  const found = instance.store.peek(request.key);
  const item = found ?? vivified(instance, request);
  if (item === undefined) return miss(instance, request);
  // A flag that asks for what the read itself would change delays the count of the read.
  const delayed = request.words.some((word) => "NTRlh".includes(word[0]!));
  if (!delayed && !request.noBump) instance.store.bump(item);
  const reply = hit(instance, request, item, found === undefined);
  if (reply === OPAQUE_TOO_LONG) return reply;
  if (delayed && !request.noBump) instance.store.bump(item);
  count(instance, request, item);
  return reply;
}

function miss(instance: Instance, request: MetaFlags): string {
  count(instance, request, undefined);
  const tokens = returnedTokens(request);
  if (tokens === undefined) return OPAQUE_TOO_LONG;
  return request.quiet ? "" : `EN${tokens}\r\n`;
}

/** An empty item that holds the place until the winner has filled it, where it is asked for and has room. */
function vivified({ store }: Instance, request: MetaFlags): Item | undefined {
  const { key, setCas, vivify } = request;
  if (vivify === undefined || store.reserve(key, 0, 0) !== undefined) return undefined;
  store.put("add", { key, data: "", flags: 0, exptime: 0 }, { setCas });
  return store.stored;
}

function hit(instance: Instance, request: MetaFlags, item: Item, created: boolean): string {
  const { release } = instance.settings;
  const unchanged = release.unlessCas && request.compareCas === item.cas;
  const value = request.value && !unchanged;
  let reply = value ? `VA ${item.data.length}` : "HD";
  let won = false;
  for (const word of request.words) {
    switch (word[0]) {
      case "T":
        item.exptime = request.exptime!;
        break;
      case "N":
        if (!created) break;
        item.exptime = request.vivify!;
        won = true;
        break;
      case "R":
        won ||= !item.won && !created && item.exptime !== 0 && item.exptime < request.recache!;
        break;
      case "O":
        if (isTooLong(word)) return OPAQUE_TOO_LONG;
        reply += ` ${word}`;
        break;
      default:
        reply += returned(instance, item, word[0]!);
    }
  }
  if (item.won) reply += " Z";
  if (item.stale) {
    reply += " X";
    won ||= !item.won;
  }
  if (won) {
    reply += " W";
    item.won = true;
  }
  return value ? `${reply}\r\n${item.data}\r\n` : `${reply}\r\n`;
}

/** What one return flag adds to the reply. */
function returned(instance: Instance, item: Item, letter: string): string {
  switch (letter) {
    case "s":
      return ` s${item.data.length}`;
    case "t":
      return returnedTtl(item, instance.clock.now());
    case "c":
      return ` c${item.cas}`;
    case "f":
      return ` f${item.flags}`;
    case "l":
      return ` l${instance.clock.now() - item.time}`;
    case "h":
      return item.fetched ? " h1" : " h0";
    case "k":
      return returnedKey(item.key, item.binaryKey);
    default:
      return "";
  }
}

function count({ counters }: Instance, request: MetaFlags, item: Item | undefined): void {
  const { totals } = counters;
  if (item !== undefined && request.exptime !== undefined) {
    totals.cmd_touch++;
    counters.of(item.slabClass).touch_hits++;
    return;
  }
  totals.cmd_get++;
  if (item === undefined) totals.get_misses++;
  else counters.of(item.slabClass).get_hits++;
}
