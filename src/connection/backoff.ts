/** The longest wait between two attempts to connect. */
const CEILING_MS = 5_000;

const FIRST_MS = 50;

/**
 * How long to leave a server alone after n failed attempts in a row: doubling, capped,
 * and spread by up to a quarter, so that many clients do not come back in step.
 */
export function backoffMs(failures: number, random: () => number): number {
  const base = Math.min(CEILING_MS, FIRST_MS * 2 ** (failures - 1));
  return base * (0.75 + random() * 0.5);
}
