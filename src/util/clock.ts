/** The longest delay of a timer, in milliseconds; a longer one fires at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/**
 * A moment of `performance.now()` as microseconds of 32 bits that wrap around: a small
 * integer, which an object holds without memory of its own.
 */
export function microseconds(now: number): number {
  return (now * 1000) | 0;
}

/** The time from one moment to another, both in `microseconds`; right for half an hour. */
export function elapsed(from: number, to: number): number {
  return Math.max(0, (to - from) | 0);
}
