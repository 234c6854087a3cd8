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

/** By how much `ys` rise where `xs` rise by one: the slope of the line of least squares. */
export function slope(xs: readonly number[], ys: readonly number[]): number {
  const mean = (figures: readonly number[]) =>
    figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
  const [x0, y0] = [mean(xs), mean(ys)];
  const covariance = mean(xs.map((x, i) => (x - x0) * (ys[i]! - y0)));
  return covariance / mean(xs.map((x) => (x - x0) ** 2));
}

function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}
