import { OptionError } from "../errors.js";
import { show } from "../util/show.js";

/** How long an item lives: whole seconds from now (0: for ever; negative: not at all), or until a date. */
export type Ttl = number | Date;

/** Up to here memcached takes an exptime for seconds from now, above for a Unix time (protocol.txt, "Expiration times"). */
export const MAX_RELATIVE_SECONDS: number = 60 * 60 * 24 * 30;

/** memcached keeps an exptime in 32 signed bits; one beyond wraps, and the item is gone at once. */
const MAX_EXPTIME = 2 ** 31 - 1;

const ALREADY_EXPIRED = -1;

/**
 * The wire's exptime for a ttl.
 * @param clock - the present in milliseconds, asked only where it matters
 * @throws OptionError for NaN, fractions, other types and times past January 2038
 */
export function exptime(ttl: Ttl, clock: () => number): number {
  if (typeof ttl === "number") {
    if (ttl >= 0 && ttl <= MAX_RELATIVE_SECONDS && Number.isInteger(ttl)) return ttl;
    return unusual(ttl, clock);
  }
  if (!(ttl instanceof Date)) {
    throw new OptionError(`ttl must be a number of seconds or a Date, not ${show(ttl)}`);
  }
  const time = ttl.getTime();
  if (Number.isNaN(time)) throw new OptionError("ttl is an invalid Date");
  if (time <= clock()) return ALREADY_EXPIRED;
  return inRange(Math.ceil(time / 1000), ttl.toISOString());
}

function unusual(ttl: number, clock: () => number): number {
  if (!Number.isInteger(ttl)) {
    throw new OptionError(`ttl must be a whole number of seconds, not ${ttl}`);
  }
  if (ttl < 0) return ALREADY_EXPIRED;
  return inRange(Math.floor(clock() / 1000) + ttl, `${ttl} seconds from now`);
}

function inRange(seconds: number, asked: string): number {
  if (seconds <= MAX_EXPTIME) return seconds;
  throw new OptionError(
    `ttl ${asked} is past 2038-01-19, the last time that memcached can hold; use 0 to keep for ever`,
  );
}
