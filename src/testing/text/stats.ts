import type { Instance } from "../instance.js";
import type { Session } from "../session.js";
import { LARGEST_CLASS } from "../slab.js";
import { statsOf } from "../stats/stats.js";
import { BAD_FORMAT, ERROR, OK } from "./command.js";

/** `stats [subcommand]` (protocol.txt, "Statistics"). */
export function stats({ instance }: Session, words: readonly string[]): string {
  switch (words[1]) {
    case "reset":
      instance.resetStats();
      return "RESET\r\n";
    case "detail":
      return detail(instance, words);
    case "cachedump":
      return cachedump(instance, words);
    case "sizes_enable":
    case "sizes_disable":
      return trackSizes(instance, words[1] === "sizes_enable");
  }
  const entries = statsOf(instance, words[1]);
  if (entries === undefined) return ERROR;
  let reply = "";
  for (const [name, value] of entries) reply += `STAT ${name} ${value}\r\n`;
  return `${reply}END\r\n`;
}

/** Until 1.6.24 tracking could be switched; the answer lacks its `END`. */
function trackSizes(instance: Instance, on: boolean): string {
  const { settings, store } = instance;
  if (!settings.release.sizesToggle) return ERROR;
  if (!on) instance.sizesFrom = undefined;
  else instance.sizesFrom ??= store.nextCas();
  return `STAT sizes_status ${on ? "enabled" : "disabled"}\r\n`;
}

function detail({ prefixes, settings }: Instance, words: readonly string[]): string {
  if (settings.release.strictParser && !settings.dump) {
    return "CLIENT_ERROR stats detail not allowed\r\n";
  }
  switch (words[2]) {
    case "on":
      prefixes.enabled = true;
      return OK;
    case "off":
      prefixes.enabled = false;
      return OK;
    case "dump":
      return prefixes.dump();
    default:
      return "CLIENT_ERROR usage: stats detail on|off|dump\r\n";
  }
}

/** `stats cachedump <class> <limit>`: the items of one slab class. */
function cachedump({ settings, store }: Instance, words: readonly string[]): string {
  const { numerals } = settings.release;
  if (!settings.dump) return "CLIENT_ERROR stats cachedump not allowed\r\n";
  if (words.length < 4) return "CLIENT_ERROR bad command line\r\n";
  const slabClass = numerals.uint32(words[2]!);
  const limit = numerals.uint32(words[3]!);
  if (slabClass === undefined || limit === undefined) return BAD_FORMAT;
  if (slabClass > LARGEST_CLASS) return "CLIENT_ERROR Illegal slab id\r\n";
  let reply = "";
  let shown = 0;
  for (const item of store.items()) {
    if (limit !== 0 && shown === limit) break;
    if (item.slabClass !== slabClass || item.binaryKey) continue;
    reply += `ITEM ${item.key} [${item.data.length} b; ${item.exptime} s]\r\n`;
    shown++;
  }
  return `${reply}END\r\n`;
}
