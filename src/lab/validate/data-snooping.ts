// Whether the best of many beats a benchmark by more than the best of as many worthless ones would: White's reality check, Hansen's
// test.
import type { Resample } from '../../quant/resampling.ts';
import { mean } from '../../quant/statistics.ts';

export interface DataSnooping {
  /** Number of the column with the highest mean. */
  readonly best: number;
  /** p-value of White's reality check (2000) of means that are not studentised: one wild column among many costs it its power. */
  readonly realityCheck: number;
  /** p-values of Hansen's (2005) test of superior predictive ability. `consistent` is the one to use; the others are its bounds. */
  readonly superiorAbility: {
    /** Largest mean over its standard error, at least 0, on the scale of a normal variable. */
    readonly statistic: number;
    readonly lower: number;
    readonly consistent: number;
    readonly upper: number;
  };
}

export interface SnoopingSettings {
  /** Expected length of the blocks, for the long-run variances: that of `resample`. */
  readonly blockLength: number;
  /** Draws rows for all columns at once: `stationaryBootstrap`. */
  readonly resample: Resample;
  readonly replications: number;
}

/**
 * The null hypothesis is that no column has a mean above 0. Studentised by the variance that the stationary bootstrap itself has (Politis
 * and Romano 1994), which needs no replication. Hansen's `consistent` p-value leaves out columns whose mean is below -sqrt(2 ln ln n)
 * standard errors, `lower` all with a mean below 0, `upper` none; all three are 1 where no mean is above 0. A column that never differs
 * from the benchmark by more or less than always is left out. One thing is not as in the paper: its statistic has the tails of Student's t,
 * because the standard errors are estimated, and the draws, which divide by the very same ones, have those of a normal variable; of twenty
 * worthless columns it accepts 11 % at a level of 5 % with blocks of 10 of 250 rows. Here it is brought to the normal scale
 * (`onNormalScale`), and accepts 5 %; of columns that remember 40 % of each day, 9 %.
 * @param excess returns beyond the benchmark's, net of the same costs, of everything that was tried: a column each, row by row of the same
 * periods
 * @throws RangeError for no column with a spread, columns of different lengths, fewer than 16 rows, or no replication
 */
export function dataSnooping(excess: readonly Float64Array[], { blockLength, resample, replications }: SnoopingSettings): DataSnooping {
  const rows = excess[0]?.length ?? 0;
  if (rows < MINIMUM_ROWS) throw new RangeError(`${rows} rows, expected at least ${MINIMUM_ROWS}`);
  if (excess.some((column) => column.length !== rows)) throw new RangeError('columns of different lengths, expected equally many rows');
  if (!(replications >= 1)) throw new RangeError(`${replications} replications, expected at least 1`);
  const figures = excess
    .map((column, index) => ({ index, centre: mean(column), error: Math.sqrt(longRunVariance(column, blockLength) / rows), column }))
    .filter(({ error, centre }) => error > ROUNDING * Math.abs(centre));
  if (figures.length === 0) throw new RangeError('no column differs from the benchmark, expected one with a spread');

  const width = figures.length;
  const means = Float64Array.from(figures, ({ centre }) => centre);
  const errors = Float64Array.from(figures, ({ error }) => error);
  // What each of the three takes a column's mean to be, in standard errors.
  const studentised = means.map((centre, column) => centre / (errors[column] ?? NaN));
  const threshold = -Math.sqrt(2 * Math.log(Math.log(rows)));
  const consistent = studentised.map((centre) => (centre >= threshold ? centre : 0));
  const lower = studentised.map((centre) => Math.max(centre, 0));
  const statistic = onNormalScale(Math.max(0, ...studentised), rows, blockLength);
  const highest = Math.max(...means);

  const drawn = new Int32Array(rows);
  const times = new Float64Array(rows);
  const exceeding = { realityCheck: 0, lower: 0, consistent: 0, upper: 0 };
  for (let replication = 0; replication < replications; replication++) {
    resample(replication, drawn);
    times.fill(0);
    for (let place = 0; place < rows; place++) {
      const row = drawn[place] ?? NaN;
      times[row] = (times[row] ?? NaN) + 1;
    }
    // Of nothing better than the benchmark the studentised statistic is 0; White's has no such floor.
    let plainHighest = -Infinity;
    let lowerHighest = 0;
    let consistentHighest = 0;
    let upperHighest = 0;
    for (let column = 0; column < width; column++) {
      const error = errors[column] ?? NaN;
      const centre = weightedSum(times, figures[column]?.column ?? times) / rows;
      const scaled = centre / error;
      plainHighest = Math.max(plainHighest, centre - (means[column] ?? NaN));
      lowerHighest = Math.max(lowerHighest, scaled - (lower[column] ?? NaN));
      consistentHighest = Math.max(consistentHighest, scaled - (consistent[column] ?? NaN));
      upperHighest = Math.max(upperHighest, scaled - (studentised[column] ?? NaN));
    }
    if (plainHighest > highest) exceeding.realityCheck++;
    if (lowerHighest > statistic) exceeding.lower++;
    if (consistentHighest > statistic) exceeding.consistent++;
    if (upperHighest > statistic) exceeding.upper++;
  }
  // Nothing beats the benchmark, so there is nothing to explain; draws that do not exceed 0 either would call it certain.
  const share = (exceeded: number): number => (statistic === 0 ? 1 : exceeded / replications);
  return {
    best: figures[means.indexOf(highest)]?.index ?? NaN,
    realityCheck: exceeding.realityCheck / replications,
    superiorAbility: {
      statistic,
      lower: share(exceeding.lower),
      consistent: share(exceeding.consistent),
      upper: share(exceeding.upper),
    },
  };
}

/** ln ln n and a variance of blocks mean nothing of less. */
const MINIMUM_ROWS = 16;
/** A standard error this small a part of its mean is what rounding leaves of none. */
const ROUNDING = 1e-12;
/** Beyond it a weight adds nothing to a double. */
const NEGLIGIBLE = 1e-18;

/**
 * n times the variance of the mean under the stationary bootstrap, given the column: autocovariances with the weights
 * (1 - i/n) (1 - 1/b)^i + i/n (1 - 1/b)^(n - i) of Politis and Romano (1994).
 */
export function longRunVariance(values: Float64Array, blockLength: number): number {
  const count = values.length;
  const centre = mean(values);
  const deviations = values.map((value) => value - centre);
  let sum = lagged(deviations, 0);
  for (let lag = 1; lag < count; lag++) {
    const weight = lagWeight(lag, count, blockLength);
    if (weight > NEGLIGIBLE) sum += 2 * weight * lagged(deviations, lag);
  }
  return Math.max(0, sum / count);
}

function lagWeight(lag: number, count: number, blockLength: number): number {
  const goesOn = 1 - 1 / blockLength;
  return (1 - lag / count) * goesOn ** lag + (lag / count) * goesOn ** (count - lag);
}

/**
 * A mean over the root of its `longRunVariance`, as the standard normal variable that is as far out. By how much such a variance is too
 * small, and how many degrees of freedom it has, is exact for independent normal rows: it is a quadratic form in them whose matrix is
 * circulant, so that its traces are sums of the weights. From Student's t to the normal by Wallace (1959, Bounds on normal approximations
 * to Student's and the chi-square distributions): within 0.002 from 20 degrees of freedom on, up to 4.5.
 */
export function onNormalScale(studentised: number, count: number, blockLength: number): number {
  let sum = 1;
  let squares = 1;
  for (let lag = 1; lag < count; lag++) {
    const weight = lagWeight(lag, count, blockLength);
    sum += weight;
    squares += weight ** 2;
  }
  const share = 1 - sum / count;
  const freedom = (count - sum) ** 2 / (count * squares - sum ** 2);
  const unbiased = studentised * Math.sqrt(Math.max(0, share));
  const size = Math.sqrt(freedom * Math.log1p(unbiased ** 2 / freedom)) * ((8 * freedom + 1) / (8 * freedom + 3));
  return Math.sign(studentised) * size;
}

function lagged(values: Float64Array, lag: number): number {
  let sum = 0;
  for (let index = lag; index < values.length; index++) sum += (values[index] ?? NaN) * (values[index - lag] ?? NaN);
  return sum;
}

function weightedSum(weights: Float64Array, values: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < weights.length; index++) sum += (weights[index] ?? NaN) * (values[index] ?? NaN);
  return sum;
}
