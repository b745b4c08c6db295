// Descriptive statistics of a column of numbers. Plain sums in two passes: nothing here is on a hot path.

/** NaN of nothing. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += at(values, index);
  return sum / values.length;
}

/** Of the sample itself: divided by the count. */
export function variance(values: ArrayLike<number>): number {
  return centralMoment(values, 2);
}

export function standardDeviation(values: ArrayLike<number>): number {
  return Math.sqrt(variance(values));
}

/** Fourth central moment over the squared variance: 3 for a normal distribution, not 0. */
export function kurtosis(values: ArrayLike<number>): number {
  return centralMoment(values, 4) / variance(values) ** 2;
}

/** Third central moment over the cubed standard deviation: negative where the falls are larger than the rises. */
export function skewness(values: ArrayLike<number>): number {
  return centralMoment(values, 3) / variance(values) ** 1.5;
}

/** Pearson's correlation of two columns of one length, in [-1, 1]. */
export function correlation(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length) throw new RangeError(`columns had ${left.length} and ${right.length} values, expected equally many`);
  const leftMean = mean(left);
  const rightMean = mean(right);
  let product = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (let index = 0; index < left.length; index++) {
    const x = at(left, index) - leftMean;
    const y = at(right, index) - rightMean;
    product += x * y;
    leftSquares += x * x;
    rightSquares += y * y;
  }
  return product / Math.sqrt(leftSquares * rightSquares);
}

/** Correlation of a column with itself `lag` places earlier, about one common mean. */
export function autocorrelation(values: ArrayLike<number>, lag: number): number {
  const center = mean(values);
  let product = 0;
  let squares = 0;
  for (let index = 0; index < values.length; index++) {
    const deviation = at(values, index) - center;
    squares += deviation * deviation;
    if (index >= lag) product += deviation * (at(values, index - lag) - center);
  }
  return product / squares;
}

/** Least squares of y = intercept + slope x. */
export function linearFit(x: ArrayLike<number>, y: ArrayLike<number>): { slope: number; intercept: number } {
  if (x.length !== y.length) throw new RangeError(`columns had ${x.length} and ${y.length} values, expected equally many`);
  const xMean = mean(x);
  const yMean = mean(y);
  let product = 0;
  let squares = 0;
  for (let index = 0; index < x.length; index++) {
    const deviation = at(x, index) - xMean;
    product += deviation * (at(y, index) - yMean);
    squares += deviation * deviation;
  }
  const slope = product / squares;
  return { slope, intercept: yMean - slope * xMean };
}

/**
 * After how many steps a deviation has halved, from the first-order autoregression of the column on its own past.
 * Infinity where it does not revert, 0 where it is gone within a step.
 */
export function halfLife(values: Float64Array): number {
  const { slope } = linearFit(values.subarray(0, -1), values.subarray(1));
  if (slope >= 1) return Infinity;
  if (slope <= 0) return 0;
  return -Math.LN2 / Math.log(slope);
}

function centralMoment(values: ArrayLike<number>, order: number): number {
  const center = mean(values);
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += (at(values, index) - center) ** order;
  return sum / values.length;
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? NaN;
}
