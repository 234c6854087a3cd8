import type { Instance } from "../instance.js";
import type { Item } from "../item.js";
import type { Session } from "../session.js";
import { LARGEST_CLASS } from "../slab.js";
import { percentEncode } from "../watch.js";
import { BAD_FORMAT, ERROR, OK } from "./command.js";

/** The crawler stops one class short of the last. */
const LARGEST_CRAWLED = LARGEST_CLASS - 1;
const BAD_CLASS = "BADCLASS invalid class id\r\n";

/** `lru_crawler <what> …`: a walk over the items (protocol.txt, "LRU Crawler"). */
export function crawler(session: Session, words: readonly string[]): string {
  const { instance } = session;
  const [, what, argument] = words;
  if (words.length === 2) return toggle(what);
  if (words.length !== 3 || argument === undefined) return ERROR;
  const { numerals, mgdump } = instance.settings.release;
  switch (what) {
    case "crawl":
      return crawl(instance, argument);
    case "metadump":
      return dump(session, argument, "metadump");
    case "mgdump":
      return mgdump ? dump(session, argument, "mgdump") : ERROR;
    case "tocrawl":
      return numerals.uint32(argument) === undefined ? BAD_FORMAT : OK;
    case "sleep": {
      const micros = numerals.uint32(argument);
      if (micros === undefined) return BAD_FORMAT;
      return micros > 1_000_000 ? "CLIENT_ERROR sleep must be one second or less\r\n" : OK;
    }
    default:
      return ERROR;
  }
}

/** The crawler of an embedded server is always there and cannot be started twice. */
function toggle(what: string | undefined): string {
  if (what === "enable") return "ERROR failed to start lru crawler thread\r\n";
  return what === "disable" ? OK : ERROR;
}

function crawl(instance: Instance, classes: string): string {
  const chosen = classesOf(instance, classes);
  if (chosen === undefined || classes === "hash") return BAD_CLASS;
  instance.counters.totals.lru_crawler_starts++;
  instance.counters.totals.crawler_reclaimed += instance.store.crawl();
  return OK;
}

function dump(session: Session, classes: string, form: "metadump" | "mgdump"): string {
  const { instance, reply } = session;
  const { release, dump: allowed } = instance.settings;
  if (!allowed) return `ERROR ${form} not allowed\r\n`;
  if (reply !== "") return `ERROR cannot pipeline other commands before ${form}\r\n`;
  const chosen = classesOf(instance, classes);
  if (chosen === undefined) return BAD_CLASS;
  let lines = release.dumpOk ? OK : "";
  // As there, the least recently used comes first.
  for (const item of [...instance.store.items()].reverse()) {
    if (chosen !== "all" && !chosen.has(item.slabClass)) continue;
    if (!instance.store.isLive(item)) continue;
    lines += form === "metadump" ? metadumpLine(instance, item) : mgdumpLine(item);
  }
  return `${lines}${form === "metadump" ? "END" : "EN"}\r\n`;
}

function metadumpLine(instance: Instance, item: Item): string {
  const { dumpFlags, dumpOk } = instance.settings.release;
  const flags = dumpFlags ? ` flags=${item.flags}` : "";
  return (
    `key=${percentEncode(item.key)} exp=${item.exptime === 0 ? -1 : item.exptime} ` +
    `la=${item.time} cas=${item.cas} fetch=${item.fetched ? "yes" : "no"} ` +
    `cls=${item.slabClass} size=${item.bytes}${flags}${dumpOk ? " " : ""}\n`
  );
}

function mgdumpLine({ key, binaryKey }: Item): string {
  return binaryKey ? `mg ${Buffer.from(key, "latin1").toString("base64")} b\r\n` : `mg ${key}\r\n`;
}

/** `all`, `hash` (which is all), or numbers of slab classes. */
function classesOf({ settings }: Instance, words: string): "all" | Set<number> | undefined {
  if (words === "all" || words === "hash") return "all";
  const chosen = new Set<number>();
  for (const word of words.split(",").filter((part) => part !== "")) {
    const slabClass = settings.release.numerals.uint32(word);
    if (slabClass === undefined || slabClass < 1 || slabClass > LARGEST_CRAWLED) return undefined;
    chosen.add(slabClass);
  }
  return chosen;
}
