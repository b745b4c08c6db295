// How long the blocks of a bootstrap should be, so that what hangs together in time stays together.
import { mean } from './statistics.ts';

/** In observations, at least 1: the expected length for the stationary bootstrap, the fixed one for the circular block bootstrap. */
export interface BlockLengths {
  readonly stationary: number;
  readonly circular: number;
}

/**
 * The lengths that make the error of a bootstrapped variance of the mean smallest: Politis and White (2004), with the correction of Patton,
 * Politis and White (2009). The memory is cut after the first run of max(5, log10 n) autocorrelations within 2 sqrt(log10 n / n), and at
 * most min(3 sqrt n, n / 3) is given. Independent values, and values without spread, have a length of 1. To look at the memory of risk
 * rather than of the mean, pass sizes or squares of returns.
 * @throws RangeError below 16 values, of which no autocorrelation can be judged
 */
export function optimalBlockLengths(values: Float64Array): BlockLengths {
  const count = values.length;
  const least = Math.max(5, Math.floor(Math.log10(count)));
  const most = Math.ceil(Math.sqrt(count)) + least;
  if (count < MINIMUM_VALUES) throw new RangeError(`${count} values, expected at least ${MINIMUM_VALUES}`);
  const centre = mean(values);
  const deviations = values.map((value) => value - centre);
  const autocovariances = new Float64Array(most + 1);
  const bound = 2 * Math.sqrt(Math.log10(count) / count);
  let cut = -1;
  let quiet = 0;
  for (let lag = 0; lag <= most; lag++) {
    // Within the bound for `least` lags up to the one before this: the memory ends where they begin.
    if (cut < 0 && quiet >= least) cut = lag - least;
    const product = products(deviations, lag);
    autocovariances[lag] = product / count;
    // Each side by the spread of the values that it has: without the first, and without the last, lag + 1 of them.
    const size = Math.sqrt(squares(deviations, lag + 1, count) * squares(deviations, 0, count - lag - 1));
    quiet = Math.abs(product) / size < bound ? quiet + 1 : 0;
  }
  const window = Math.min(cut < 0 ? most : 2 * Math.max(cut, 1), most);

  // Flat-top weights: 1 to half the window, then down to 0 on a straight line.
  let slope = 0;
  let longRun = autocovariances[0] ?? NaN;
  for (let lag = 1; lag <= window; lag++) {
    const weight = 2 * Math.min(1, 2 * (1 - lag / window)) * (autocovariances[lag] ?? NaN);
    slope += weight * lag;
    longRun += weight;
  }
  const longest = Math.ceil(Math.min(3 * Math.sqrt(count), count / 3));
  const lengthOf = (constant: number): number => {
    const length = Math.cbrt(((2 * slope ** 2) / (constant * longRun ** 2)) * count);
    return Number.isNaN(length) ? 1 : Math.min(Math.max(1, length), longest);
  };
  return { stationary: lengthOf(2), circular: lengthOf(4 / 3) };
}

const MINIMUM_VALUES = 16;

function products(values: Float64Array, lag: number): number {
  let sum = 0;
  for (let index = lag; index < values.length; index++) sum += (values[index] ?? NaN) * (values[index - lag] ?? NaN);
  return sum;
}

function squares(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let index = from; index < to; index++) sum += (values[index] ?? NaN) ** 2;
  return sum;
}
