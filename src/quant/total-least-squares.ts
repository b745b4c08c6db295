// A line between two columns of which neither is explained by the other: both are taken to be measured with error.
import { mean } from './statistics.ts';

/** y = intercept + slope x, fitted at right angles. */
export interface OrthogonalLine {
  readonly slope: number;
  readonly intercept: number;
  /** Signed distances of the points from the line, at right angles to it: one entry for each row. */
  readonly distances: Float64Array;
}

/**
 * Total least squares (Golub and Van Loan, 1980): the line with the smallest sum of squared distances. With the columns changed over it is
 * the same line, which least squares is not: a hedge ratio that does not depend on which leg came first. It takes both columns to have
 * errors of one size, so it depends on their units; logarithms of prices have the same.
 * @throws RangeError unless the columns are of one length of at least 3, and point in one direction more than in the other
 */
export function totalLeastSquares(x: ArrayLike<number>, y: ArrayLike<number>): OrthogonalLine {
  if (x.length !== y.length || x.length < 3) {
    throw new RangeError(`columns of ${x.length} and ${y.length} rows, expected the same, at least 3`);
  }
  const [centreX, centreY] = [mean(x), mean(y)];
  let [xx, xy, yy] = [0, 0, 0];
  for (let row = 0; row < x.length; row++) {
    const [fromX, fromY] = [(x[row] ?? NaN) - centreX, (y[row] ?? NaN) - centreY];
    xx += fromX * fromX;
    xy += fromX * fromY;
    yy += fromY * fromY;
  }
  const [excess, root] = [yy - xx, Math.hypot(yy - xx, 2 * xy)];
  if (!(root > 0) || (xy === 0 && yy >= xx)) throw new RangeError('a cloud without a direction, or a line that stands upright');
  // Both forms are the same number; in each the one that does not subtract like from like.
  const slope = excess > 0 ? (excess + root) / (2 * xy) : (2 * xy) / (root - excess);
  const intercept = centreY - slope * centreX;
  const length = Math.hypot(1, slope);
  const distances = Float64Array.from(x, (value, row) => ((y[row] ?? NaN) - centreY - slope * (value - centreX)) / length);
  return { slope, intercept, distances };
}
