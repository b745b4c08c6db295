// Whether a column of numbers comes back: tests of a unit root, and one whose null is that there is none.
import { laggedRegression, type LaggedRegression, type Lags } from './lagged-regression.ts';
import { leastSquares } from './linear-model.ts';
import { mean } from './statistics.ts';
import { dickeyFullerProbability, type Deterministic } from './unit-root-distribution.ts';

/** Below the critical value: no unit root, the column reverts. `slope` is about -0.05 where 5 % of a deviation is gone after a step. */
export interface DickeyFuller extends LaggedRegression {
  /** MacKinnon's (1994), of a column tested for itself: of the residuals of a regression ask `engleGranger`, which knows better. */
  readonly pValue: number;
}

/**
 * The t-statistic of the lagged level in a regression of the change on it, on earlier changes and on the terms (Said and Dickey, 1984).
 * @param values at least 2 x lags + 3 of them, one more for each term
 * @throws RangeError where there are too few
 */
export function augmentedDickeyFuller(values: ArrayLike<number>, lags: Lags, terms: Deterministic = 'constant'): DickeyFuller {
  const regression = laggedRegression(changesOf(values), levelsOf(values, terms).subarray(0, -1), terms, lags);
  return { ...regression, pValue: dickeyFullerProbability(regression.statistic, 1, terms) };
}

/** From each number to the next: one fewer than values. */
export function changesOf(values: ArrayLike<number>): Float64Array {
  const changes = new Float64Array(Math.max(0, values.length - 1));
  for (let index = 0; index < changes.length; index++) changes[index] = (values[index + 1] ?? NaN) - (values[index] ?? NaN);
  return changes;
}

/** The values themselves, or less their mean, or less their least-squares line in time. */
export function levelsOf(values: ArrayLike<number>, terms: Deterministic): Float64Array {
  const levels = Float64Array.from(values);
  if (terms === 'none') return levels;
  const centre = mean(levels);
  const middle = (levels.length - 1) / 2;
  let [product, squares] = [0, 0];
  if (terms === 'trend') {
    for (let index = 0; index < levels.length; index++) {
      product += (index - middle) * ((levels[index] ?? NaN) - centre);
      squares += (index - middle) ** 2;
    }
  }
  const slope = squares === 0 ? 0 : product / squares;
  for (let index = 0; index < levels.length; index++) levels[index] = (levels[index] ?? NaN) - centre - slope * (index - middle);
  return levels;
}

export interface PhillipsPerron {
  /** Z-tau: distributed as the Dickey-Fuller statistic. */
  readonly statistic: number;
  /** Z-rho, the other form: observations x (coefficient - 1), corrected. */
  readonly coefficientStatistic: number;
  /** Of the first. */
  readonly pValue: number;
  /** Autocovariances in the long-run variance. */
  readonly lags: number;
  readonly observations: number;
}

/**
 * The unit-root test of Phillips and Perron (1988): no lags in the regression, what the errors remember is corrected by their long-run variance
 * with Bartlett weights (Newey and West, 1987).
 * @param lags left out, ceil(12 (n / 100)^(1/4))
 * @throws RangeError where there are fewer values than 5, or not more than lags
 */
export function phillipsPerron(
  values: ArrayLike<number>,
  terms: Deterministic = 'constant',
  lags: number = Math.ceil(12 * (values.length / 100) ** 0.25),
): PhillipsPerron {
  const observations = values.length - 1;
  if (observations < 4 || !Number.isInteger(lags) || lags < 0 || lags >= observations) {
    throw new RangeError(`${values.length} values and ${lags} lags, expected at least 5 values and more than lags`);
  }
  const levels = levelsOf(values, terms);
  const columns: Float64Array[] = [levels.subarray(0, -1)];
  if (terms !== 'none') columns.push(new Float64Array(observations).fill(1));
  if (terms === 'trend') columns.push(Float64Array.from({ length: observations }, (_, row) => row - observations / 2));
  // Of the change, so that the coefficient is already less one: near a unit root nothing is lost by subtracting it.
  const { coefficients, standardErrors, residuals, squares, freedom } = leastSquares(changesOf(levels), columns);
  const [less = NaN] = coefficients;
  const [error = NaN] = standardErrors;
  const own = squares / observations;
  const longRun = longRunVariance(residuals, lags);
  const beyond = longRun - own;
  const ratio = error / Math.sqrt(squares / freedom);
  const statistic = Math.sqrt(own / longRun) * (less / error) - (0.5 * beyond * observations * ratio) / Math.sqrt(longRun);
  return {
    statistic,
    coefficientStatistic: observations * less - 0.5 * (observations * ratio) ** 2 * beyond,
    pValue: dickeyFullerProbability(statistic, 1, terms),
    lags,
    observations,
  };
}

/** Of a column around 0: its variance and, with weights that fall to 0 beyond `lags`, twice its autocovariances. */
function longRunVariance(values: Float64Array, lags: number): number {
  let sum = 0;
  for (let lag = 0; lag <= lags; lag++) sum += (lag === 0 ? 1 : 2 * (1 - lag / (lags + 1))) * lagProduct(values, lag);
  return sum / values.length;
}

function lagProduct(values: Float64Array, lag: number): number {
  let sum = 0;
  for (let index = lag; index < values.length; index++) sum += (values[index] ?? NaN) * (values[index - lag] ?? NaN);
  return sum;
}

export interface Stationarity {
  /** Above the critical value: not stationary. */
  readonly statistic: number;
  /** Between the tabulated 0.01 and 0.1, on straight lines; those two stand for "at most" and "at least". */
  readonly pValue: number;
  readonly lags: number;
}

/** At 10, 5, 2.5 and 1 %: Kwiatkowski, Phillips, Schmidt and Shin (1992), table 1. */
const STATIONARITY: Readonly<Record<'constant' | 'trend', readonly number[]>> = {
  constant: [0.347, 0.463, 0.574, 0.739],
  trend: [0.119, 0.146, 0.176, 0.216],
};
const STATIONARITY_LEVELS = [0.1, 0.05, 0.025, 0.01];

/**
 * The test of Kwiatkowski, Phillips, Schmidt and Shin (1992): its null is a column that is stationary around a constant or a line.
 * @param lags of the long-run variance, with Bartlett weights; left out, by Hobijn, Franses and Ooms (1998), which is said to be automatic
 * @throws RangeError where there are not more values than lags
 */
export function kpss(values: ArrayLike<number>, terms: 'constant' | 'trend' = 'constant', lags?: number): Stationarity {
  const residuals = levelsOf(values, terms);
  const count = residuals.length;
  const width = lags ?? automaticLags(residuals);
  if (!Number.isInteger(width) || width < 0 || width >= count) {
    throw new RangeError(`${count} values and ${width} lags, expected more values than lags`);
  }
  let [path, squares] = [0, 0];
  for (const residual of residuals) {
    path += residual;
    squares += path * path;
  }
  const statistic = squares / count ** 2 / longRunVariance(residuals, width);
  return { statistic, pValue: between(statistic, STATIONARITY[terms], STATIONARITY_LEVELS), lags: width };
}

function automaticLags(residuals: Float64Array): number {
  const count = residuals.length;
  let level = lagProduct(residuals, 0) / count;
  let slope = 0;
  for (let lag = 1; lag <= Math.floor(count ** (2 / 9)); lag++) {
    const product = (2 * lagProduct(residuals, lag)) / count;
    level += product;
    slope += lag * product;
  }
  return Math.min(Math.floor(1.1447 * Math.cbrt((slope / level) ** 2) * Math.cbrt(count)), count - 1);
}

/** Of `places` that ascend; beyond its ends the value of the end. NaN of NaN. */
function between(at: number, places: readonly number[], values: readonly number[]): number {
  const next = places.findIndex((place) => at <= place);
  if (Number.isNaN(at)) return NaN;
  if (next < 0) return values.at(-1) ?? NaN;
  if (next === 0) return values[0] ?? NaN;
  const [left, right] = [places[next - 1] ?? NaN, places[next] ?? NaN];
  const [from, to] = [values[next - 1] ?? NaN, values[next] ?? NaN];
  return from + ((to - from) * (at - left)) / (right - left);
}
