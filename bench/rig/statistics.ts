/** The middle of some figures, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), min: quantile(sorted, 0), max: quantile(sorted, 1) };
}

/**
 * Where the true median lies with the confidence wanted, by the order statistics of the
 * sample: the number of figures below it is binomial, whatever their distribution.
 */
export function medianInterval(
  figures: readonly number[],
  confidence = 0.95,
): readonly [low: number, high: number] {
  const sorted = figures.toSorted((a, b) => a - b);
  const n = sorted.length;
  let chance = 1; // that exactly k of n are below the median, times 2^n
  let tail = 0;
  let k = 0;
  for (; k < n / 2; k++) {
    tail += (2 * chance) / 2 ** n;
    if (tail > 1 - confidence) break;
    chance = (chance * (n - k)) / (k + 1);
  }
  if (k === 0) return [-Infinity, Infinity]; // too few figures to say so
  return [sorted[k - 1]!, sorted[n - k]!];
}

function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}
