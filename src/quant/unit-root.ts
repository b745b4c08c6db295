// Whether a column of numbers comes back: the augmented Dickey-Fuller test, and its critical values.

export type SignificanceLevel = 0.01 | 0.05 | 0.1;

export interface DickeyFuller {
  /** Below the critical value: no unit root, the column reverts. */
  readonly statistic: number;
  /** How much of a deviation is gone after a step, in the regression: about -0.05 where 5 % is. */
  readonly slope: number;
  /** Rows of the regression: what the critical value depends on. */
  readonly observations: number;
}

/**
 * The t-statistic of the lagged level in a regression of the change on it, on `lags` earlier changes and, unless `constant` is false, on a
 * constant (Said and Dickey, 1984). Leave the constant out for the residuals of a regression that had one, as Engle and Granger (1987) do.
 * By Cholesky on centred columns: agrees with a QR decomposition to about 1e-9 as long as no column repeats another.
 * @throws RangeError where there are not more rows than coefficients
 */
export function augmentedDickeyFuller(values: ArrayLike<number>, lags: number, constant = true): DickeyFuller {
  const observations = values.length - 1 - lags;
  const width = lags + 1;
  const freedom = observations - width - (constant ? 1 : 0);
  if (!Number.isInteger(lags) || lags < 0 || freedom < 1) {
    throw new RangeError(`${values.length} values and ${lags} lags, expected at least ${2 * lags + 4} values for a whole number of lags`);
  }
  // The columns: earlier changes, then the level, then what is explained. The level last: its row of the factor is then the answer.
  const columns: Float64Array[] = [];
  for (let lag = 1; lag <= lags; lag++) columns.push(rows(observations, (row) => change(values, row + lags - lag)));
  columns.push(rows(observations, (row) => values[row + lags] ?? NaN));
  columns.push(rows(observations, (row) => change(values, row + lags)));
  if (constant) for (const column of columns) center(column);

  // Cholesky of the products, the explained column included: its last row is then the regression on the orthogonalised others.
  const factor: Float64Array[] = [];
  for (let row = 0; row <= width; row++) {
    const line = new Float64Array(row + 1);
    for (let column = 0; column <= row; column++) {
      const other = factor[column] ?? line;
      let rest = product(columns[row], columns[column]);
      for (let before = 0; before < column; before++) rest -= (line[before] ?? NaN) * (other[before] ?? NaN);
      line[column] = column === row ? Math.sqrt(Math.max(0, rest)) : rest / (other[column] ?? NaN);
    }
    factor.push(line);
  }
  const explained = factor[width];
  const onLevel = explained?.[lags] ?? NaN;
  const unexplained = explained?.[width] ?? NaN;
  const statistic = onLevel / (unexplained / Math.sqrt(freedom));
  return { statistic, slope: onLevel / (factor[lags]?.[lags] ?? NaN), observations };
}

/**
 * Critical values of the statistic with a constant in the relation: MacKinnon (2010), table 2, as polynomials in 1 / observations.
 * One variable is a column tested for itself; two are the residuals of one column regressed on another, which look more stationary than
 * they are, so that the bar is higher.
 */
const CRITICAL: Readonly<Record<1 | 2, Readonly<Record<SignificanceLevel, readonly number[]>>>> = {
  1: { 0.01: [-3.43035, -6.5393, -16.786, -79.433], 0.05: [-2.86154, -2.8903, -4.234, -40.04], 0.1: [-2.56677, -1.5384, -2.809] },
  2: { 0.01: [-3.89644, -10.9519, -22.527], 0.05: [-3.33613, -6.1101, -6.823], 0.1: [-3.04445, -4.2412, -2.72] },
};

export function dickeyFullerCritical(variables: 1 | 2, level: SignificanceLevel, observations: number): number {
  return CRITICAL[variables][level].reduceRight((sum, coefficient) => sum / observations + coefficient, 0);
}

function rows(count: number, of: (row: number) => number): Float64Array {
  const column = new Float64Array(count);
  for (let row = 0; row < count; row++) column[row] = of(row);
  return column;
}

/** From `index` to the next. */
function change(values: ArrayLike<number>, index: number): number {
  return (values[index + 1] ?? NaN) - (values[index] ?? NaN);
}

function center(column: Float64Array): void {
  let sum = 0;
  for (const value of column) sum += value;
  const middle = sum / column.length;
  for (let row = 0; row < column.length; row++) column[row] = (column[row] ?? NaN) - middle;
}

function product(left: Float64Array = new Float64Array(0), right: Float64Array = new Float64Array(0)): number {
  let sum = 0;
  for (let row = 0; row < left.length; row++) sum += (left[row] ?? NaN) * (right[row] ?? NaN);
  return sum;
}
