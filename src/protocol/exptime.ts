import { OptionError } from "../errors.js";
import { show } from "../util/show.js";

/** How long an item lives: whole seconds from now (0: for ever; negative: not at all), or until a date. */
export type Ttl = number | Date;

/** Up to here memcached takes an exptime for seconds from now, above for a Unix time (protocol.txt, "Expiration times"). */
export const MAX_RELATIVE_SECONDS: number = 60 * 60 * 24 * 30;

/** memcached keeps an exptime in 32 signed bits; one beyond wraps, and the item is gone at once. */
const MAX_EXPTIME = 2 ** 31 - 1;

const LAST = "2038-01-19, the last time that memcached can hold";

const ALREADY_EXPIRED = -1;

/**
 * The wire's exptime for a ttl.
 * @param clock - the present in milliseconds, asked only where it matters
 * @param name - what the caller calls it
 * @throws OptionError for NaN, fractions, other types and times past January 2038
 */
export function exptime(ttl: Ttl, clock: () => number, name = "ttl"): number {
  if (typeof ttl === "number") {
    if (ttl >= 0 && ttl <= MAX_RELATIVE_SECONDS && Number.isInteger(ttl)) return ttl;
    return unusual(ttl, clock, name);
  }
  if (!(ttl instanceof Date)) {
    throw new OptionError(`${name} must be a number of seconds or a Date, not ${show(ttl)}`);
  }
  const time = ttl.getTime();
  if (Number.isNaN(time)) throw new OptionError(`${name} is an invalid Date`);
  if (time <= clock()) return ALREADY_EXPIRED;
  const seconds = Math.ceil(time / 1000);
  if (seconds <= MAX_EXPTIME) return seconds;
  throw new OptionError(`${name} ${ttl.toISOString()} is past ${LAST}; use 0 to keep for ever`);
}

function unusual(ttl: number, clock: () => number, name: string): number {
  if (!Number.isInteger(ttl)) {
    throw new OptionError(`${name} must be a whole number of seconds, not ${ttl}`);
  }
  if (ttl < 0) return ALREADY_EXPIRED;
  const seconds = Math.floor(clock() / 1000) + ttl;
  if (seconds <= MAX_EXPTIME) return seconds;
  throw new OptionError(
    `${name} ${ttl} seconds from now is past ${LAST}; it counts seconds (not milliseconds) from now, a Date is a point in time, and 0 keeps for ever`,
  );
}
