import { Sweep } from "./sweep.js";

/**
 * Calls back when so much time is over. What the program was busy for at a stretch does not count:
 * what was waited for may have come meanwhile, and is looked at first.
 * @param holds - whether that keeps the process alive
 * @returns what ends it before
 */
export function countdown(limitMs: number, over: () => void, holds: boolean): () => void {
  let end = performance.now() + limitMs;
  const sweep = new Sweep((now, missedMs) => {
    end = Math.min(end + missedMs, now + limitMs);
    if (now < end) return true;
    over();
    return false;
  }, holds);
  sweep.start();
  return () => sweep.stop();
}
