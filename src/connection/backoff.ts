const FIRST_MS = 50;

/**
 * How long to leave a server alone after n failed attempts in a row: doubling up to a
 * ceiling, less up to half of it by chance, so that many clients do not come back in step.
 */
export function backoffMs(
  failures: number,
  ceilingMs: number,
  random: () => number = Math.random,
): number {
  const base = Math.max(FIRST_MS, Math.min(ceilingMs, FIRST_MS * 2 ** (failures - 1)));
  return base * (0.5 + random() * 0.5);
}
