// How one column is distributed by itself: what turns its values into the probabilities that a copula is of.
import { minimise, type Minimum } from './minimise.ts';
import { normalDistribution } from './normal-distribution.ts';
import { averageRanks } from './rank-correlation.ts';
import { mean, standardDeviation } from './statistics.ts';
import { studentDistribution } from './student-distribution.ts';
import { quantile } from './tails.ts';

/** Middle and scale in units of the column. */
export type Marginal =
  | { readonly family: 'normal'; readonly middle: number; readonly scale: number }
  | { readonly family: 'student'; readonly middle: number; readonly scale: number; readonly degrees: number }
  | { readonly family: 'cauchy'; readonly middle: number; readonly scale: number }
  /** Of a sample, ascending: no shape is taken for granted, and nothing beyond its ends is told apart. */
  | { readonly family: 'empirical'; readonly sorted: Float64Array };

export interface FittedMarginal {
  readonly marginal: Marginal;
  readonly logLikelihood: number;
  /** 2 x parameters - 2 x log likelihood (Akaike, 1974): the lowest is chosen. */
  readonly aic: number;
}

/** More than this is a normal distribution in all but name. */
const MOST_DEGREES = 200;

/**
 * Normal, Student's and Cauchy's distribution by maximum likelihood, the lowest AIC first. Fit on a formation window: a marginal that has seen
 * what it judges knows how extreme it will turn out to be.
 * @throws RangeError below 10 values, or where they do not vary
 */
export function fitMarginals(values: ArrayLike<number>): readonly FittedMarginal[] {
  const spread = standardDeviation(values);
  if (values.length < 10 || !(spread > 0)) {
    throw new RangeError(`${values.length} values with a deviation of ${spread}, expected at least 10 that vary`);
  }
  const count = values.length;
  const normal = -count * (Math.log(spread) + 0.5 * Math.log(2 * Math.PI) + 0.5);
  const sorted = Float64Array.from(values).sort();
  const middle = quantile(sorted, 0.5);
  const width = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2 || spread;
  const logLikelihoodAt = (point: Float64Array, degrees: number): number => {
    const [place = NaN, logScale = NaN] = point;
    const scale = Math.exp(logScale);
    const { logDensity } = studentDistribution(degrees);
    let sum = -count * logScale;
    for (let row = 0; row < count; row++) sum += logDensity(((values[row] ?? NaN) - place) / scale);
    return sum;
  };
  const cauchy = minimise((point) => -logLikelihoodAt(point, 1), [middle, Math.log(width)], [width / 2, 0.3]);
  const student = studentWithin(logLikelihoodAt, middle, width);
  const fitted = (marginal: Marginal, logLikelihood: number, parameters: number): FittedMarginal => {
    return { marginal, logLikelihood, aic: 2 * (parameters - logLikelihood) };
  };
  const [place = NaN, logScale = NaN, logDegrees = NaN] = student.at;
  return [
    fitted({ family: 'normal', middle: mean(values), scale: spread }, normal, 2),
    fitted({ family: 'student', middle: place, scale: Math.exp(logScale), degrees: Math.exp(logDegrees) }, -student.value, 3),
    fitted({ family: 'cauchy', middle: cauchy.at[0] ?? NaN, scale: Math.exp(cauchy.at[1] ?? NaN) }, -cauchy.value, 2),
  ].toSorted((one, other) => one.aic - other.aic);
}

/** At the most degrees where fewer are less likely: a search would feel its way along that wall for thousands of steps. */
function studentWithin(logLikelihoodAt: (point: Float64Array, degrees: number) => number, middle: number, width: number): Minimum {
  const wall = minimise((point) => -logLikelihoodAt(point, MOST_DEGREES), [middle, Math.log(width)], [width / 2, 0.3]);
  if (-logLikelihoodAt(wall.at, 0.99 * MOST_DEGREES) > wall.value) {
    return { at: Float64Array.of(...wall.at, Math.log(MOST_DEGREES)), value: wall.value };
  }
  return minimise(
    (point) => {
      const degrees = Math.exp(point[2] ?? NaN);
      return degrees >= 1 && degrees <= MOST_DEGREES ? -logLikelihoodAt(point, degrees) : Infinity;
    },
    [middle, Math.log(width), Math.log(5)],
    [width / 2, 0.3, 0.5],
  );
}

/** The marginal that a sample is by itself. */
export function empiricalMarginal(sample: ArrayLike<number>): Marginal {
  return { family: 'empirical', sorted: Float64Array.from(sample).sort() };
}

/** Probability of being below x, never 0 or 1 of a sample: of n values the lowest is at 1 / (n + 1). */
export function marginalProbability(marginal: Marginal, x: number): number {
  switch (marginal.family) {
    case 'normal':
      return normalDistribution((x - marginal.middle) / marginal.scale);
    case 'student':
      return studentDistribution(marginal.degrees).probability((x - marginal.middle) / marginal.scale);
    case 'cauchy':
      return 0.5 + Math.atan((x - marginal.middle) / marginal.scale) / Math.PI;
    case 'empirical': {
      const { sorted } = marginal;
      if (Number.isNaN(x)) return NaN;
      const place = (placesBelow(sorted, x, false) + placesBelow(sorted, x, true) + 1) / 2;
      return Math.min(sorted.length, Math.max(1, place)) / (sorted.length + 1);
    }
  }
}

/** How many are below x, or at it as well. */
function placesBelow(sorted: Float64Array, x: number, orAt: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = sorted[middle] ?? NaN;
    if (value < x || (orAt && value === x)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Ranks over n + 1: the probabilities of a column by its own order, which need no shape (Genest, Ghoudi and Rivest, 1995). */
export function pseudoObservations(values: ArrayLike<number>): Float64Array {
  return averageRanks(values).map((rank) => rank / (values.length + 1));
}
