import { checkChoice, checkDurationMs, checkInteger, checkOptions } from "../util/check.js";
import { namesOf } from "../util/names.js";

/** Which cluster has a value's last word: see {@link MigrationOptions.reads}. */
export type MigrationReads = "old" | "both" | "new";

/** Which calls reject because of the other cluster: see {@link MigrationOptions.strict}. */
export type MigrationStrictness = "none" | "deletes" | "writes" | "all";

/** How a migration behaves. */
export interface MigrationOptions {
  /**
   * Where values are read and stored; changes and deletions are told to both clusters, always:
   *
   * - `"old"`: in the old cluster alone
   * - `"both"`: in the new one, and what is missing there is read in the old one and brought over
   * - `"new"`: in the new cluster alone
   *
   * @defaultValue "both"
   */
  readonly reads?: MigrationReads | undefined;
  /**
   * Which calls reject if the cluster that they do not depend on failed: deletions; or also
   * whatever else changes an item; or also reads, which take such a failure for a miss otherwise.
   * @defaultValue "deletes"
   */
  readonly strict?: MigrationStrictness | undefined;
  /**
   * Seconds that a value lives in the new cluster if the old one, having no meta commands,
   * cannot tell how long it has left; 0 for ever.
   * @defaultValue 60
   */
  readonly ttl?: number | undefined;
  /**
   * Milliseconds of a call's time that a step in the cluster that it does not depend on may take.
   * @defaultValue 250
   */
  readonly otherTimeoutMs?: number | undefined;
  /** Milliseconds from one event `progress` to the next. @defaultValue 10000 */
  readonly progressIntervalMs?: number | undefined;
}

const MIGRATION_OPTIONS = namesOf<MigrationOptions>({
  reads: true,
  strict: true,
  ttl: true,
  otherTimeoutMs: true,
  progressIntervalMs: true,
});

const MAX_TTL = 2 ** 31 - 1;

const READS: readonly MigrationReads[] = ["old", "both", "new"];

/** Each has the calls of those before it. */
const STRICTNESS: readonly MigrationStrictness[] = ["none", "deletes", "writes", "all"];

/** A migration's options, checked. */
export interface MigrationSettings {
  reads: MigrationReads;
  strict: MigrationStrictness;
  readonly ttl: number;
  readonly otherTimeoutMs: number;
  readonly progressIntervalMs: number;
}

/** @throws OptionError, ArgumentError */
export function migrationSettings(options: MigrationOptions): MigrationSettings {
  checkOptions(options, MIGRATION_OPTIONS, "Migration");
  const { reads = "both", strict = "deletes", ttl = 60 } = options;
  const { otherTimeoutMs = 250, progressIntervalMs = 10_000 } = options;
  return {
    reads: checkReads(reads),
    strict: checkStrict(strict),
    ttl: checkInteger(ttl, "ttl", 0, MAX_TTL),
    otherTimeoutMs: checkDurationMs(otherTimeoutMs, "otherTimeoutMs"),
    progressIntervalMs: checkDurationMs(progressIntervalMs, "progressIntervalMs"),
  };
}

export function checkReads(reads: MigrationReads): MigrationReads {
  return checkChoice(reads, "reads", READS);
}

export function checkStrict(strict: MigrationStrictness): MigrationStrictness {
  return checkChoice(strict, "strict", STRICTNESS);
}

/** Whether calls of a kind reject because of the other cluster. */
export function isStrict(
  strict: MigrationStrictness,
  about: Exclude<MigrationStrictness, "none">,
): boolean {
  return STRICTNESS.indexOf(strict) >= STRICTNESS.indexOf(about);
}
