// Whether two columns that wander do so together: the residuals of one regressed on the other, tested for a unit root.
import { laggedRegression, type Lags } from './lagged-regression.ts';
import { dot, leastSquares } from './linear-model.ts';
import { mean } from './statistics.ts';
import { changesOf } from './unit-root.ts';
import { dickeyFullerCritical, dickeyFullerProbability } from './unit-root-distribution.ts';

/** explained = alpha + beta x other + residual, with a line in time where it was asked for. */
export interface Relation {
  readonly alpha: number;
  readonly beta: number;
  readonly rSquared: number;
  /** One entry for each row. Zero on average. */
  readonly residuals: Float64Array;
}

export interface EngleGranger extends Relation {
  /** Below the critical value the two are cointegrated. NaN where the one is a copy of the other: nothing is left to be tested. */
  readonly statistic: number;
  /** MacKinnon's (1994) of residuals, which look more stationary than they are: a plain Dickey-Fuller p-value says 5 % where it is 14 %. */
  readonly pValue: number;
  /** At 1, 5 and 10 %: MacKinnon (2010), at rows - 1 observations as Stata and statsmodels take them. */
  readonly critical: readonly [onePercent: number, fivePercent: number, tenPercent: number];
  /** Earlier changes in the test's regression. */
  readonly lags: number;
}

/** Residuals below this part of what is explained are rounding: those of a copy. */
const ROUNDING = 1e-12;

/**
 * The line of one column on another, by least squares about their means.
 * @throws RangeError where `other` does not vary, or the columns are not of one length of at least 3
 */
export function relationOf(explained: ArrayLike<number>, other: ArrayLike<number>): Relation {
  const count = explained.length;
  if (count !== other.length || count < 3)
    throw new RangeError(`columns of ${count} and ${other.length} rows, expected the same, at least 3`);
  const [centre, otherCentre] = [mean(explained), mean(other)];
  let [xx, xy, yy] = [0, 0, 0];
  for (let row = 0; row < count; row++) {
    const x = (other[row] ?? NaN) - otherCentre;
    const y = (explained[row] ?? NaN) - centre;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  if (!(xx > 0)) throw new RangeError('a column that does not vary, expected one that does');
  const beta = xy / xx;
  const residuals = new Float64Array(count);
  let squares = 0;
  for (let row = 0; row < count; row++) {
    const residual = (explained[row] ?? NaN) - centre - beta * ((other[row] ?? NaN) - otherCentre);
    residuals[row] = residual;
    squares += residual * residual;
  }
  return { alpha: centre - beta * otherCentre, beta, rSquared: 1 - squares / yy, residuals };
}

/**
 * Engle and Granger (1987): the augmented Dickey-Fuller statistic, without a constant, of the residuals of `explained` on `other`. Which of
 * the two is explained matters in a sample: test both ways. Both columns in logarithms, where prices are meant.
 * @param terms a constant in the relation, or a constant and a line in time
 * @throws RangeError where `other` does not vary, or there are too few rows for the lags
 */
export function engleGranger(
  explained: ArrayLike<number>,
  other: ArrayLike<number>,
  lags: Lags = { by: 'aic' },
  terms: 'constant' | 'trend' = 'constant',
): EngleGranger {
  const relation = terms === 'constant' ? relationOf(explained, other) : relationInTime(explained, other);
  const { residuals } = relation;
  const critical = ([0.01, 0.05, 0.1] as const).map((level) => dickeyFullerCritical(2, level, explained.length - 1, terms));
  const [onePercent = NaN, fivePercent = NaN, tenPercent = NaN] = critical;
  const test = laggedRegression(changesOf(residuals), residuals.subarray(0, -1), 'none', lags);
  const statistic = isCopy(explained, residuals) ? NaN : test.statistic;
  return {
    ...relation,
    statistic,
    pValue: dickeyFullerProbability(statistic, 2, terms),
    critical: [onePercent, fivePercent, tenPercent],
    lags: test.lags,
  };
}

/** explained = beta x other + residual: a line through the origin, whose residuals need not be zero on average. */
export interface OriginRelation {
  readonly beta: number;
  readonly residuals: Float64Array;
  readonly statistic: number;
  /** MacKinnon's (1994) of two columns without a constant. NaN where the one is a copy of the other. */
  readonly pValue: number;
  readonly lags: number;
}

/**
 * Engle and Granger's test of a relation without a constant, as Tadi and Witzany (2025) form theirs. The critical values of 2010 have none for
 * it, so there is only a p-value.
 * @throws RangeError where `other` is 0 throughout, or there are too few rows for the lags
 */
export function engleGrangerThroughOrigin(
  explained: ArrayLike<number>,
  other: ArrayLike<number>,
  lags: Lags = { by: 'aic' },
): OriginRelation {
  const squares = dot(other, other);
  if (explained.length !== other.length || !(squares > 0)) {
    throw new RangeError(`columns of ${explained.length} and ${other.length} rows, expected the same, and not all of them 0`);
  }
  const beta = dot(explained, other) / squares;
  const residuals = Float64Array.from(explained, (value, row) => value - beta * (other[row] ?? NaN));
  const test = laggedRegression(changesOf(residuals), residuals.subarray(0, -1), 'none', lags);
  const statistic = isCopy(explained, residuals) ? NaN : test.statistic;
  return { beta, residuals, statistic, pValue: dickeyFullerProbability(statistic, 2, 'none'), lags: test.lags };
}

function relationInTime(explained: ArrayLike<number>, other: ArrayLike<number>): Relation {
  const count = explained.length;
  const time = Float64Array.from({ length: count }, (_, row) => row - (count - 1) / 2);
  const { coefficients, residuals, rSquared } = leastSquares(explained, [other, new Float64Array(count).fill(1), time]);
  const [beta = NaN, alpha = NaN] = coefficients;
  return { alpha, beta, rSquared, residuals };
}

function isCopy(explained: ArrayLike<number>, residuals: Float64Array): boolean {
  return dot(residuals, residuals) <= ROUNDING ** 2 * dot(explained, explained);
}
