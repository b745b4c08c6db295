// Whether two columns are cointegrated by a relation that changed once, at a time that is not known.
import { laggedRegression, type Lags } from './lagged-regression.ts';
import { leastSquares } from './linear-model.ts';
import { changesOf, phillipsPerron } from './unit-root.ts';
import type { SignificanceLevel } from './unit-root-distribution.ts';

/** What changes at the break: the constant; the constant, beside a line in time that does not; the constant and the slope. */
export type RegimeShift = 'level' | 'level-with-trend' | 'regime';

export interface BreakStatistic {
  /** The least over all breaks: below the critical value the two are cointegrated, with the break. */
  readonly statistic: number;
  /** First row of the new regime at that least one. */
  readonly breakAt: number;
}

export interface GregoryHansen {
  readonly dickeyFuller: BreakStatistic;
  /** With Phillips' Z-tau in its place. */
  readonly phillips: BreakStatistic;
}

/** The break is looked for away from either end by this part of the rows. */
const TRIM = 0.15;

/**
 * Gregory and Hansen (1996), Residual-based tests for cointegration in models with regime shifts: for every break in the middle 70 % of the
 * rows a regression of `explained` on `other` with it, and the unit-root statistics of its residuals.
 * @param lags of the Dickey-Fuller regression
 * @param longRunLags of Phillips' statistic
 * @throws RangeError where there are too few rows for the lags, or a column repeats others
 */
export function gregoryHansen(
  explained: ArrayLike<number>,
  other: ArrayLike<number>,
  shift: RegimeShift,
  lags: Lags = { by: 'aic' },
  longRunLags: number = Math.ceil(12 * (explained.length / 100) ** 0.25),
): GregoryHansen {
  const count = explained.length;
  const constant = new Float64Array(count).fill(1);
  const time = Float64Array.from(constant, (_, row) => row - (count - 1) / 2);
  const always = shift === 'level-with-trend' ? [constant, time, other] : [constant, other];
  let dickeyFuller: BreakStatistic = { statistic: Infinity, breakAt: NaN };
  let phillips = dickeyFuller;
  for (let breakAt = Math.round(TRIM * count); breakAt <= Math.round((1 - TRIM) * count); breakAt++) {
    const after = (of: ArrayLike<number>): Float64Array => Float64Array.from(of, (value, row) => (row < breakAt ? 0 : value));
    const { residuals } = leastSquares(explained, [...always, after(constant), ...(shift === 'regime' ? [after(other)] : [])]);
    const { statistic } = laggedRegression(changesOf(residuals), residuals.subarray(0, -1), 'none', lags);
    if (statistic < dickeyFuller.statistic) dickeyFuller = { statistic, breakAt };
    const { statistic: corrected } = phillipsPerron(residuals, 'none', longRunLags);
    if (corrected < phillips.statistic) phillips = { statistic: corrected, breakAt };
  }
  return { dickeyFuller, phillips };
}

/** Of either statistic, for one other column and many rows: Gregory and Hansen (1996), table 1, m = 1. */
export function gregoryHansenCritical(level: SignificanceLevel, shift: RegimeShift): number {
  return CRITICAL[shift][level];
}

const CRITICAL: Readonly<Record<RegimeShift, Readonly<Record<SignificanceLevel, number>>>> = {
  level: { 0.01: -5.13, 0.05: -4.61, 0.1: -4.34 },
  'level-with-trend': { 0.01: -5.45, 0.05: -4.99, 0.1: -4.72 },
  regime: { 0.01: -5.47, 0.05: -4.95, 0.1: -4.68 },
};
