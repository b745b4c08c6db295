// The tails of a sample: quantiles, means beyond them, and what a skewed and heavy-tailed distribution of the same moments would have.

/** A part of the lower tail, and the point of the standard normal distribution below which that part lies. */
export interface Tail {
  readonly probability: number;
  readonly z: number;
}

export const WORST_TWENTIETH: Tail = { probability: 0.05, z: -1.6448536269514722 };
export const WORST_HUNDREDTH: Tail = { probability: 0.01, z: -2.3263478740408408 };

/** Beyond this the tail begins, and the mean of what lies in it. */
export interface TailFigures {
  readonly quantile: number;
  readonly mean: number;
}

/**
 * Between order statistics on a straight line, the first at probability 0 and the last at 1: definition 7 of Hyndman and Fan (1996), the
 * default of numpy and R. `sorted` ascends. NaN of nothing.
 */
export function quantile(sorted: ArrayLike<number>, probability: number): number {
  const place = (sorted.length - 1) * probability;
  const below = Math.floor(place);
  const left = sorted[below] ?? NaN;
  const right = sorted[below + 1] ?? left;
  return left + (right - left) * (place - below);
}

/** The sample's own: its quantile, and the mean of the order statistics that do not lie above it. `sorted` ascends. */
export function sampleTail(sorted: ArrayLike<number>, { probability }: Tail): TailFigures {
  const count = Math.floor((sorted.length - 1) * probability) + 1;
  let sum = 0;
  for (let index = 0; index < count; index++) sum += sorted[index] ?? NaN;
  return { quantile: quantile(sorted, probability), mean: sum / count };
}

/** Central moments of a sample, divided by its count; kurtosis is 3 for a normal distribution. */
export interface Moments {
  readonly mean: number;
  readonly standardDeviation: number;
  readonly skewness: number;
  readonly kurtosis: number;
}

/** Less than a millionth of a normal distribution lies further from its mean than so many standard deviations. */
const REACH = 5;

/**
 * The tail of w(Z), where Z is standard normal and w is Cornish and Fisher's (1937) cubic in it with the sample's skewness S and excess
 * kurtosis K: w(z) = z + (z^2 - 1) S/6 + (z^3 - 3z) K/24 - (2z^3 - 5z) S^2/36. The mean beyond the quantile is the integral of w over the
 * normal tail, in closed form (Maillard 2012, A User's Guide to the Cornish Fisher Expansion).
 * @returns undefined where w(z) is not that quantile of w(Z): S and K are so large that, within REACH, w comes below w(z) above z or above
 * it below z, and any number would be the wrong one
 */
export function cornishFisherTail(
  { mean, standardDeviation, skewness, kurtosis }: Moments,
  { probability, z }: Tail,
): TailFigures | undefined {
  const excess = kurtosis - 3;
  const cubic = excess / 24 - skewness ** 2 / 18;
  const square = skewness / 6;
  const linear = 1 - excess / 8 + (5 * skewness ** 2) / 36;
  // w(x) - w(z) is x - z times a quadratic in x, which must be positive.
  const slope = cubic * z + square;
  const quotient = (x: number): number => cubic * x ** 2 + slope * x + (cubic * z ** 2 + square * z + linear);
  const vertex = -slope / (2 * cubic);
  const lowest = Math.min(quotient(-REACH), quotient(REACH), Math.abs(vertex) < REACH ? quotient(vertex) : Infinity);
  if (!(lowest > 0)) return undefined;
  const point = z + ((z ** 2 - 1) * skewness) / 6 + ((z ** 3 - 3 * z) * excess) / 24 - ((2 * z ** 3 - 5 * z) * skewness ** 2) / 36;
  const density = Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI);
  const beyond = 1 + (z * skewness) / 6 + ((z ** 2 - 1) * excess) / 24 + ((1 - 2 * z ** 2) * skewness ** 2) / 36;
  return {
    quantile: mean + standardDeviation * point,
    mean: mean - (standardDeviation * density * beyond) / probability,
  };
}

/** What lies above zero over what lies below it, in sums: Keating and Shadwick's (2002) Omega at a threshold of zero. Infinity without losses. */
export function omegaRatio(values: ArrayLike<number>): number {
  let gains = 0;
  let losses = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? NaN;
    if (value > 0) gains += value;
    else losses -= value;
  }
  return gains / losses;
}

/** The 95th percentile over the 5th, by size: above 1 where the good end is the longer one. `sorted` ascends. */
export function tailRatio(sorted: ArrayLike<number>): number {
  return Math.abs(quantile(sorted, 0.95)) / Math.abs(quantile(sorted, 0.05));
}
