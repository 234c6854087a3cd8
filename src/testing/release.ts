import { checkChoice } from "../util/check.js";
import { keysOf } from "../util/names.js";
import { LOOSE, type Numerals, STRICT } from "./numeral.js";

/**
 * What the releases of memcached answer differently, so that code can be tested against
 * the server that it will meet. Each field is one difference.
 */
export interface Release {
  readonly version: string;
  /** The meta commands; the 1.4 releases had none, nor `gat` as text. */
  readonly meta: boolean;
  /**
   * One parser for all text commands (1.6.40). Before it a storage command with a bad
   * header left its data block to be read as commands, and a NUL ended a line.
   */
  readonly strictParser: boolean;
  /** How the words of a command are read as numbers (stricter since 1.6.40). */
  readonly numerals: Numerals;
  /** `flush_all` uses up a cas number (until 1.6.22). */
  readonly flushTakesCas: boolean;
  /**
   * `E` to choose a cas, `md x` to drop a value; cas numbers begin with 2, and what is not
   * stored uses one up too (1.6.27).
   */
  readonly setCas: boolean;
  /** `mg C`: the value is left out if the cas is this one (1.6.40). */
  readonly unlessCas: boolean;
  /** `ms` with `N` to vivify and `s` to return the size (1.6.20). */
  readonly setExtras: boolean;
  /** `lru_crawler mgdump` (1.6.19). */
  readonly mgdump: boolean;
  /** `metadump` shows `flags=` (1.6.24). */
  readonly dumpFlags: boolean;
  /** Dumps begin with `OK`, and the lines of `metadump` end in a blank (1.6.43). */
  readonly dumpOk: boolean;
  /** `watch deletions` (1.6.20). */
  readonly watchDeletions: boolean;
  /** `stats sizes_enable` and `sizes_disable` exist (until 1.6.24). */
  readonly sizesToggle: boolean;
}

const NEWEST: Release = {
  version: "1.6.45",
  meta: true,
  strictParser: true,
  numerals: STRICT,
  flushTakesCas: false,
  setCas: true,
  unlessCas: true,
  setExtras: true,
  mgdump: true,
  dumpFlags: true,
  dumpOk: true,
  watchDeletions: true,
  sizesToggle: false,
};

const DEBIAN_12: Release = {
  version: "1.6.18",
  meta: true,
  strictParser: false,
  numerals: LOOSE,
  flushTakesCas: true,
  setCas: false,
  unlessCas: false,
  setExtras: false,
  mgdump: false,
  dumpFlags: false,
  dumpOk: false,
  watchDeletions: false,
  sizesToggle: true,
};

const RELEASES: Readonly<Record<Compat, Release>> = {
  newest: NEWEST,
  "1.6.18": DEBIAN_12,
  "1.4": { ...DEBIAN_12, version: "1.4.39", meta: false },
};

/** The releases that the embedded server can stand in for. */
export type Compat = "newest" | "1.6.18" | "1.4";

/** @throws OptionError for a release that is not in the list */
export function releaseOf(compat: Compat): Release {
  return RELEASES[checkChoice(compat, "compat", keysOf(RELEASES))];
}
