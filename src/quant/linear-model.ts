// Least squares by orthogonal columns: what regressions and canonical correlations are made of.

/** Columns of one length, orthonormal, and how the given ones are made of them: `column j = sum over i <= j of mix[j][i] x basis[i]`. */
export interface Orthogonal {
  readonly basis: readonly Float64Array[];
  /** Row j has j + 1 entries; the last is positive. It is the transposed R of the QR decomposition. */
  readonly mix: readonly Float64Array[];
}

/** A column that keeps less than this part of its length repeats the others. */
const REPEATED = 1e-13;

/**
 * The thin QR decomposition of a matrix that is given by its columns: Gram-Schmidt, each column twice. Twice is enough to be as orthogonal
 * as Householder's reflections are (Giraud, Langou and Rozloznik, 2005).
 * @throws RangeError where a column repeats the ones before it
 */
export function orthogonalise(columns: readonly ArrayLike<number>[]): Orthogonal {
  const basis: Float64Array[] = [];
  const mix: Float64Array[] = [];
  for (const [index, column] of columns.entries()) {
    const rest = Float64Array.from(column);
    const row = new Float64Array(index + 1);
    const length = Math.sqrt(dot(rest, rest));
    for (let pass = 0; pass < 2; pass++) {
      for (const [place, direction] of basis.entries()) {
        const part = dot(rest, direction);
        row[place] = (row[place] ?? NaN) + part;
        subtract(rest, direction, part);
      }
    }
    const left = Math.sqrt(dot(rest, rest));
    if (!(left > REPEATED * length)) throw new RangeError(`column ${index} repeats those before it, expected one of its own`);
    row[index] = left;
    for (let place = 0; place < rest.length; place++) rest[place] = (rest[place] ?? NaN) / left;
    basis.push(rest);
    mix.push(row);
  }
  return { basis, mix };
}

/** What is left of a column when its parts along the basis are taken away. */
export function residualOf(column: ArrayLike<number>, basis: readonly Float64Array[]): Float64Array {
  const rest = Float64Array.from(column);
  for (let pass = 0; pass < 2; pass++) for (const direction of basis) subtract(rest, direction, dot(rest, direction));
  return rest;
}

/** One entry for each column, in their order. */
export interface LeastSquares {
  readonly coefficients: Float64Array;
  /** Of the coefficients, under errors of one variance without memory. */
  readonly standardErrors: Float64Array;
  readonly tStatistics: Float64Array;
  /** One entry for each row. */
  readonly residuals: Float64Array;
  /** Sum of squared residuals. */
  readonly squares: number;
  /** Rows less columns. */
  readonly freedom: number;
  /** Share of the spread around the mean that is explained: of a regression that has a constant among its columns. */
  readonly rSquared: number;
}

/**
 * Ordinary least squares of `explained` on `columns`, by QR. A constant is a column of ones, and is not added by itself.
 * @param columns each as long as `explained`
 * @throws RangeError where there are not more rows than columns, or a column repeats others
 */
export function leastSquares(explained: ArrayLike<number>, columns: readonly ArrayLike<number>[]): LeastSquares {
  const freedom = explained.length - columns.length;
  if (freedom < 1 || columns.some((column) => column.length !== explained.length)) {
    throw new RangeError(`${explained.length} rows and ${columns.length} columns, expected more rows than columns, of one length`);
  }
  const { basis, mix } = orthogonalise(columns);
  const parts = Float64Array.from(basis, (direction) => dot(explained, direction));
  const residuals = residualOf(explained, basis);
  const squares = dot(residuals, residuals);
  const size = columns.length;
  const coefficients = new Float64Array(size);
  for (let column = size - 1; column >= 0; column--) {
    let rest = parts[column] ?? NaN;
    for (let later = column + 1; later < size; later++) rest -= (mix[later]?.[column] ?? NaN) * (coefficients[later] ?? NaN);
    coefficients[column] = rest / (mix[column]?.[column] ?? NaN);
  }
  const deviation = Math.sqrt(squares / freedom);
  const standardErrors = inverseLengths(mix).map((length) => deviation * length);
  let centre = 0;
  for (let row = 0; row < explained.length; row++) centre += explained[row] ?? NaN;
  centre /= explained.length;
  let spread = 0;
  for (let row = 0; row < explained.length; row++) spread += ((explained[row] ?? NaN) - centre) ** 2;
  return {
    coefficients,
    standardErrors,
    tStatistics: coefficients.map((coefficient, column) => coefficient / (standardErrors[column] ?? NaN)),
    residuals,
    squares,
    freedom,
    rSquared: 1 - squares / spread,
  };
}

/** Lengths of the rows of the inverse of R: square roots of the diagonal of the inverted products. */
function inverseLengths(mix: readonly Float64Array[]): Float64Array {
  const size = mix.length;
  const squares = new Float64Array(size);
  const column = new Float64Array(size);
  for (let unit = 0; unit < size; unit++) {
    column.fill(0);
    for (let row = unit; row >= 0; row--) {
      let rest = row === unit ? 1 : 0;
      for (let later = row + 1; later <= unit; later++) rest -= (mix[later]?.[row] ?? NaN) * (column[later] ?? NaN);
      column[row] = rest / (mix[row]?.[row] ?? NaN);
      squares[row] = (squares[row] ?? NaN) + (column[row] ?? NaN) ** 2;
    }
  }
  return squares.map(Math.sqrt);
}

/** Sum of the products, row by row. */
export function dot(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < right.length; row++) sum += (left[row] ?? NaN) * (right[row] ?? NaN);
  return sum;
}

function subtract(from: Float64Array, direction: Float64Array, times: number): void {
  for (let row = 0; row < from.length; row++) from[row] = (from[row] ?? NaN) - times * (direction[row] ?? NaN);
}
