import type { Statistics } from "../statistics.js";

/**
 * Takes one line of the answer to `stats` (protocol.txt, "Statistics"); returns false for one
 * that is not a statistic.
 * @throws ProtocolError if there is no end to them
 */
export function takeStatistic(line: string, statistics: Statistics): boolean {
  const match = /^(?:STAT|ITEM|PREFIX) (\S+) ?(.*)$/.exec(line);
  if (match === null) return false;
  statistics.add(match[1]!, match[2]!, line.length);
  return true;
}
