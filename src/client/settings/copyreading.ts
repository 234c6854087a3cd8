import { OptionError } from "../../errors.js";
import { Hedging, type HedgingOptions } from "../../routing/hedging.js";
import { Repairs } from "../../routing/repair.js";
import type { Reading } from "../../routing/replicas.js";
import { checkBoolean, checkChoice, checkOptions } from "../../util/check.js";
import { type NamesOf, namesOf } from "../../util/names.js";
import { show } from "../../util/show.js";

/** How the copies are read that the behavior `num_replicas` makes; without it there are none. */
export interface CopyReadOptions {
  /**
   * When a read asks a copy: if the server before failed, or also if that has no such item.
   * @defaultValue "failure", and "miss" with `readRepair`
   */
  readonly readReplicas?: "failure" | "miss" | undefined;
  /**
   * Asks a copy as well when a read takes longer than most, and takes the first answer;
   * `true` stands for the defaults.
   * @defaultValue false
   */
  readonly hedge?: boolean | HedgeOptions | undefined;
  /**
   * Gives an item that one server missed and another one had back to the first, for the
   * time that it has left. It needs the text protocol and memcached 1.6.
   * @defaultValue false
   */
  readonly readRepair?: boolean | undefined;
  /**
   * Reads begin at any of an item's servers, so that each has its share of them;
   * libmemcached's `MEMCACHED_BEHAVIOR_RANDOMIZE_REPLICA_READ`. A miss at a copy is asked
   * for again at the item's own server.
   * @defaultValue false
   */
  readonly randomizeReplicaRead?: boolean | undefined;
}

/** When a read is slow, and how many may be asked twice. */
export interface HedgeOptions {
  /**
   * A read is slow when it takes longer than this many in a hundred recent ones.
   * @defaultValue 95
   */
  readonly percentile?: number | undefined;
  /** The fewest milliseconds to wait for a read. @defaultValue 2 */
  readonly minDelayMs?: number | undefined;
  /**
   * The share of all reads, 0.001 to 1, that may be asked twice: a limit for when every server
   * is slow.
   * @defaultValue 0.1
   */
  readonly maxShare?: number | undefined;
}

export const COPY_READ_OPTIONS: NamesOf<CopyReadOptions> = {
  readReplicas: true,
  hedge: true,
  readRepair: true,
  randomizeReplicaRead: true,
};

const HEDGE_OPTIONS = namesOf<HedgeOptions>({ percentile: true, minDelayMs: true, maxShare: true });

const DEFAULT_PERCENTILE = 95;
const DEFAULT_MIN_DELAY_MS = 2;
const DEFAULT_MAX_SHARE = 0.1;

const MAX_DELAY_MS = 60_000;

/** The options about copies, checked. */
export interface CopyReading {
  readonly onMiss: boolean;
  readonly atRandom: boolean;
  readonly repairs: boolean;
  readonly hedging: HedgingOptions | undefined;
}

/** @throws OptionError */
export function copyReadingOf(options: CopyReadOptions, isBinary: boolean): CopyReading {
  const { hedge, readRepair = false, randomizeReplicaRead = false } = options;
  checkBoolean(readRepair, "readRepair");
  checkBoolean(randomizeReplicaRead, "randomizeReplicaRead");
  const { readReplicas = readRepair ? "miss" : "failure" } = options;
  const onMiss = checkChoice(readReplicas, "readReplicas", ["failure", "miss"]) === "miss";
  if (readRepair && !onMiss) {
    throw new OptionError('readRepair needs readReplicas: "miss"; leave that out, or say so');
  }
  if (readRepair && isBinary) {
    throw new OptionError(
      "readRepair needs the text protocol: the binary one does not tell how long an item lives",
    );
  }
  return { onMiss, atRandom: randomizeReplicaRead, repairs: readRepair, hedging: hedgingOf(hedge) };
}

/** What a client needs to read copies that way, with what it learns and counts. */
export function readingOf({ hedging, repairs, ...reading }: CopyReading): Reading {
  return {
    ...reading,
    hedging: hedging && new Hedging(hedging),
    repairs: repairs ? new Repairs() : undefined,
  };
}

/** What was counted since the client was made. */
export interface CopyReadStats {
  /** Reads that were asked at a second server, since the first was slow. */
  readonly hedged: number;
  /** Reads that were hedged and that the second server answered first. */
  readonly hedgesWon: number;
  /** Reads that were slow too, and were not asked twice, since `maxShare` was reached. */
  readonly hedgesWithheld: number;
  /** Items that were given back to a server that had missed them. */
  readonly repaired: number;
}

export function copyReadStats({ hedging, repairs }: Reading): CopyReadStats {
  return {
    hedged: hedging?.hedged ?? 0,
    hedgesWon: hedging?.won ?? 0,
    hedgesWithheld: hedging?.withheld ?? 0,
    repaired: repairs?.repaired ?? 0,
  };
}

function hedgingOf(hedge: CopyReadOptions["hedge"]): HedgingOptions | undefined {
  if (hedge === undefined || hedge === false) return undefined;
  if (typeof hedge !== "object" || hedge === null)
    checkBoolean(hedge, "hedge", "an object such as { percentile: 95 }");
  const options = typeof hedge === "object" ? hedge : {};
  checkOptions(options, HEDGE_OPTIONS, "hedge");
  const {
    percentile = DEFAULT_PERCENTILE,
    minDelayMs = DEFAULT_MIN_DELAY_MS,
    maxShare = DEFAULT_MAX_SHARE,
  } = options;
  return {
    share: checkRange(percentile, "hedge.percentile", 1, 99.99) / 100,
    minDelayMs: checkRange(minDelayMs, "hedge.minDelayMs", 1, MAX_DELAY_MS),
    maxShare: checkRange(maxShare, "hedge.maxShare", 0.001, 1),
  };
}

function checkRange(value: unknown, name: string, from: number, to: number): number {
  if (typeof value === "number" && value >= from && value <= to) return value;
  throw new OptionError(`${name} must be a number from ${from} to ${to}, not ${show(value)}`);
}
