import { ArgumentError, NotSupportedError, OptionError } from "../../errors.js";
import { checkInteger } from "../../util/check.js";
import { show } from "../../util/show.js";

/** Checks of what calls take beside keys, values and options; see `util/check.ts`. */

const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * A number of up to 64 bits without a sign, as a bigint or as a number that is exact.
 * @param Fault - ArgumentError where it is an argument of its own, and not an option
 */
export function checkUnsigned(
  value: unknown,
  name: string,
  Fault: typeof ArgumentError = OptionError,
): bigint | number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === "bigint" && value >= 0n && value <= MAX_UINT64) return value;
  throw new Fault(
    `${name} must be a whole number from 0 to 2^64 - 1 (a bigint past 2^53), not ${show(value)}`,
  );
}

/** The 32 bits that an item carries beside its value. */
export function checkFlags(flags: unknown): number {
  return checkInteger(flags, "flags", 0, 0xffffffff);
}

/** A token that `gets` returned. @param Fault - as above */
export function checkCas(
  value: unknown,
  name: string,
  Fault: typeof ArgumentError = OptionError,
): bigint {
  if (typeof value === "bigint" && value >= 0n && value <= MAX_UINT64) return value;
  throw new Fault(`${name} must be the bigint that gets() returned, not ${show(value)}`);
}

/**
 * A token to compare an item's with. 0 is none: a server that keeps no tokens tells it of
 * every item, and then refuses or carries out what it should compare, whatever the item is.
 * @param Fault - as above
 */
export function checkCompared(
  value: unknown,
  name: string,
  Fault: typeof ArgumentError = OptionError,
): bigint {
  const cas = checkCas(value, name, Fault);
  if (cas !== 0n) return cas;
  throw new NotSupportedError(
    `${name} is 0, the token of no item: a server that answers it keeps none (memcached -C), and cannot compare`,
  );
}

/** What `stats` can be asked for: words and numbers, since it becomes a part of the command line. */
export function checkStatsArgument(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (value === "sizes_enable" || value === "sizes_disable") {
    throw new ArgumentError(
      `memcached never ends its answer to "stats ${value}"; start it with -o track_sizes instead`,
    );
  }
  if (typeof value === "string" && /^\w+(?: \w+)*$/.test(value) && value.length < 200) return value;
  throw new ArgumentError(
    `The argument of stats must be words such as "items", not ${show(value)}`,
  );
}
