import { decimal } from "../numeral.js";
import type { Session } from "../session.js";
import type { Settings } from "../settings.js";
import { BAD_FORMAT, ERROR, OK } from "./command.js";

const MEGABYTE = 1024 * 1024;

/** `cache_memlimit <megabytes>` */
export function cacheMemlimit({ instance }: Session, words: readonly string[]): string {
  const { settings, store } = instance;
  const megabytes = words[1] === undefined ? undefined : settings.release.numerals.uint32(words[1]);
  if (megabytes === undefined) return ERROR;
  if (megabytes < 8) return "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n";
  if (megabytes > 1_000_000_000) {
    return "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes\r\n";
  }
  store.memoryLimit = megabytes * MEGABYTE;
  store.shrink();
  return OK;
}

/** `slabs reassign <from> <to>` and `slabs automove <level>`: accepted, and without effect. */
export function slabs({ instance }: Session, words: readonly string[]): string {
  const { settings } = instance;
  const { numerals } = settings.release;
  if (words.length === 4 && words[1] === "reassign") {
    const from = numerals.int32(words[2]!);
    const to = numerals.int32(words[3]!);
    if (from === undefined || to === undefined) return BAD_FORMAT;
    return reassign(from, to, instance.slabs.chunkSizes.length);
  }
  if (words.length < 3 || words[1] !== "automove") return ERROR;
  if (words[2] === "ratio") return decimal(words[3] ?? "") === undefined ? ERROR : OK;
  const level = numerals.uint32(words[2]!);
  if (level === undefined) return BAD_FORMAT;
  if (level > 2) return ERROR;
  settings.slabAutomove = level;
  return OK;
}

/** Class -1 is any that has a page to spare, which none has. */
function reassign(from: number, to: number, largest: number): string {
  if (from === to) return "SAME src and dst class are identical\r\n";
  const bad = Math.min(from, to) < 0 || Math.max(from, to) > largest;
  if (bad) return "BADCLASS invalid src or dst class id\r\n";
  return "NOSPARE source class has no spare pages\r\n";
}

/** `lru tune|mode|temp_ttl`: what is set shows in `stats settings`, the one LRU stays flat. */
export function lru({ instance }: Session, words: readonly string[]): string {
  const { settings } = instance;
  if (words[1] === "tune" && words.length >= 6) return tune(settings, words);
  if (words.length < 3) return ERROR;
  if (words[1] === "mode") {
    if (words[2] !== "flat" && words[2] !== "segmented") return ERROR;
    settings.lruSegmented = words[2] === "segmented";
    return OK;
  }
  if (words[1] !== "temp_ttl") return ERROR;
  const ttl = settings.release.numerals.int32(words[2]!);
  if (ttl === undefined) return ERROR;
  settings.temporaryTtl = ttl;
  return OK;
}

function tune(settings: Settings, words: readonly string[]): string {
  const { numerals } = settings.release;
  const hot = numerals.uint32(words[2]!);
  const warm = numerals.uint32(words[3]!);
  const hotFactor = decimal(words[4]!);
  const warmFactor = decimal(words[5]!);
  if (hot === undefined || warm === undefined) return ERROR;
  if (hotFactor === undefined || warmFactor === undefined) return ERROR;
  if (hot + warm > 80) return "ERROR hot and warm pcts must not exceed 80\r\n";
  if (hotFactor <= 0 || warmFactor <= 0) {
    return "ERROR hot/warm age factors must be greater than 0\r\n";
  }
  Object.assign(settings, { hotPercent: hot, warmPercent: warm, hotFactor, warmFactor });
  return OK;
}
