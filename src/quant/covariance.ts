// How columns vary together, and what is left of that when there are few rows to know it from.
import { dot } from './linear-model.ts';
import { mean } from './statistics.ts';

/** Square and symmetric, by rows. */
export type SymmetricMatrix = readonly Float64Array[];

/** Of the sample itself: divided by the count of rows. @throws RangeError where the columns are not of one length of at least 2 */
export function sampleCovariance(columns: readonly ArrayLike<number>[]): SymmetricMatrix {
  const deviations = deviationsOf(columns);
  const rows = deviations[0]?.length ?? 0;
  return deviations.map((one) => Float64Array.from(deviations, (other) => dot(one, other) / rows));
}

export interface ShrunkCovariance {
  readonly covariance: SymmetricMatrix;
  /** Weight of the target, in [0, 1]: 1 where the rows say nothing but how much the columns vary on average. */
  readonly shrinkage: number;
}

/**
 * Ledoit and Wolf (2004, A well-conditioned estimator for large-dimensional covariance matrices): the sample's covariance, drawn towards its
 * mean variance times the identity, by the weight with the lowest expected squared error for independent rows. It can be inverted even where
 * there are fewer rows than columns.
 * @param columns of one length: returns, one column for each asset
 * @throws RangeError where they are not, or have less than 2 rows
 */
export function ledoitWolf(columns: readonly ArrayLike<number>[]): ShrunkCovariance {
  const deviations = deviationsOf(columns);
  const [size, rows] = [columns.length, deviations[0]?.length ?? 0];
  const sample = sampleCovariance(columns);
  const middle = sample.reduce((sum, row, index) => sum + (row[index] ?? NaN), 0) / size;
  let [spread, squares] = [0, 0];
  sample.forEach((row, one) =>
    row.forEach((value, other) => {
      spread += (value - (one === other ? middle : 0)) ** 2;
      squares += value * value;
    }),
  );
  // Of the products of the rows around the covariance: how much of it is chance.
  let fourth = 0;
  for (let row = 0; row < rows; row++) {
    let length = 0;
    for (const column of deviations) length += (column[row] ?? NaN) ** 2;
    fourth += length * length;
  }
  const noise = Math.max(0, (fourth / rows - squares) / rows);
  const shrinkage = noise === 0 ? 0 : Math.min(1, noise / spread);
  const covariance = sample.map((row, one) =>
    row.map((value, other) => (1 - shrinkage) * value + (one === other ? shrinkage * middle : 0)),
  );
  return { covariance, shrinkage };
}

export interface ShrunkMeans {
  readonly means: Float64Array;
  /** Weight of the common mean, in [0, 1]. */
  readonly shrinkage: number;
  /** Of the portfolio of lowest variance, which is the one that needs no means. */
  readonly commonMean: number;
}

/**
 * Jorion (1986, Bayes-Stein estimation for portfolio analysis): means of the columns, drawn towards that of the portfolio of lowest variance,
 * the more the less they differ for their errors.
 * @param covariance of the columns, such as `ledoitWolf` gives it
 * @throws RangeError where it is not positive definite, or not of the size of the columns
 */
export function bayesSteinMeans(columns: readonly ArrayLike<number>[], covariance: SymmetricMatrix): ShrunkMeans {
  const rows = columns[0]?.length ?? 0;
  if (covariance.length !== columns.length)
    throw new RangeError(`a covariance of ${covariance.length} for ${columns.length} columns, expected one of their size`);
  const means = Float64Array.from(columns, mean);
  const factor = cholesky(covariance);
  const even = solve(factor, new Float64Array(columns.length).fill(1));
  const commonMean = dot(even, means) / even.reduce((sum, value) => sum + value, 0);
  const beyond = means.map((value) => value - commonMean);
  const distance = rows * dot(beyond, solve(factor, beyond));
  const shrinkage = (columns.length + 2) / (columns.length + 2 + distance);
  return { means: means.map((value) => (1 - shrinkage) * value + shrinkage * commonMean), shrinkage, commonMean };
}

function deviationsOf(columns: readonly ArrayLike<number>[]): Float64Array[] {
  const rows = columns[0]?.length ?? 0;
  if (rows < 2 || columns.some(({ length }) => length !== rows)) {
    throw new RangeError(`columns of ${columns.map(({ length }) => length).join(', ')} rows, expected one length of at least 2`);
  }
  return columns.map((column) => {
    const centre = mean(column);
    return Float64Array.from(column, (value) => value - centre);
  });
}

/** The lower triangle L with L L' = the matrix; row i has i + 1 entries. @throws RangeError where it is not positive definite */
export function cholesky(matrix: SymmetricMatrix): readonly Float64Array[] {
  const factor: Float64Array[] = [];
  for (const [one, row] of matrix.entries()) {
    const made = new Float64Array(one + 1);
    for (let other = 0; other <= one; other++) {
      const upper = factor[other] ?? made;
      let rest = row[other] ?? NaN;
      for (let place = 0; place < other; place++) rest -= (made[place] ?? NaN) * (upper[place] ?? NaN);
      if (other < one) made[other] = rest / (upper[other] ?? NaN);
      else if (rest > 1e-14 * (row[one] ?? NaN)) made[one] = Math.sqrt(rest);
      else throw new RangeError(`a matrix that is not positive definite at row ${one}, expected one that is`);
    }
    factor.push(made);
  }
  return factor;
}

/** What the matrix has to be multiplied with for the right side, from its Cholesky factor. */
export function solve(factor: readonly Float64Array[], right: ArrayLike<number>): Float64Array {
  const size = factor.length;
  const found = Float64Array.from(right);
  for (let row = 0; row < size; row++) {
    let rest = found[row] ?? NaN;
    for (let place = 0; place < row; place++) rest -= (factor[row]?.[place] ?? NaN) * (found[place] ?? NaN);
    found[row] = rest / (factor[row]?.[row] ?? NaN);
  }
  for (let row = size - 1; row >= 0; row--) {
    let rest = found[row] ?? NaN;
    for (let place = row + 1; place < size; place++) rest -= (factor[place]?.[row] ?? NaN) * (found[place] ?? NaN);
    found[row] = rest / (factor[row]?.[row] ?? NaN);
  }
  return found;
}
